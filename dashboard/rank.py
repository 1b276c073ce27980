"""What counts most: how much worse a slice is, times its share of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core import measure
from core.monitor import Monitor
from dashboard.series import JUDGED

RANKED = "The largest gap times share first, too few samples last."


@dataclass(frozen=True)
class Slice:
    """A segment or a column in one window. `gap` is how much worse it is, `share` its part of the rows of all slices."""

    name: str
    value: float | None
    baseline: float | None
    n: int | None
    n_baseline: int | None
    verdict: str
    reason: str | None
    gap: float | None = None
    share: float | None = None


def worse(monitor: Monitor, value: float | None, baseline: float | None) -> float | None:
    """What is larger where it is worse: the distance to the baseline, else the value, turned round where more is better.

    None where there is nothing to compare.
    """
    known = measure.BUILT.get(monitor.measure)
    better = known.better if known else 0
    if value is None or (better and monitor.baseline and baseline is None):
        return None
    if better and monitor.baseline and baseline is not None:
        return (baseline - value) * better
    below = any(isinstance(threshold, dict) and "below" in threshold for threshold in monitor.threshold.values())
    return -value if better > 0 or (not better and below) else value


def gap(monitor: Monitor, value: float | None, baseline: float | None, whole: float | None) -> float | None:
    """How much worse a value is than its baseline; without a baseline, than `whole`, the value of all rows.

    Where a measure has no better side (drift, rates of bad values) it is the value itself.
    """
    found = worse(monitor, value, baseline)
    if monitor.baseline or not measure.BUILT[monitor.measure].better or found is None:
        return found
    reference = worse(monitor, whole, None)
    return None if reference is None else found - reference


def ranked(slices: Sequence[Slice], monitor: Monitor, *, parts: bool) -> list[Slice]:
    """The largest gap times share first; then those with too few samples, then those without a value.

    `parts`: the slices are parts of the same rows, as segments of one dimension are; else each counts whole.
    """
    valued = [one for one in slices if one.value is not None]
    rows = sum(one.n or 0 for one in slices)
    held = sum(one.n or 0 for one in valued)
    whole = sum((one.value or 0.0) * (one.n or 0) for one in valued) / held if held else None
    made = [
        Slice(
            **{
                **vars(one),
                "gap": gap(monitor, one.value, one.baseline, whole),
                "share": (one.n or 0) / rows if parts and rows else None,
            }
        )
        for one in slices
    ]

    def place(one: Slice) -> tuple[int, float]:
        if one.value is None or one.gap is None:
            return 2, 0.0
        return int(one.verdict not in JUDGED), -one.gap * (1.0 if one.share is None else one.share)

    return sorted(made, key=place)
