"""Running coverage against its promise: a bet against the promise, whose stake may be looked at after every window."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.block import Floats
from core.contract import Contract, Task
from core.measure import Judged, Measure, Need
from detectors.certainty import Coverages, having
from detectors.spec import Places, Result, Spec
from detectors.uncertainty.coverage import promised

FRACTIONS = (0.1, 0.25, 0.5, 0.9)  # of the stake, which bets risk
MOST = 1e12  # what is shown at most
NOTHING = "no labelled prediction has a prediction interval or set"


class AdaptiveParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`promise`: as of `uncertainty.interval_coverage`; `tolerance`: how far from it the coverage that is to be expected of a window may be.

    `windows`: how many windows back a break may have begun, and in how many in a row a false alarm has a bounded chance. `together`: how many rows may depend on one another;
    null: all rows of a window.
    """

    promise: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None
    tolerance: Annotated[float, msgspec.Meta(ge=0, lt=0.5)] = 0.02
    windows: Annotated[int, msgspec.Meta(ge=2, le=100)] = 30
    together: Annotated[int, msgspec.Meta(ge=1)] | None = None


def _settle(params: AdaptiveParams, contract: Contract) -> AdaptiveParams:
    return msgspec.structs.replace(params, promise=promised(params.promise, contract))


def _gains(held: Floats, rows: Floats, most: float, together: int | None) -> Floats:
    """The logarithm of what each bet multiplies its stake by, that labels are held more often than a share `most`: (fractions, ...); 0 without rows.

    Of all rows of a window together the stake is multiplied by 1 + b (s - most), with the share s that is held: at most 1 on average whatever the rows have in common, where
    `most` is the most to expect of s. Of rows of which `together` depend on one another, by the product of that over rows, to the power of 1 / `together` (by Hoelder's inequality
    at most 1 on average, too).
    """
    bets = np.array(FRACTIONS).reshape(-1, *[1] * rows.ndim) / most
    if together is None:
        share = held / np.maximum(rows, 1)
        return np.where(rows > 0, np.log1p(bets * (share - most)), 0.0)
    return np.asarray((held * np.log1p(bets * (1 - most)) + (rows - held) * np.log1p(-bets * most)) / together)


def _stakes(target: Coverages, params: AdaptiveParams) -> tuple[Floats, npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """What the stakes are worth together (...), and from how many windows before on the bets won most; whether these are that too few labels are held."""
    sides, promise = (target, *target.earlier), float(params.promise or 0.0)
    held, rows = (np.stack([getattr(one, name) for one in sides]) for name in ("held", "rows"))
    found = []
    for inside, most in ((rows - held, 1 - promise + params.tolerance), (held, promise + params.tolerance)):
        gains = _gains(inside, rows, most, params.together) if most < 1 else np.zeros((len(FRACTIONS), *rows.shape))
        found.append(np.cumsum(gains, axis=1))  # a stake that is put down before a window takes part in it and in all later ones
    worth = np.exp(np.minimum(np.stack(found), np.log(MOST) + 20))  # (sides, fractions, windows, ...)
    by_start = worth.mean(1)
    low = by_start.max(1)[0] >= by_start.max(1)[1]
    return by_start.mean(0).sum(0) / (2 * len(sides)), np.asarray(np.where(low, by_start[0].argmax(0), by_start[1].argmax(0))), low


def adaptive_coverage(target: Coverages, _baseline: Coverages | None, params: AdaptiveParams) -> Result:
    """How many times over the stake is won that bets against the promise: (...).

    A stake of 1 / (2 N) is put down before each of the last N windows, split over four bets on either side, and multiplied by each window since. Where of no window, given those before,
    a coverage is to be expected that is further than the tolerance from the promise, no stake grows on average: N stakes that are there and N that are to come are worth 1 together,
    so over N windows in a row their sum is ever above w with a chance of 1 / w at most (Ville's inequality). Sources: Waudby-Smith and Ramdas 2024; Shin, Ramdas and Rinaldo 2024 (e-detectors).
    """
    value, start, low = _stakes(target, params)
    sides = (target, *target.earlier)
    held, rows = (np.cumsum(np.stack([getattr(one, name) for one in sides]), axis=0) for name in ("held", "rows"))

    def evidence(places: Places) -> list[dict[str, Any]]:
        since = start[places]
        inside, many = held[(since, *places)].tolist(), rows[(since, *places)].tolist()
        measured = target.rows[places].tolist()
        found = zip((since + 1).tolist(), inside, many, low[places].tolist(), measured, strict=True)
        return [
            {"promise": params.promise, "measured": int(here)}
            | ({"since_windows": back, "coverage": one / of, "side": "low" if under else "high"} if of else {})
            for back, one, of, under, here in found
        ]

    none = target.rows == 0
    return Result(np.where(none, np.nan, np.minimum(value, MOST)), evidence=evidence)


SPEC: Spec[Coverages, AdaptiveParams] = Spec(
    about=Measure(
        name="uncertainty.adaptive_coverage",
        title="Running coverage against its promise",
        brief="Running coverage",
        formula="what bets against the promise have won, over their stake",
        unit="times",
        judged=Judged.VALUE,
        better=-1,
        tasks=(Task.REGRESSION, Task.BINARY, Task.MULTICLASS),
        requires=(Need.LABELS,),
    ),
    evidence=Coverages,
    compute=adaptive_coverage,
    no_value=NOTHING,
    params=AdaptiveParams,
    settle=_settle,
    counted=lambda side: having(side.rows, side.n),
    earlier=lambda params: params.windows - 1,
)
