"""What a monitor watches: its columns and segments, and what is read of panes to evaluate it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import reduce
from math import prod
from operator import or_
from typing import Any

import msgspec
import numpy as np

from core.baseline.rows import Role, Version
from core.baseline.source import Source
from core.block import Ints
from core.contract import LABEL, PREDICTION, Column, Contract
from core.measure import Measure, Subject
from core.monitor import Monitor
from core.segment import ALL, Segments, grouping_of
from core.span import Flags, Spans
from core.window.kind import Window
from core.window.to_date import ToDate
from detectors import catalogue
from detectors.arrival import Age, Copies, Orphans, Rejects, Schema, Volume
from detectors.change.chart import ChartParams
from detectors.compare.difference import Compared, DifferenceParams
from detectors.evidence import ColumnDrift
from detectors.spec import AnySpec
from detectors.summary import multivariate
from detectors.summary.vector_column import Sums
from monitors.evaluation.automatic import automatic
from monitors.evaluation.maturity import FIELDS
from monitors.evaluation.pool import pool
from monitors.evidence.extent import Extent
from monitors.evidence.groups import crossed
from monitors.evidence.kind import KINDS
from monitors.evidence.reader import OfOwnColumns
from monitors.evidence.reads import PaneFields, Scope
from monitors.model import Model


class Touch(StrEnum):
    """What touches the slots whose windows are evaluated again: events that count and their labels; labels, at their own time; copies of events, too; rows of any kind, at the log's time."""

    EVENTS = "events"
    LABELS = "labels"
    COPIES = "copies"
    ARRIVALS = "arrivals"


_TOUCH = {Orphans: Touch.LABELS, Copies: Touch.COPIES, Rejects: Touch.ARRIVALS}
_CELLS = 2_000_000  # cells of a dense block; each thread has one block
_BEFORE = 7  # windows before each, whose evidence is held beside it
_SPARSE = 8_000_000  # bins with rows, of all columns, that are read at a time


def earlier(monitor: Monitor, windows: Spans) -> tuple[Spans, ...]:
    """The windows before each window on which its value depends, the next one first, and the spans that end with it: one set of spans for each."""
    if (spec := catalogue.known(monitor.measure)) is None:
        return ()
    params, found = msgspec.convert(monitor.params, spec.params), [windows]
    for _ in range(spec.earlier(params)):
        found += monitor.window.before(found[-1], 1)
    return (*found[1:], *(Spans(windows.end - length, windows.end) for length in spec.ending(params)))


def finer(parts: Sequence[slice], before: int) -> list[slice]:
    """Parts of windows that are evaluated at once, as fine as so many windows before each need: kinds of evidence cut them for `_BEFORE`."""
    if before <= _BEFORE:
        return list(parts)
    cut = [(part, max(1, (part.stop - part.start) * _BEFORE // before)) for part in parts]
    return [slice(at, min(at + size, part.stop)) for part, size in cut for at in range(part.start, part.stop, size)] or list(parts)


def wait(monitor: Monitor) -> int:
    """How long after its end a window of a monitor is evaluated, in microseconds."""
    return 0 if (found := _source(monitor)) is None else found[0].wait(found[1])


def touched_by(monitor: Monitor) -> Touch:
    """What changes the readings of a monitor."""
    return Touch.EVENTS if (found := _source(monitor)) is None else _TOUCH.get(found[0].evidence, Touch.EVENTS)


def slots_touching(monitor: Monitor, slots: Mapping[Touch, Ints]) -> Ints:
    """The touched slots that change readings of a monitor. Events also make windows exist, on which what is told of later ones may depend."""
    own = slots[touched_by(monitor)]
    return np.union1d(own, slots[Touch.EVENTS]) if sequential(monitor) or cumulates(monitor) else own


def _source(monitor: Monitor) -> tuple[AnySpec, Any] | None:
    """The measure, with its params, of whose evidence readings are made: of a chart or a comparison the one that it is `of`. None if it is not known."""
    measure, given = monitor.measure, monitor.params
    while (spec := catalogue.known(measure)) is not None:
        params: Any = msgspec.convert(given, spec.params)
        if isinstance(params, ChartParams | DifferenceParams):
            of = params.charted if isinstance(params, ChartParams) else params.compared
            measure, given = of.measure, of.params
        else:
            return spec, params
    return None


def carries(monitor: Monitor) -> bool:
    """Whether the value of a window without rows depends on the last event before it."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.evidence is Age


def cumulates(monitor: Monitor) -> bool:
    """Whether what is told of a window depends on all windows before it."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.evidence is Compared


def counts_from_first(monitor: Monitor) -> bool:
    """Whether the value of a window depends on when the first event came, since its baseline from the stream counts from there on."""
    spec = catalogue.known(monitor.measure)
    return spec is not None and spec.evidence is Volume and monitor.baseline is not None and monitor.baseline.source is Source.STREAM


def sequential(monitor: Monitor) -> bool:
    """Whether the value of a window depends on all that came before it."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.sequential


def in_background(monitor: Monitor) -> bool:
    """Whether the windows of a monitor are evaluated beside all others."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.background


def trains(monitor: Monitor) -> bool:
    """Whether trees are trained for a window of a monitor."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.trained


def extent(monitor: Monitor, windows: Spans) -> Extent:
    """The cells of event time that are read to evaluate a monitor over windows."""
    return Extent.of(windows.join(*pool(monitor, windows), *earlier(monitor, windows)))


def of_others(monitor: Monitor) -> Version | Role | None:
    """The baseline of a monitor, if it is of other rows of the same windows."""
    return monitor.baseline if isinstance(monitor.baseline, Version | Role) else None


def fields(monitor: Monitor, contract: Contract) -> PaneFields:
    """The fields of panes that a monitor reads."""
    read = of_columns(monitor) or monitor
    kind = KINDS[catalogue.spec(read.measure).reads(read.params)]
    always = FIELDS if catalogue.spec(monitor.measure).about.matures else PaneFields()
    return reduce(or_, (kind.fields(column) for column in columns_of(read, contract)), always)


def of_columns(monitor: Monitor) -> Monitor | None:
    """The monitor of all features from whose readings those of a measure of the whole model are made; None if they are made of panes."""
    if (spec := catalogue.known(monitor.measure)) is None or spec.evidence is not ColumnDrift:
        return None
    return msgspec.structs.replace(monitor, measure=ColumnDrift.measure, params={})


def read_columns(monitor: Monitor, contract: Contract) -> tuple[str, ...]:
    """The columns whose panes a monitor reads."""
    read = of_columns(monitor) or monitor
    if catalogue.spec(read.measure).about.subject.protected:
        return (PREDICTION,) if fields(read, contract).inputs else ()
    evidence = catalogue.spec(read.measure).evidence
    if evidence is Schema:
        return tuple(column.name for column in contract.features)
    if isinstance(kind := KINDS[evidence], OfOwnColumns):
        return kind.columns(contract)
    return tuple(name for name in columns_of(read, contract) if name not in ("", LABEL) or kind.fields(name).inputs)


def scope_of(monitor: Monitor, model: Model, segments: tuple[str, ...]) -> Scope:
    """The scope of a monitor alone, for some of its segments."""
    contract = model.contract
    columns, groupings = read_columns(monitor, contract), groupings_of(monitor, contract)
    return Scope(model, segments, groupings, columns, monitor.version, fields(monitor, contract))


def most(scope: Scope, window: Window | None = None) -> int:
    """How many windows are evaluated at a time, at least one: about so many that a dense block has `_CELLS` cells and that `_SPARSE` bins are read, groups that are compared among them.

    Windows to date begin together: those of one period are made of the bins that are read for the last of them, so that they are evaluated at a time.
    """
    contract = scope.model.contract
    together = multivariate.width(contract.multivariate) if contract.multivariate else 1
    widths = [column.bins for column in contract.summarised] or [1]
    read = [_width(contract.column(name)) if name else together for name in scope.columns] or [1]
    segments = max(1, len(scope.segments) + _others(scope))
    block = _CELLS // (max(*widths, *read) * segments)
    sparse = _SPARSE // (sum(read) * segments)
    period = -(-window.longest // window.step) if isinstance(window, ToDate) else 1
    return max(1, min(block, max(sparse, period)))


def _others(scope: Scope) -> int:
    """How many segments there can be in the groupings that are read beside those of the scope's segments: the groups of attributes, and these within segments."""
    own, dimensions = {grouping_of(segment) for segment in scope.segments}, Segments(scope.model.contract).dimensions
    others = {tuple(name.split("*")) for name in scope.groupings if name} - own
    return sum(prod(len(dimensions[name].texts) for name in other if name in dimensions) for other in others)


def _width(column: Column) -> int:
    """How many numbers a cell of a column's panes holds."""
    return column.bins if column.embedding is None else Sums.of(column.embedding).width


def columns_of(monitor: Monitor, contract: Contract) -> tuple[str, ...]:
    """The columns of a monitor that the contract has, or its attributes; ("",) for a measure of the whole model."""
    subject = catalogue.spec(monitor.measure).about.subject
    if subject.protected:
        known = _attributes(contract)
        return tuple(name for name in monitor.attributes or contract.protected if name in known) or ("",)
    if subject is not Subject.COLUMN:
        return ("",)
    there = {column.name for column in contract.own}
    return tuple(name for name in monitor.columns if name in there) or tuple(column.name for column in contract.features)


def missing(monitor: Monitor, contract: Contract) -> list[str]:
    """The columns that a monitor names and the contract does not have, for example after a new reference."""
    there = {column.name for column in contract.own}
    return [name for name in monitor.columns if name not in there] + [
        name for name in monitor.attributes if name not in _attributes(contract)
    ]


def _attributes(contract: Contract) -> tuple[str, ...]:
    """The attributes that a contract has: its dimensions and crosses."""
    return (*(one.name for one in contract.dimensions), *("*".join(cross) for cross in contract.crosses))


def groupings_of(monitor: Monitor, contract: Contract) -> tuple[str, ...]:
    """The groupings that a monitor reads, with "" for `all`, as panes name it: its segments, and for attributes their groups and those within the segments."""
    own = _own(monitor)
    if not catalogue.spec(monitor.measure).about.subject.protected:
        return own
    pairs = ((name, within) for name in columns_of(monitor, contract) for within in own)
    groups = (crossed(contract, *name.split("*"), *(within.split("*") if within else ())) for name, within in pairs)
    return tuple(dict.fromkeys((*own, *(name for name in groups if name))))


def _own(monitor: Monitor) -> tuple[str, ...]:
    return tuple(dict.fromkeys("" if name == "all" else name for name in ("all", *monitor.segments)))


def segments_of(monitor: Monitor, model: Model, found: Sequence[str]) -> tuple[str, ...]:
    """The segments of a monitor: all values of its groupings, or of its attributes if it has readings of groups, that are in the reference or in raw events."""
    every = {"all", *found, *(model.reference.segments if model.reference else ())}
    return tuple(sorted(filter(_fits(monitor, model), every)))


def possible(monitor: Monitor, model: Model, segment: str) -> bool:
    """Whether a monitor can have readings of a segment under the model's contract, whichever events come."""
    dimensions = Segments(model.contract).dimensions
    parts = [] if segment == ALL else [part.split("=", 1) for part in segment.split(",")]
    return _fits(monitor, model)(segment) and all(name in dimensions and value in dimensions[name].texts for name, value in parts)


def _fits(monitor: Monitor, model: Model) -> Callable[[str], bool]:
    """Whether a segment of the model is one of a monitor's."""
    groups = catalogue.spec(monitor.measure).about.subject is Subject.GROUP
    wanted = set(columns_of(monitor, model.contract)) if groups else set(_own(monitor))
    chosen = None if monitor.auto is None else {"all", *automatic(monitor.auto, model)}
    return lambda segment: "*".join(grouping_of(segment)) in wanted and (chosen is None or segment in chosen)


def places(monitor: Monitor, columns: tuple[str, ...], segments: tuple[str, ...]) -> Flags:
    """Which segments have readings of each column (columns, segments): all, but a group is one of its own attribute only."""
    if catalogue.spec(monitor.measure).about.subject is not Subject.GROUP:
        return np.ones((len(columns), len(segments)), np.bool_)
    return np.array([["*".join(grouping_of(segment)) == column for segment in segments] for column in columns], np.bool_)


def unsuited(about: Measure, contract: Contract, column: str) -> str | None:
    """Why a column cannot have a value of a measure, whatever its rows are."""
    if about.subject.protected and not column:
        return "the contract has none of the attributes"
    if about.subject is not Subject.COLUMN or contract.column(column).kind in about.kinds:
        return None
    return f"{about.name} is for {' and '.join(about.kinds)} columns"
