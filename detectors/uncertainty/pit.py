"""Whether labels lie where a regression says that they lie: uniformity of the probability integral transform."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Judged, Measure, Need
from core.region import ENSEMBLE, has
from detectors.certainty import having
from detectors.evidence import BEFORE, Losses, LossSums
from detectors.spec import Places, Result, Spec, estimable
from detectors.summary.loss import TENTHS

NOTHING = "no labelled prediction has an ensemble or an interval"
_DOUBT = 0.05  # of the interval


class PitParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`level`: which share of labels intervals are to hold, the contract's by default. Where the contract has ensembles, these are taken, and it is null."""

    level: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None


def _settle(params: PitParams, contract: Contract) -> PitParams:
    if has(contract, ENSEMBLE):
        return PitParams()
    level = contract.roles.interval[2] if params.level is None and contract.roles.interval else params.level
    if level is None:
        raise ConfigError(
            "the contract has no ensembles, and does not say which share of labels its intervals are to hold",
            remedy="write for example `params: {level: 0.9}`",
        )
    return PitParams(float(level))


def _shares(side: Losses, params: PitParams) -> list[tuple[float, tuple[LossSums, ...]]]:
    """Numbers in (0, 1), and the losses whose means add up to the share of labels whose transform is below; none where the contract has no such losses."""
    tenths: list[tuple[float, tuple[LossSums, ...]]] = [
        (tenth, (side.of[name],)) for tenth in TENTHS if (name := f"below_{tenth}") in side.of
    ]
    if tenths or params.level is None or "below_interval" not in side.of:
        return tenths
    below = side.of["below_interval"]
    return [((1 - params.level) / 2, (below,)), ((1 + params.level) / 2, (below, side.of["in_interval"]))]


def _rows(side: Losses) -> Floats:
    """The labelled rows that have an ensemble, of a contract without ensembles an interval: (...)."""
    held = next((side.of[name] for name in (f"below_{TENTHS[0]}", "below_interval") if name in side.of), None)
    return np.zeros(side.n.shape) if held is None else held.count


def pit_uniformity(target: Losses, _baseline: Losses | None, params: PitParams) -> Result:
    """The largest distance of the share of labels whose transform is below u from u: (...), over the tenths for ensembles, and over both ends of an interval.

    Where labels are draws from what is predicted, the transform is uniform (Dawid 1984; Diebold, Gunther and Tay 1998); of an ensemble it is the label's rank among the members,
    spread evenly between two ranks (Hamill 2001; Czado, Gneiting and Held 2009). The interval is that of Dvoretzky, Kiefer and Wolfowitz (Massart 1990), conservative.
    """
    shares, rows = _shares(target, params), _rows(target)
    if not shares:
        return Result(np.full(target.n.shape, np.nan))
    with np.errstate(invalid="ignore"):
        curve = np.stack([np.asarray(sum(one.total for one in sums) / rows) for _, sums in shares])
    places = np.array([u for u, _ in shares]).reshape(-1, *[1] * rows.ndim)
    known = np.logical_and.reduce(np.broadcast_arrays(*(one.known for _, sums in shares for one in sums)))
    value, why = estimable(np.abs(curve - places).max(0), (~known, BEFORE), (rows == 0, NOTHING))

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        with np.errstate(divide="ignore"):
            half = np.sqrt(np.log(2 / _DOUBT) * phi / (2 * rows))
        return np.maximum(value - half, 0.0), np.minimum(value + half, 1.0)

    def evidence(at: Places) -> list[dict[str, Any]]:
        p = np.minimum(1.0, 2 * np.exp(-2 * rows * np.nan_to_num(value) ** 2))[at].tolist()
        found = zip(np.stack([one[at] for one in curve], axis=-1).tolist(), rows[at].tolist(), p, strict=True)
        return [{"measured": int(many)} | (_curve(shares, one, chance) if many else {}) for one, many, chance in found]

    return Result(value, why, interval, evidence=evidence)


def _curve(shares: list[tuple[float, tuple[LossSums, ...]]], curve: list[float], p: float) -> dict[str, Any]:
    points = [{"below": round(u, 12), "share": share} for (u, _), share in zip(shares, curve, strict=True)]
    return {"p_uniform": p, "curve": points}


SPEC: Spec[Losses, PitParams] = Spec(
    about=Measure(
        name="uncertainty.pit_uniformity",
        title="Uniformity of the probability integral transform",
        brief="PIT uniformity",
        formula="largest distance of the share of labels below a predicted quantile from what it should be",
        unit="share",
        judged=Judged.WORSE,
        better=-1,
        tasks=(Task.REGRESSION,),
        requires=(Need.LABELS,),
    ),
    evidence=Losses,
    compute=pit_uniformity,
    no_value=NOTHING,
    params=PitParams,
    settle=_settle,
    counted=lambda side: having(_rows(side), side.n),
)
