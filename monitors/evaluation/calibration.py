"""Calibrates a monitor: how much its statistics vary between windows of the reference, in which nothing moved.

The reference is cut into the monitor's own windows. Each is compared with the reference without itself and its neighbours. The result depends on the contract and
on the monitor's definition alone, so every process that makes it makes the same. If the reference has too few windows, or no times, the first windows of the
stream take its place once they have closed; then the result depends on their events, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
from operator import or_

import msgspec
import numpy as np

from core.block import Ints
from core.error import Retryable
from core.moment import DAY
from core.monitor import Monitor
from core.segment import ALL
from core.span import Flags, Spans
from detectors import catalogue
from detectors.budget import Allowance, Allowed, allowance
from detectors.dispersion import ENOUGH, Dispersion, dispersion, dispersion_of_others, p_value
from detectors.evidence import Counts
from detectors.spec import Law
from detectors.unseen import as_new
from monitors.evaluation.plan import chunks
from monitors.evaluation.watched import columns_of, fields, groupings_of, most, read_columns, segments_of, unsuited
from monitors.evidence.extent import Extent
from monitors.evidence.kind import KINDS
from monitors.evidence.reader import reference_of
from monitors.evidence.reads import Reads, Scope
from monitors.model import Model
from monitors.ports import Panes
from monitors.reference.facts import NOT_STORED, UNTIMED
from monitors.reference.window import neighbourhood, windows_of

EARLY = 14  # windows of the stream that a monitor is calibrated on if its reference has too few
_LONG = 30 * DAY  # a reference of this length is long enough to leave a week out on either side of a window
_EVER = (-(1 << 62), 1 << 62)
_PERIODS = 3  # of a budget, which a reference must hold

ReadsOf = Callable[[Scope, int], Reads]
"""The reads of a scope over so many windows."""


@dataclass(frozen=True)
class Calibration:
    """What the windows of the reference, or the first of the stream, tell of a monitor's statistics: their `dispersion`, (columns, segments). `all` is among the
    segments.

    `allowance` is what a budget allows in blocks of `block` microseconds, None without one. `brief`: they span less than three periods of the budget.
    """

    columns: tuple[str, ...]
    segments: tuple[str, ...]
    dispersion: Dispersion
    allowance: Allowance | None = None
    block: int = DAY
    brief: bool = False

    def of(self, column: str, segments: tuple[str, ...]) -> Dispersion:
        """The dispersion of a column: (segments,). A segment with too few windows of its own has that of `all`."""
        own = [self._places.get(segment, self._places[ALL]) for segment in segments]
        at = self.columns.index(column)
        return Dispersion._make(field[at, own] for field in self._filled)

    def with_fallback(self, own: Dispersion) -> Dispersion:
        """Dispersions (..., columns, segments), with that of `all` for segments with too few windows."""
        place = self._places[ALL]
        enough = self.dispersion.windows >= ENOUGH
        return Dispersion(*(np.where(enough, field, field[..., place : place + 1]) for field in own))

    @property
    def windows(self) -> int:
        """How many windows were compared: those with enough rows of `all`, in the column that has most."""
        return int(self.dispersion.windows[:, self._places[ALL]].max())

    @property
    def provisional(self) -> bool:
        """Whether there were too few windows to rely on."""
        return self.windows < ENOUGH or self.brief

    def equals(self, other: Calibration) -> bool:
        """Whether both judge alike."""
        same = (self.columns, self.segments, self.allowance, self.block, self.brief) == (
            other.columns, other.segments, other.allowance, other.block, other.brief,
        )  # fmt: skip
        return same and all(np.array_equal(*pair, equal_nan=True) for pair in zip(self.dispersion, other.dispersion, strict=True))

    @cached_property
    def _filled(self) -> Dispersion:
        return self.with_fallback(self.dispersion)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {segment: place for place, segment in enumerate(self.segments)}


def calibrate(monitors: Sequence[Monitor], model: Model, slots: Ints, reads: ReadsOf) -> Iterator[tuple[Monitor, Calibration]]:
    """The calibrations of monitors on the reference, which has rows in these slots, one after the other. Monitors of the same segments share what is read. Raises Retryable."""
    reference = replace(model, contract=model.contract.of_reference)
    scopes = [_scope(monitor, reference, (), None) for monitor in monitors]
    alike = dict[tuple[object, ...], list[tuple[Monitor, Scope]]]()
    for pair in zip(monitors, scopes, strict=True):
        alike.setdefault((pair[1].segments, pair[1].groupings), []).append(pair)
    for group in alike.values():
        columns = tuple(dict.fromkeys(name for _, scope in group for name in scope.columns))
        wide = replace(group[0][1], columns=columns, fields=reduce(or_, (scope.fields for _, scope in group)))
        bases = [_basis_of_reference(monitor, slots, model.contract.pane) for monitor, _ in group]
        shared, fitting = reads(wide, max(basis.many for basis in bases)), most(wide)
        for (monitor, scope), basis in zip(group, bases, strict=True):
            together = basis.many <= fitting  # else their cells are read some at a time
            yield monitor, _calibrated(monitor, basis, scope, partial(_shared, shared) if together else reads)


def recalibrate(monitor: Monitor, model: Model, segments: Sequence[str], reads: ReadsOf, early: Spans) -> Calibration:
    """The calibration of a monitor on `early` windows of its own stream, which has these segments, each against the others: for a monitor whose reference has too few windows."""
    first, last = int(early.start[0]), int(early.end[-1])
    basis = _Basis(early, np.ones(len(early), np.bool_), last - first, (first, last))
    return _calibrated(monitor, basis, _scope(monitor, model, segments, monitor.version), reads)


def early_windows(windows: Spans, slots: Ints, rows: Ints, least: int) -> Spans | None:
    """The first `EARLY` disjoint windows with at least so many of the `rows` in these slots, without one that begins before the first row; None if there are fewer."""
    if not len(slots):
        return None
    before = np.concatenate([[0], np.cumsum(rows)])
    held = before[np.searchsorted(slots, windows.end)] - before[np.searchsorted(slots, windows.start)]
    full = windows.take((held >= least) & (windows.start >= slots[0]))
    kept, until = list[int](), -1
    for place in np.lexsort((full.start, full.end)).tolist():
        if not kept or full.start[place] >= until:
            kept.append(place)
            until = int(full.end[place])
        if len(kept) == EARLY:
            return full.take(np.array(kept))
    return None


@dataclass(frozen=True)
class _Basis:
    """What a monitor is calibrated on: disjoint `windows`, and which of them are compared; the `length` of all; the `span` that holds them, None for the reference."""

    windows: Spans
    compared: Flags
    length: int
    span: tuple[int, int] | None

    @property
    def many(self) -> int:
        """How many windows are compared."""
        return int(self.compared.sum())

    def week_around(self, windows: Spans) -> Spans:
        """The span of each window together with the week before it and the week after it."""
        first, last = self.span or _EVER
        return Spans(np.maximum(windows.start - 7 * DAY, first), np.minimum(windows.end + 7 * DAY, last))


def _shared(reads: Reads, _: Scope, _windows: int) -> Reads:
    return reads


def _basis_of_reference(monitor: Monitor, slots: Ints, pane: int) -> _Basis:
    windows, whole = windows_of(monitor.window, slots, pane)
    return _Basis(windows, whole, int(slots[-1]) + pane - int(slots[0]) if len(slots) else 0, None)


def _scope(monitor: Monitor, model: Model, found: Sequence[str], version: str | None) -> Scope:
    columns, read = read_columns(monitor, model.contract), fields(monitor, model.contract)
    return Scope(model, segments_of(monitor, model, found), groupings_of(monitor, model.contract), columns, version, read)


def _calibrated(monitor: Monitor, basis: _Basis, scope: Scope, reads: ReadsOf) -> Calibration:
    columns, segments = columns_of(monitor, scope.model.contract), scope.segments
    targets = basis.windows.take(basis.compared)

    def laws(around: Callable[[Spans], Spans]) -> Law:
        """The laws of the compared windows, each against the rows that are not around it: (windows, columns, segments)."""
        found = [
            _laws(monitor, reads(scope, len(targets)), columns, chunk, around(chunk), basis.span) for chunk in chunks(targets, most(scope))
        ]
        none = np.zeros((0, len(columns), len(segments)))
        return Law(*(np.concatenate([none, *parts]) for parts in zip(*found, strict=True))) if found else Law(none, none, none)

    near = laws(lambda chunk: neighbourhood(basis.windows, basis.windows.find(chunk)))
    found = Calibration(columns, segments, dispersion(near.statistic))
    if monitor.allowed is None:
        return found
    away = laws(basis.week_around) if basis.length >= _LONG else near
    p = p_value(away, found.with_fallback(dispersion_of_others(near.statistic)))
    window = monitor.window
    block = max(DAY, window.step)  # windows of a day or longer are blocks of their own
    blocks = targets.start // block if window.step < DAY else np.arange(len(targets))
    budget = Allowed(monitor.allowed.windows, monitor.allowed.period, block, block // window.step)
    found_p = allowance(p.reshape(len(p), len(columns) * len(segments)), blocks, budget, monitor.persist)
    return replace(found, allowance=found_p, block=block, brief=basis.length < _PERIODS * monitor.allowed.written_period)


def _laws(monitor: Monitor, reads: Reads, columns: tuple[str, ...], windows: Spans, around: Spans, span: tuple[int, int] | None) -> Law:
    """The law of each window against the rows in `span` (None: the reference) that are not around it, NaN where a side has too few: (windows, columns, segments)."""
    spec = catalogue.spec(monitor.measure)
    kind, params = KINDS[spec.evidence], msgspec.convert(monitor.params, spec.params)
    sides = [windows, around] + ([] if span is None else [Spans(*(np.full(len(windows), end) for end in span))])
    extent = Extent.of(windows.join(*sides[1:]))
    nothing = np.full((len(windows), len(reads.scope.segments)), np.nan)
    found = []
    for column in columns:
        if unsuited(spec.about, reads.scope.model.contract, column):
            found.append(Law(nothing, nothing, nothing))
            continue
        target, near, *whole = kind.read(reads, extent, column, [[side] for side in sides])
        rest = (whole[0] if whole else reference_of(kind, reads, column)).without(near)
        if isinstance(target, Counts):
            target, rest = as_new(target, rest, reads.scope.segments.index(ALL))
        law = spec.compute(target, rest, params).law or Law(nothing, nothing, nothing)
        few = np.minimum(target.n, rest.n) < max(monitor.min_samples, 1)
        found.append(Law(*(np.where(few, np.nan, np.broadcast_to(part, few.shape)) for part in law)))
    return Law(*(np.stack(parts, axis=1) for parts in zip(*found, strict=True)))


def slots_of_reference(model: Model, panes: Panes) -> Ints:
    """The slots of the reference's rows that have a time. Raises Retryable while they are not in the fact store."""
    if model.reference is None:
        return np.zeros(0, np.int64)
    slots, _ = panes.slots(model.contract.of_reference)
    if not len(slots) and model.contract.facts:
        raise Retryable(NOT_STORED)
    return np.asarray(slots[slots != UNTIMED])
