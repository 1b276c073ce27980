"""Verdicts of values: no data, too few rows, no value, or the result of the comparison with the thresholds."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from core.measure import Measure
from core.moment import DAY
from core.monitor import Compare, Gate, Monitor
from core.reading import Verdict
from monitors.evaluation.calibration import EARLY
from monitors.evaluation.frame import NONE, VERDICTS

_UNCALIBRATED = f"no window tells yet how much windows differ by chance: {EARLY} must have closed"
_NOWHERE = np.zeros((), np.bool_)
_DIGITS = 12  # both sides of a comparison are rounded to so many decimals


class Judgement(NamedTuple):
    """What verdicts are made of, arrays of one shape: values, the baseline's, their excess (see `core.monitor.Compare`), and p-values, NaN where there is none.

    `columns` is how many columns the monitor watches, `allowed` the p-value up to which a budget lets it alarm. `uncalibrated`: alarms rest on
    p-values, and these take rows to be independent, which is no evidence. `note` is the reason of a verdict on a value, `broken` where what the value assumes does not hold.
    `coverage` is the share of predictions with a label. `few` and `baseline_few`: where too few rows are left to compare. `baseline_why` says why the
    baseline may have no value, None if that is as with the value.
    """

    value: Floats
    baseline_value: Floats
    excess: Floats
    p: Floats
    columns: int
    allowed: float | None = None
    uncalibrated: bool = False
    note: npt.NDArray[np.object_] | None = None
    broken: npt.NDArray[np.bool_] = _NOWHERE
    coverage: Floats | None = None
    few: npt.NDArray[np.bool_] = _NOWHERE
    baseline_few: npt.NDArray[np.bool_] = _NOWHERE
    baseline_why: npt.NDArray[np.object_] | None = None


def alpha(window: int, columns: int) -> float:
    """The level below which p is evidence: min(0.05, window / 30 d) / (3 x columns); `window` in microseconds."""
    return min(0.05, window / (30 * DAY)) / (3 * columns)


def judge(
    monitor: Monitor,
    measure: Measure,
    given: Judgement,
    n_target: Ints,
    n_baseline: Ints,
    why: str | npt.NDArray[np.object_],
    empty: str | npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.object_]]:
    """Verdict codes (indices in `VERDICTS`) and reasons; all arrays have one shape. `why` says why a value may be missing, `empty` why there are no rows."""
    value = given.value
    verdict = np.full(value.shape, VERDICTS.index(Verdict.OK), np.int8)
    note = np.full(value.shape, None, object) if given.note is None else given.note
    reason = note.copy()

    def put(where: npt.NDArray[np.bool_], what: Verdict, because: str | npt.NDArray[np.object_] | None) -> None:
        verdict[where] = VERDICTS.index(what)
        reason[where] = because[where] if isinstance(because, np.ndarray) else because

    compared = _compared(monitor, measure, given)
    evident = given.p < alpha(monitor.window.longest, given.columns) if monitor.gate is Gate.EVIDENCE else np.ones(value.shape, np.bool_)
    put(reached(monitor.warn, compared) & evident, Verdict.WARN, note)
    put(reached(monitor.critical, compared) & evident, Verdict.CRITICAL, note)
    if given.allowed is not None:
        put(given.p <= given.allowed, Verdict.CRITICAL, None)
    if given.uncalibrated:
        put(np.ones(value.shape, np.bool_), Verdict.INSUFFICIENT, _UNCALIBRATED)
    put(np.broadcast_to(given.broken, value.shape), Verdict.ASSUMPTIONS_BROKEN, note)
    missing, of_baseline = np.isnan(compared), np.full(value.shape, None, object)
    said = np.broadcast_to(np.asarray(why if given.baseline_why is None else given.baseline_why, object), value.shape)
    of_baseline[missing] = "baseline: " + said[missing]
    put(missing, Verdict.NOT_ESTIMABLE, of_baseline)
    put(missing & given.baseline_few, Verdict.INSUFFICIENT, of_baseline)
    put(np.isnan(value), Verdict.NOT_ESTIMABLE, why)
    put(given.few & np.isnan(value), Verdict.INSUFFICIENT, why)
    few = (n_baseline != NONE) & (n_baseline < max(monitor.min_samples, 1))
    put(few, Verdict.INSUFFICIENT, _few(few, n_baseline, monitor.min_samples, "baseline"))
    if measure.sampled:
        few = n_target < monitor.min_samples
        put(few, Verdict.INSUFFICIENT, _few(few, n_target, monitor.min_samples, "target"))
    if monitor.min_label_coverage is not None and given.coverage is not None:
        put(given.coverage < monitor.min_label_coverage, Verdict.IMMATURE, _few_labels(given.coverage, monitor.min_label_coverage))
    if measure.sampled:
        put(n_target == 0, Verdict.NODATA, empty)
    return verdict, reason


def _compared(monitor: Monitor, measure: Measure, given: Judgement) -> Floats:
    """The numbers that are compared with the thresholds."""
    if monitor.compare is Compare.EXCESS:
        return given.excess
    if monitor.compare is Compare.RISE:
        return np.asarray(given.value - given.baseline_value)
    sided = any(isinstance(one, dict) for one in (monitor.warn, monitor.critical))
    against, promise = monitor.baseline is not None, None if sided else monitor.params.get("promise")
    return np.asarray(measure.worse(given.value, given.baseline_value, against=against, promise=promise))


def reached(threshold: float | dict[str, Any] | None, compared: Floats) -> npt.NDArray[np.bool_]:
    """Where a threshold is reached; NaN never reaches one."""
    if threshold is None:
        return np.zeros(compared.shape, np.bool_)
    rounded = np.round(compared, _DIGITS)
    if isinstance(threshold, dict) and "below" in threshold:
        return rounded <= round(float(threshold["below"]), _DIGITS)
    return rounded >= round(float(threshold["above"] if isinstance(threshold, dict) else threshold), _DIGITS)


def _few_labels(coverage: Floats, least: float) -> npt.NDArray[np.object_]:
    shares, codes = np.unique(coverage, return_inverse=True)
    return np.array([f"labels of {share:.3f} of predictions have come (< {least:g})" for share in shares], object)[codes].reshape(
        coverage.shape
    )


def _few(where: npt.NDArray[np.bool_], n: Ints, least: int, side: str) -> npt.NDArray[np.object_]:
    found = np.full(n.shape, None, object)
    counts, codes = np.unique(n[where], return_inverse=True)
    found[where] = np.array([f"too few {side} samples ({count} < {least})" for count in counts], object)[codes]
    return found
