"""The sentence that says where most of a change comes from."""

from __future__ import annotations

from collections.abc import Sequence

from core import bin_text, number
from core.cause import ColumnCause, SegmentCause, SplitCause
from core.measure import Family, Measure

_PART = 0.05  # a part of the split that is told, of all
# Each part of a performance change as people say it, where it made the measure worse and where it made it better.
_CONCEPT = ("such rows are predicted worse (concept)", "the other way, such rows are predicted better (concept)")
_COVARIATE = ("more rows are of the hard kinds (covariate)", "the other way, fewer rows are of the hard kinds (covariate)")
_UNEXPLAINED = ("rows that the baseline hardly has", "the other way, rows that the baseline hardly has")
_MOVED = 0.01  # shares of rows that are told apart


def sentence(
    about: Measure,
    value: float | None,
    baseline: float | None,
    change: float,
    segments: Sequence[SegmentCause],
    columns: Sequence[ColumnCause],
    split: SplitCause,
) -> str:
    """In words: the change, the first slice if it is certain, the first column beside those of the slice, and the parts of a performance change. `change` is how much worse the measure is."""
    found = [_change(about, value, baseline)]
    shared = about.family in (Family.DRIFT, Family.QUALITY, Family.FAIRNESS, Family.SERVICE)
    if not shared and value is not None and baseline is not None and change <= 0:
        found.append("It is not worse.")
    elif segments and segments[0].certain:
        found.append(_slice(segments[0], segments[0].contribution if shared else segments[0].contribution / change if change > 0 else None))
    elif segments:
        found.append("No slice contributes more than its share of rows beyond chance.")
    sliced = {part.partition("=")[0] for part in segments[0].segment.split(",")} if segments else set[str]()
    beside = [one for one in columns if one.column not in sliced and (one.contribution > 0 or _gaps(one))]
    if beside:
        found.append(_column(beside[0]))
    if parts := _split(split):
        found.append(parts)
    return " ".join(found)


def _change(about: Measure, value: float | None, baseline: float | None) -> str:
    if value is None:
        return f"{about.title} has no value here."
    if baseline is None or about.compares:
        return f"{about.title} is {number.of_unit(value, about.unit)}."
    return f"{about.title} is {number.of_unit(value, about.unit)}, in the baseline {number.of_unit(baseline, about.unit)}."


def _slice(one: SegmentCause, share: float | None) -> str:
    most = "Most of it" if share is None else f"{_percent(min(share, 1.0))} of it"
    values = (
        ""
        if one.value is None
        else f", {number.rounded(one.value)}" + ("" if one.baseline is None else f" against {number.rounded(one.baseline)}")
    )
    return f"{most} comes from {bin_text.of_slice(one.segment)} ({_percent(one.share)} of rows{values})."


def _column(one: ColumnCause) -> str:
    if _gaps(one):
        return f"{one.column} is missing in {_percent(one.missing)} of rows, in the baseline in {_percent(one.missing_baseline)}."
    first = one.bins[0] if one.bins else None
    if first is None or abs(first.target - first.baseline) < _MOVED:
        return f"Of the columns {one.column} stands out most."
    shares = f"in {_percent(first.target)} of rows, in the baseline in {_percent(first.baseline)}"
    return f"Of the columns {one.column} stands out most: it is {bin_text.words(first.bin)} {shares}."


def _gaps(one: ColumnCause) -> bool:
    """Whether more values are missing than before."""
    return one.missing >= one.missing_baseline + _MOVED


def _split(split: SplitCause) -> str:
    parts = {_CONCEPT: split.concept, _COVARIATE: split.covariate, _UNEXPLAINED: split.unexplained}
    known = {name: part for name, part in parts.items() if part is not None}
    whole = sum(abs(part) for part in known.values())
    told = [
        f"{_percent(abs(part) / whole)} {name[part <= 0]}"
        for name, part in sorted(known.items(), key=lambda one: -abs(one[1]))
        if whole and abs(part) >= _PART * whole
    ]
    return f"By cause: {'; '.join(told)}." if told else ""


def _percent(share: float) -> str:
    return f"{share:.1%}".replace(".0%", "%").replace("%", " %") if share < 0.1 else f"{share:.0%}".replace("%", " %")
