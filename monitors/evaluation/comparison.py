"""Computes comparisons of two sides of a model's predictions: from readings of both, and row by row where a measure is a mean of what each row loses.

What is told when a window closes is of that window and of all before it. So the whole history is read each time: panes, and raw events where rows are compared.
Nothing that is told of a window depends on a later one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core import moment
from core.baseline.kind import Baseline
from core.baseline.rows import Role, Version
from core.block import Floats, Ints
from core.error import ConfigError
from core.measure import Judged, Measure
from core.monitor import Compare, Gate, Monitor
from core.reading import Verdict
from core.span import Flags, Spans
from core.window.tumbling import Tumbling
from detectors import catalogue
from detectors.compare.difference import Bounds, DifferenceParams, bounds, mcnemar, verdicts
from detectors.compare.loss import row_loss
from detectors.compare.split import biased, counted
from detectors.compare.sums import Pairs, Standing, of_values, paired, unpaired
from detectors.spec import Places
from monitors.evaluation import plan
from monitors.evaluation.frame import VERDICTS, Frame, Part
from monitors.evaluation.watched import most, scope_of
from monitors.evidence import scores
from monitors.evidence.extent import Extent
from monitors.evidence.pairs import MOST, window_sums
from monitors.evidence.reads import Reads, Scope

Evaluated = Callable[[Monitor, Spans, Reads], Frame]
Texts = npt.NDArray[np.object_]

_COUNTED = "quality.label_coverage"  # whose n counts all predictions
_RECENT = 7 * moment.DAY  # of which the present rate is taken


class _Rows(NamedTuple):
    """What rows tell, unpaired and paired, where at least half of the rows of the smaller side have a pair (`enough`), and where all rows so far are `there`."""

    unpaired: Standing
    paired: Standing
    pairs: Pairs
    enough: Flags
    there: Flags


class _Side(NamedTuple):
    """The readings of a measure on one side, windows in order: (windows, segments) each."""

    value: Floats
    lower: Floats
    upper: Floats
    n_target: Ints
    reason: Texts


def of_side(monitor: Monitor) -> Monitor:
    """The monitor of the measure that is compared, as it would watch one side."""
    of = msgspec.convert(monitor.params, DifferenceParams).compared
    attribute, named = catalogue.spec(of.measure).about.subject.protected, (of.column,) if of.column else ()
    kept = {"columns": () if attribute else named, "attributes": named if attribute else ()}
    plainly = {"baseline": None, "other": None, "warn": None, "critical": None, "compare": Compare.VALUE, "gate": Gate.NONE}
    return msgspec.structs.replace(monitor, measure=of.measure, params=of.params, **kept, **plainly)


def compared(evaluate: Evaluated, reads_of: Callable[[Scope], Reads], monitor: Monitor, windows: Spans, reads: Reads) -> Frame:
    """The readings of windows, for all segments of the scope."""
    found = _Comparison(evaluate, reads_of, monitor, windows, reads)
    shape, at = (len(windows), 1, len(reads.scope.segments)), found.history.find(windows)
    a, b = found.readings
    value = b.value - a.value
    verdict, reason = found.judged(value)
    arrays: dict[str, Any] = {
        "value": value,
        "lower": value - np.hypot(b.value - b.lower, a.upper - a.value),  # Newcombe 1998, Statistics in Medicine 17, method 10
        "upper": value + np.hypot(b.upper - b.value, a.value - a.lower),
        "baseline_value": a.value,
        "n_target": b.n_target,
        "n_baseline": a.n_target,
        "verdict": verdict,
        "reason": reason,
    }
    return Frame(
        monitor=monitor,
        contract=reads.scope.model.contract.version,
        windows=windows,
        threshold={"margin": found.params.margin},
        columns=("",),
        segments=reads.scope.segments,
        n_effective=np.full(shape, np.nan),
        evidence=((Part(0, len(windows), lambda places: found.evidence((at[places[0]], places[1]))),),),
        few=np.zeros(shape, np.bool_),
        there=np.ones(shape[1:], np.bool_),
        **{name: array[at][:, None] for name, array in arrays.items()},
    )


@dataclass(frozen=True)
class _Comparison:
    """A comparison over the history of some windows. Arrays are (windows of the history, segments)."""

    evaluate: Evaluated
    reads_of: Callable[[Scope], Reads]
    monitor: Monitor
    windows: Spans
    reads: Reads

    @cached_property
    def params(self) -> DifferenceParams:
        """What the monitor asks."""
        return msgspec.convert(self.monitor.params, DifferenceParams)

    @cached_property
    def of(self) -> Monitor:
        """The monitor of one side."""
        return of_side(self.monitor)

    @cached_property
    def about(self) -> Measure:
        """The measure that is compared."""
        return catalogue.spec(self.of.measure).about.directed(self.of.params)

    @cached_property
    def history(self) -> Spans:
        """All windows up to the last that is asked for."""
        return plan.existing(self.monitor.window, self.reads.slots, int(self.windows.end.max()), live=False).join(self.windows)

    @cached_property
    def readings(self) -> tuple[_Side, _Side]:
        """The readings of both sides."""
        return self._read(self.of, self.history, 0), self._read(self.of, self.history, 1)

    @cached_property
    def rows(self) -> _Rows | None:
        """What rows tell; None for measures of which they tell nothing."""
        if (loss := row_loss(self.of.measure, self.of.params)) is None:
            return None
        counted = [self._labelled(reads) for reads in self._both]
        there = np.logical_and.accumulate(np.maximum(*counted) <= MOST)
        read = self.history.take(there)
        if not len(read):
            return None
        self._both[0].marked_as(self.reads)
        found = window_sums(self._both, read, counted[0][there] + counted[1][there], loss, self.monitor.params["of"], self.params)
        for have, many in zip((found.rows_a, found.rows_b), counted, strict=True):
            there[: len(read)] &= np.logical_and.accumulate(have >= many[: len(read)])  # else raw events are gone
        first, second, pairs, *_ = found.padded(len(self.history))
        together = paired(pairs, loss.form)
        smaller = np.minimum(np.cumsum(first.n, axis=0), np.cumsum(second.n, axis=0))
        enough = (together.n_b > 0) & (2 * together.n_b >= smaller)
        return _Rows(unpaired(first, second, loss.form), together, pairs, enough, np.broadcast_to(there[:, None], enough.shape))

    @cached_property
    def standing(self) -> Standing:
        """How much better b is so far, from pairs, from rows or from readings, the first that there are."""
        a, b = self.readings
        gain, promise = self.about.better * (b.value - a.value), self.of.params.get("promise")
        if self.about.judged in (Judged.WORSE, Judged.PROMISE):
            gain = -np.asarray(self.about.worse(b.value, a.value, against=True, promise=promise))
        point = promise if self.about.judged is Judged.PROMISE else 0.0 if self.about.signed else None
        off = None if point is None else (a.value - point, b.value - point)
        n_a, n_b = (one.n_target.astype(np.float64) for one in (a, b))
        found = of_values(gain, (a.upper - a.lower) ** 2 + (b.upper - b.lower) ** 2, n_a, n_b, off)
        if (held := self.rows) is None:
            return found
        by_rows = (np.where(held.enough, *both) for both in zip(held.paired, held.unpaired, strict=True))
        return Standing(*(np.where(held.there, *both) for both in zip(by_rows, found, strict=True)))

    @cached_property
    def bounds(self) -> Bounds:
        """The bounds of how much better b is."""
        return bounds(self.standing, self.params, self.about.unit, self.monitor.challengers)

    @cached_property
    def biased(self) -> Flags:
        """Where traffic so far was not split as it is meant to be, by pane."""
        if self.params.split is None:
            return np.zeros(self.standing.gain.shape, np.bool_)
        pane = Tumbling(self.reads.scope.model.contract.pane)
        panes = plan.existing(pane, self.reads.slots, int(self.history.end[-1]), live=False)
        one = msgspec.structs.replace(self.of, measure=_COUNTED, params={}, columns=(), attributes=(), window=pane)
        a, b = (self._read(one, panes, which).n_target.astype(np.float64) for which in (0, 1))
        joined = np.concatenate([[False], panes.start[1:] == panes.end[:-1]])
        until = np.searchsorted(panes.end, self.history.end, side="right")
        found = np.zeros((len(self.history), a.shape[1]), np.bool_)
        for segment in range(a.shape[1]):
            so_far = counted(a[:, segment], b[:, segment], joined, self.params.split)
            of_a, of_b = (np.concatenate([[0.0], each])[until] for each in so_far)
            found[:, segment] = biased(of_a, of_b, self.params.split)
        return found

    def judged(self, value: Floats) -> tuple[npt.NDArray[np.int8], Texts]:
        """Verdicts as codes, and their reasons."""
        (a, b), least = self.readings, max(self.monitor.min_samples, 1)
        rows = np.nan_to_num(np.minimum(self.standing.n_a, self.standing.n_b))
        said = verdicts(self.bounds, self.params.margin, rows >= least)
        reason = np.full(value.shape, None, object)
        waiting = said == Verdict.KEEP_WAITING
        reason[waiting] = "what is known so far tells neither"
        reason[waiting & np.isnan(self.standing.variance)] = (
            f"`{self.of.measure}` has no interval: its variance is taken between windows, of which there must be more"
        )
        few = waiting & (rows < least)
        reason[few] = [f"too few rows of both sides so far ({int(n)} < {least})" for n in rows[few]]
        unfair = f"traffic is not split as it is meant to be: b has another share than {self.params.split}"
        instead: tuple[tuple[Flags, Verdict, str | None], ...] = (
            (self.biased, Verdict.ASSUMPTIONS_BROKEN, unfair),
            (np.asarray(np.isnan(value), np.bool_), Verdict.NOT_ESTIMABLE, None),
            (np.asarray(a.n_target == 0, np.bool_), Verdict.INSUFFICIENT, "a has no rows in the window"),
            (np.asarray(b.n_target == 0, np.bool_), Verdict.NODATA, "b has no rows in the window"),
        )
        for where, what, why in instead:
            said[where], reason[where] = what, why
        missing = np.isnan(value) & (a.n_target > 0) & (b.n_target > 0)
        reason[missing] = np.where(np.isnan(b.value), b.reason, a.reason)[missing]
        codes = {verdict: code for code, verdict in enumerate(VERDICTS)}
        return np.array([codes[one] for one in said.ravel()], np.int8).reshape(said.shape), reason

    def evidence(self, places: Places) -> list[dict[str, Any]]:
        """What a person needs to believe a verdict."""
        standing, found = self.standing, self.bounds
        numbers = {
            "better": found.better,
            "better_upper": found.better_upper,
            "gain": standing.gain,
            "rows_a": standing.n_a,
            "rows_b": standing.n_b,
            "needed": found.needed,
            "detects": found.detects,
            "days_left": self._days(),
        }
        basis = np.full(standing.gain.shape, "readings", object)
        if self.rows is not None:
            _, _, pairs, together, there = self.rows
            basis[there] = "rows"
            basis[there & together] = "pairs"
            only = [np.cumsum(one, axis=0) for one in (pairs.only_a, pairs.only_b, pairs.differ)]
            known = there & together
            numbers |= {"disagreement": np.where(known, only[2] / np.maximum(standing.n_b, 1.0), np.nan)}
            if self.about.unit == "share":
                named = {"only_a": only[0], "only_b": only[1], "mcnemar_p": mcnemar(only[0], only[1])}
                numbers |= {name: np.where(known, one, np.nan) for name, one in named.items()}
        told = [dict(zip(numbers, row, strict=True)) for row in zip(*(one[places].tolist() for one in numbers.values()), strict=True)]
        said = {key: one.written for key, one in (("a", self.monitor.baseline), ("b", self.monitor.other)) if one is not None}
        same = said | {"alpha": self.params.alpha / self.monitor.challengers, "margin": self.params.margin}
        return [
            {"basis": how, **same} | {name: _whole(name, one) for name, one in document.items() if np.isfinite(one)}
            for how, document in zip(basis[places].tolist(), told, strict=True)
        ]

    def _days(self) -> Floats:
        """How many days are left until there are the rows that are needed, at the rate of the last days: (windows, segments), NaN where that is not known."""
        rows, end = self.standing.n_b, self.history.end
        first = np.searchsorted(end, end - _RECENT, side="right")
        before = np.where(first[:, None] > 0, rows[np.maximum(first - 1, 0)], 0.0)
        span = (end - np.maximum(end - _RECENT, self.history.start[0])) / moment.DAY
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.maximum(self.bounds.needed - rows, 0.0) / ((rows - before) / span[:, None]))

    @cached_property
    def _both(self) -> tuple[Reads, Reads]:
        scope = replace(scope_of(self.of, self.reads.scope.model, self.reads.scope.segments), version=None)
        return self.reads_of(_part(scope, self.monitor.baseline)), self.reads_of(_part(scope, self.monitor.other))

    def _read(self, one: Monitor, history: Spans, which: int) -> _Side:
        """The readings of one side over windows."""
        reads = self._both[which]
        frames = [self.evaluate(one, chunk, reads) for chunk in plan.chunks(history, most(reads.scope, one.window))]
        return _Side(*(np.concatenate([getattr(frame, name)[:, 0] for frame in frames]) for name in _Side._fields))

    def _labelled(self, reads: Reads) -> Floats:
        """How many labelled rows a side has in each window."""
        return scores.labelled(reads, Extent.of(self.history), (self.history,))


def _part(scope: Scope, who: Baseline | None) -> Scope:
    """The scope of a version's rows, or of a role's."""
    if isinstance(who, Version):
        return replace(scope, version=who.version)
    if isinstance(who, Role):
        return replace(scope, role=who.role)
    raise ConfigError("a comparison has two sides", remedy="write `a` and `b`")


def _whole(name: str, value: float) -> float | int:
    """Counts as whole numbers."""
    return int(value) if name in ("rows_a", "rows_b", "needed", "only_a", "only_b") else value
