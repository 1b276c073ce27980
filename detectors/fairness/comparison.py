"""The comparison of groups: from their figures to a value with its interval and its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import isfinite, isnan
from typing import Any, TypeVar

import numpy as np
from msgspec import UNSET

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need, Subject
from detectors.by_group import ByGroup
from detectors.fairness.figure import Figure
from detectors.fairness.gap import OVERALL, Bounds, Flags, Gap
from detectors.fairness.option import ALL_GROUPS, FOUR_FIFTHS, GapParams
from detectors.interval import Z
from detectors.spec import Places, Result

MOST = 200  # groups in evidence
GAP, NO_GAP, TOO_FEW = "a gap", "no gap found", "too few to say"
_NO_REFERENCE = "the reference group has too few rows"
_TOO_LARGE = "the gap is too large for a number"
_DIGITS = 12  # to which a ratio is compared with four fifths, as values are with thresholds

Combine = Callable[[Sequence[Floats]], Floats]
E = TypeVar("E")
P = TypeVar("P", bound=GapParams)
F = TypeVar("F", bound=Any)


@dataclass(frozen=True)
class Comparison:
    """Groups, compared by one or several `figures` with names, whose gaps are combined. `labelled`: their rows are those with a label."""

    groups: ByGroup[Any]
    figures: dict[str, Figure]
    params: GapParams
    combine: Combine = lambda parts: parts[0]
    ratio: bool = False
    labelled: bool = True
    selection: Figure | None = None  # by which the four-fifths rule is told

    @property
    def kept(self) -> Flags:
        """Groups with enough rows and without 0/0: (..., groups)."""
        known = [np.isfinite(figure.value) for figure in self.figures.values()]
        return np.asarray(np.logical_and.reduce([self.groups.each >= self.params.min_group, *known]))

    def result(self) -> Result:
        """The value of the measure, with its interval and evidence."""
        place, kept = self.params.place(self.groups.names), self.kept
        gaps = {name: Gap(figure, kept, place, len(self.figures), self.ratio) for name, figure in self.figures.items()}
        first = next(iter(gaps.values()))
        value = self.combine([gap.value for gap in gaps.values()])
        few = kept.sum(-1) < 2
        why = np.where(few, f"fewer than two groups have {self.params.min_group} rows and a value", _NO_REFERENCE).astype(object)
        why[first.compared] = None
        why[first.compared & ~np.isfinite(value)] = _TOO_LARGE
        value = np.where(np.isfinite(value), value, np.nan)

        def interval(phi: Floats) -> tuple[Floats, Floats]:
            found = [gap.bounds(phi) for gap in gaps.values()]
            return self.combine([one.lower for one in found]), self.combine([one.upper for one in found])

        return Result(value, why, interval, evidence=lambda places: self._documents(places, gaps, kept), few=~first.compared)

    def _documents(self, places: Places, gaps: dict[str, Gap], kept: Flags) -> list[dict[str, Any]]:
        """The groups, the pair that makes the gap, and what is to be said of it. Intervals are those of independent rows."""
        taken = {name: replace(gap, figure=at_places(gap.figure, places), kept=kept[places]) for name, gap in gaps.items()}
        values = np.nan_to_num(np.stack([gap.value for gap in taken.values()]), nan=-1.0)
        bounds = [gap.bounds(np.ones(1)) for gap in taken.values()]
        answers = self._answers(self.combine([one.lower for one in bounds]), self.combine([one.upper for one in bounds]))
        rules = self._four_fifths(places, next(iter(taken.values())))
        groups = {name: self._groups(places, taken, name) for name in taken}
        left_out = np.maximum((self.groups.predictions[places] > 0).sum(-1) - MOST, 0).tolist()
        found = []
        for row, widest in enumerate(values.argmax(0).tolist()):
            name = list(taken)[widest]
            told: dict[str, Any] = {"answer": answers[row], "groups": groups[name][row]}
            if left_out[row]:
                told["groups_left_out"] = left_out[row]
            if len(taken) > 1:
                told["rate"] = name
            if taken[name].compared[row]:
                told["pair"] = [self._name(int(ends[row])) for ends in taken[name].pair]
            if answers[row] == GAP:
                told |= self._evident(row, dict(zip(taken, bounds, strict=True)))
            found.append(told | ({} if rules is None or rules[row] is None else {"four_fifths": rules[row]}))
        return found

    def _evident(self, row: int, bounds: Mapping[str, Bounds]) -> dict[str, Any]:
        """The two groups whose gap leaves least doubt, and of several rates in which one."""
        name = min(bounds, key=lambda name: bounds[name].upper[row] if self.ratio else -bounds[name].lower[row])
        found = {"evident": [self._name(int(ends[row])) for ends in (bounds[name].high, bounds[name].low)]}
        return found | ({"evident_rate": name} if len(bounds) > 1 else {})

    def _name(self, place: int) -> str:
        return ALL_GROUPS if place == OVERALL else self.groups.names[place]

    def _answers(self, lower: Floats, upper: Floats) -> list[str]:
        relevant = None if self.params.relevant is UNSET else self.params.relevant
        with np.errstate(invalid="ignore"):
            apart = upper < 1 if self.ratio else lower > 0
            small = np.zeros(lower.shape, np.bool_) if relevant is None else lower >= relevant if self.ratio else upper < relevant
        return [GAP if gap else NO_GAP if none else TOO_FEW for gap, none in zip(apart.tolist(), np.asarray(small).tolist(), strict=True)]

    def _four_fifths(self, places: Places, of: Gap) -> list[dict[str, Any] | None] | None:
        """Whether the smaller selection rate is four fifths of the larger one or more, and whether the interval of their ratio leaves no doubt."""
        if self.selection is None:
            return None
        gap = replace(of, figure=at_places(self.selection, places), ratio=True)
        bounds = gap.bounds(np.ones(1))
        rows = zip(*(np.round(one, _DIGITS).tolist() for one in (gap.value, bounds.lower, bounds.upper)), strict=True)
        return [
            None if isnan(ratio) else {"ratio": ratio, "met": ratio >= FOUR_FIFTHS, "certain": not low < FOUR_FIFTHS <= high}
            for ratio, low, high in rows
        ]

    def _groups(self, places: Places, taken: dict[str, Gap], name: str) -> list[list[dict[str, Any]]]:
        """Of each place the groups with any prediction; if they are more than `MOST` those with most rows, these first."""
        of, more = taken[name], {other: gap.figure.value for other, gap in taken.items() if len(taken) > 1}
        n, predictions = self.groups.each[places], self.groups.predictions[places]
        numbers = (of.figure.value, *of.figure.bounds(Z))
        found = []
        for row in range(len(n)):
            there = np.flatnonzero(predictions[row] > 0)
            if len(there) > MOST:
                there = there[np.argsort(-n[row][there], kind="stable")[:MOST]]
            found.append([self._group(row, group, n, predictions, numbers, of.kept, more) for group in there.tolist()])
        return found

    def _group(
        self, row: int, group: int, n: Floats, predictions: Floats, numbers: tuple[Floats, ...], kept: Flags, more: Mapping[str, Floats]
    ) -> dict[str, Any]:
        shown = bool(kept[row, group])
        value, lower, upper = (_number(one[row, group]) if shown else None for one in numbers)
        found = {"group": self.groups.names[group], "n": int(n[row, group]), "value": value, "lower": lower, "upper": upper}
        found |= {"suppressed": not shown} | ({name: _number(one[row, group]) for name, one in more.items()} if shown else {})
        return found | ({"label_coverage": float(n[row, group] / predictions[row, group])} if self.labelled else {})


def at_places(figure: F, places: Places) -> F:
    """The figure at some places: (places, groups)."""
    sums = {field.name: getattr(figure, field.name) for field in fields(figure)}
    return replace(figure, **{name: one[places] for name, one in sums.items() if isinstance(one, np.ndarray)})


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def compared(make: Callable[[E, P], Comparison]) -> Callable[[E, E | None, P], Result]:
    """The `compute` of a measure from its comparison of one side."""
    return lambda target, _baseline, params: make(target, params).result()


def about(name: str, title: str, formula: str, **more: Any) -> Measure:
    """The `Measure` of a gap: of attributes, of labelled rows unless `more` says otherwise."""
    usual: dict[str, Any] = {
        "unit": "share",
        "subject": Subject.ATTRIBUTE,
        "judged": Judged.WORSE,
        "better": -1,
        "tasks": (Task.BINARY, Task.MULTICLASS),
        "requires": (Need.LABELS,),
    }
    return Measure(name=f"fairness.{name}", title=title, formula=formula, **(usual | more))
