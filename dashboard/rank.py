"""Ranks segments or columns by impact: how much worse one is, times its share of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.measure import Judged, Measure
from core.monitor import Monitor
from dashboard.series import JUDGED

RANKED = "The largest gap times share first, too few samples last."


@dataclass(frozen=True)
class Slice:
    """A segment or a column in one window. `gap` is how much worse it is, `share` its part of the rows of all slices, `excess` what chance does not explain of its value, with its `p`."""

    name: str
    value: float | None
    baseline: float | None
    n: int | None
    n_baseline: int | None
    verdict: str
    reason: str | None
    gap: float | None = None
    share: float | None = None
    excess: float | None = None
    p: float | None = None


def worse(monitor: Monitor, about: Measure, value: float | None, baseline: float | None) -> float | None:
    """A number that is larger if the value is worse: the distance to the baseline, else the value, with its sign turned if more is better.

    None if there is nothing to compare.
    """
    about = about.directed(monitor.params)
    against = monitor.baseline is not None and about.judged is Judged.WORSE
    if value is None or (against and baseline is None):
        return None
    if against:
        return float(about.worse(value, baseline, against=True))
    if about.judged is Judged.PROMISE:
        return float(about.worse(value, None, against=False, promise=monitor.params.get("promise")))
    if about.signed or about.judged in (Judged.ABSOLUTE, Judged.RATIO):
        return about.size(value)
    below = any(isinstance(threshold, dict) and "below" in threshold for threshold in monitor.threshold.values())
    return -value if about.better > 0 or (about.judged is Judged.VALUE and below) else value


def gap(monitor: Monitor, about: Measure, value: float | None, baseline: float | None, whole: float | None) -> float | None:
    """How much worse a value is than its baseline; without a baseline, than `whole`, the value of all rows.

    If the value itself is judged (drift, rates of bad values), the gap is the value.
    """
    found = worse(monitor, about, value, baseline)
    if monitor.baseline or about.judged is Judged.VALUE or found is None:
        return found
    reference = worse(monitor, about, whole, None)
    return None if reference is None else found - reference


def ranked(slices: Sequence[Slice], monitor: Monitor, about: Measure, *, parts: bool) -> list[Slice]:
    """The slices with the largest gap times share first; then those with too few samples, then those without a value.

    `parts` says that the slices are parts of the same rows, as segments of one dimension are; else the share of each is 1.
    """
    valued = [one for one in slices if one.value is not None]
    rows = sum(one.n or 0 for one in slices)
    held = sum(one.n or 0 for one in valued)
    whole = sum((one.value or 0.0) * (one.n or 0) for one in valued) / held if held else None
    made = [
        Slice(
            **{
                **vars(one),
                "gap": gap(monitor, about, one.value, one.baseline, whole),
                "share": (one.n or 0) / rows if parts and rows else None,
            }
        )
        for one in slices
    ]

    def rank(one: Slice) -> tuple[int, float]:
        if one.value is None or one.gap is None:
            return 2, 0.0
        return int(one.verdict not in JUDGED), -one.gap * (1.0 if one.share is None else one.share)

    return sorted(made, key=rank)
