"""Control charts of the values of a monitor's windows, of any measure: CUSUM and EWMA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats, Ints
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Measure
from detectors.change.loss import WRONG
from detectors.change.sequence import Detection, onset
from detectors.compare.difference import Of
from detectors.spec import Spec

MOST = 1e6  # of a limit, that is shown at most
LEARNS = "it learns from the first windows what is usual"

Positive = Annotated[float, msgspec.Meta(gt=0)]


class Charted:
    """The evidence of charts: none of its own, since they are made of the readings of another measure."""


class ChartParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`of`: the measure whose values are charted. `learn`: how many windows with a value tell the mean and the standard deviation, at first and after each detection, unless `mean` and `sd` are given."""

    of: str | dict[str, Any] | None = None
    learn: Annotated[int, msgspec.Meta(ge=5, le=1_000)] = 20
    mean: float | None = None
    sd: Positive | None = None

    @property
    def charted(self) -> Of:
        """The measure, its params and column."""
        return msgspec.convert(self.of, Of) if isinstance(self.of, dict) else Of(self.of or "")


class CusumParams(ChartParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`k`: the shift that is let pass, and `h`: the sum that is a change, both in standard deviations."""

    k: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    h: Positive = 5.0


class EwmaParams(ChartParams, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`weight`: that of the newest value. `limit`: how many standard deviations of the weighted mean are a change."""

    weight: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    limit: Positive = 3.0


State = tuple[float, float]


def cusum(params: CusumParams, state: State, z: float) -> tuple[State, float]:
    """The sums of values z, in standard deviations, that are more than k too high and too low; and the larger one over h (Page 1954)."""
    high, low = max(0.0, state[0] + z - params.k), max(0.0, state[1] - z - params.k)
    return (high, low), max(high, low) / params.h


def ewma(params: EwmaParams, state: State, z: float, windows: int) -> tuple[State, float]:
    """The exponentially weighted mean of values z, and its distance from 0 over `limit` times its standard deviation after so many `windows` (Roberts 1959)."""
    weight = params.weight
    mean = weight * z + (1 - weight) * state[0]
    spread = np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * windows)))
    return (mean, 0.0), float(abs(mean) / (params.limit * spread))


def _step(params: ChartParams, state: State, z: float, windows: int) -> tuple[State, float]:
    if isinstance(params, CusumParams):
        return cusum(params, state, z)
    if isinstance(params, EwmaParams):
        return ewma(params, state, z, windows)
    raise TypeError(f"{params} are params of no chart")


@dataclass(frozen=True)
class Course:
    """The course of a chart over n windows: what it has over its limit (n,), NaN while it learns and where the measure has no value; the mean and the standard deviation that it holds values against (n,), the window with which it started (n,), and its detections by window."""

    value: Floats
    mean: Floats
    sd: Floats
    first: Ints
    detections: dict[int, Detection]


def course(x: Floats, params: ChartParams) -> Course:
    """The course of a chart over values (n,) in order; NaN where there is none. It starts anew with the window after a detection."""
    n, held = len(x), list[int]()
    found = Course(np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, np.int64), {})
    learn, first, state, mean, sd = (0 if params.mean is not None else params.learn), 0, (0.0, 0.0), 0.0, 0.0
    for at, value in enumerate(x.tolist()):
        found.first[at] = first
        if np.isnan(value):
            continue
        held.append(at)
        if len(held) == max(learn, 1):
            mean, sd = (params.mean, params.sd or 0.0) if params.mean is not None else (float(x[held].mean()), float(x[held].std(ddof=1)))
        if len(held) <= learn:
            continue
        apart = value - mean
        z = apart / sd if sd else (0.0 if apart == 0 else np.copysign(MOST, apart))
        state, over = _step(params, state, z, len(held) - learn)
        found.value[at], found.mean[at], found.sd[at] = min(over, MOST), mean, sd
        if over >= 1:
            place, before, after = onset(x[held]) if len(held) > 1 else (0, mean, value)
            found.detections[at] = Detection(at, held[0], held[place], before, after)
            held, first, state = [], at + 1, (0.0, 0.0)
    return found


def charts(measure: Spec[Any, Any] | None) -> bool:
    """Whether a measure is a chart of another."""
    return measure is not None and measure.evidence is Charted


def _settle(params: ChartParams, contract: Contract) -> ChartParams:
    if (params.mean is None) != (params.sd is None):
        raise ConfigError("`params.mean` and `params.sd` belong together", remedy="write both, or leave both out")
    usual = "performance.mae" if contract.task is Task.REGRESSION else WRONG
    return msgspec.structs.replace(params, of=params.of or usual)


def _spec(name: str, title: str, params: type[ChartParams], formula: str) -> Spec[Any, Any]:
    about = Measure(name=f"change.{name}", title=title, formula=formula, unit="of its limit", better=-1, compares=True, own_limit=1.0)
    return Spec(about=about, evidence=Charted, no_value=LEARNS, params=params, settle=_settle, sequential=True)


SPECS = (
    _spec("cusum", "CUSUM", CusumParams, "the larger of both cumulative sums of the windows' values, over h"),
    _spec("ewma", "EWMA", EwmaParams, "the weighted mean of the windows' values, over its limit"),
)
