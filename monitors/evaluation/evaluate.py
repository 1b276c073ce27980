"""Computes the readings of monitors for many windows at once, from evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from core.baseline.source import Source
from core.block import Floats, Ints
from core.contract import Contract
from core.measure import Measure, Subject
from core.monitor import Monitor
from core.segment import grouping_of
from core.span import Spans
from detectors import catalogue
from detectors.evidence import Age, Orphans
from detectors.spec import AnySpec, Result
from monitors.evaluation.frame import NONE, Evidence, Frame, Part
from monitors.evaluation.verdict import judge
from monitors.evidence.extent import Extent
from monitors.evidence.history import History
from monitors.evidence.kind import KINDS
from monitors.evidence.reads import PaneFields, Reads, Scope
from monitors.model import Model
from monitors.ports import Contracts, Panes, Raw, Stream

_CELLS = 2_000_000  # cells of a dense block; each thread has one block
_PHI = np.ones(1)  # rows count as independent
_SPARSE = 8_000_000  # bins with rows, of all columns, that are read at a time

Block = Floats | Ints | npt.NDArray[np.object_]


@dataclass(frozen=True)
class _Asked:
    """What is the same for all columns of a monitor over some windows: the measure with its params, the pool of the baseline, and what is read."""

    spec: AnySpec
    params: Any
    pool: tuple[Spans, ...]
    referenced: bool  # whether the baseline is the reference
    extent: Extent


class Evaluate:
    """Computes readings. It reads panes and outcomes, and writes nothing."""

    def __init__(self, panes: Panes, raw: Raw, stream: Stream, contracts: Contracts) -> None:
        self._panes, self._history, self._stream = panes, History(raw, contracts), stream

    def reads(self, scope: Scope) -> Reads:
        """The reads that monitors of one scope share while they are evaluated over the same windows."""
        return Reads(self._panes, self._history, self._stream, scope)

    def __call__(self, monitor: Monitor, windows: Spans, reads: Reads) -> Frame:
        """The readings of these windows for all columns of the monitor and all segments of the scope."""
        spec, contract = catalogue.spec(monitor.measure), reads.scope.model.contract
        columns = columns_of(monitor, contract)
        asked = _Asked(
            spec=spec,
            params=msgspec.convert(monitor.params, spec.params),
            pool=pool(monitor, windows),
            referenced=monitor.baseline is not None and monitor.baseline.source is Source.REFERENCE,
            extent=extent(monitor, windows),
        )
        blocks, evidence = zip(*(_column(asked, name, windows, reads) for name in columns), strict=True)
        value, lower, upper, base, n, n_base, why, empty = (np.stack(arrays, axis=1) for arrays in zip(*blocks, strict=True))
        verdict, reason = judge(monitor, spec.about, value, base, n, n_base, why, empty)
        return Frame(
            monitor=monitor,
            contract=contract.version,
            windows=windows,
            columns=columns,
            segments=reads.scope.segments,
            value=value,
            lower=lower,
            upper=upper,
            baseline_value=base,
            n_target=n,
            n_baseline=n_base,
            n_effective=np.full(value.shape, np.nan),
            verdict=verdict,
            reason=reason,
            evidence=evidence,
        )


def pool(monitor: Monitor, windows: Spans) -> tuple[Spans, ...]:
    """The spans of the stream that are the baselines of windows: one set of spans for each part of the pool."""
    return monitor.baseline.spans(windows, monitor.window) if monitor.baseline else ()


def wait(monitor: Monitor) -> int:
    """How long after its end a window of a monitor is evaluated, in microseconds."""
    spec = catalogue.known(monitor.measure)
    return 0 if spec is None else spec.wait(msgspec.convert(monitor.params, spec.params))


def by_label(monitor: Monitor) -> bool:
    """Whether a monitor takes labels by their own time."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.evidence is Orphans


def carries(monitor: Monitor) -> bool:
    """Whether the value of a window without rows depends on the last event before it."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.evidence is Age


def extent(monitor: Monitor, windows: Spans) -> Extent:
    """The cells of event time that are read to evaluate a monitor over windows."""
    return Extent.of(windows.join(*pool(monitor, windows)))


def fields(monitor: Monitor, columns: Sequence[str]) -> PaneFields:
    """The fields of panes that a monitor reads for these columns."""
    kind = KINDS[catalogue.spec(monitor.measure).evidence]
    return reduce(or_, (kind.fields(column) for column in columns), PaneFields())


def most(scope: Scope) -> int:
    """How many windows are evaluated at a time."""
    widths = [column.bins for column in scope.model.contract.summarised] or [1]
    read = [scope.model.contract.column(name).bins for name in scope.columns] or [1]
    return max(1, min(_CELLS // (max(widths) * len(scope.segments)), _SPARSE // (sum(read) * len(scope.segments))))


def _column(asked: _Asked, column: str, windows: Spans, reads: Reads) -> tuple[tuple[Block, ...], tuple[Part, ...]]:
    """value, lower, upper, baseline_value, n_target, n_baseline, why there is no value and why there are no rows, each (windows, segments); and evidence."""
    cuts = KINDS[asked.spec.evidence].parts(reads, asked.extent, windows)
    parts, evidence = zip(*(_part(asked, column, windows, part, reads) for part in cuts), strict=True)
    arrays = tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return arrays, tuple((part.start, part.stop, one) for part, one in zip(cuts, evidence, strict=True))


def _part(asked: _Asked, column: str, windows: Spans, part: slice, reads: Reads) -> tuple[tuple[Block, ...], Evidence | None]:
    spec, kind = asked.spec, KINDS[asked.spec.evidence]
    sides = [side for side in ((windows,), asked.pool) if side]
    target, *pooled = kind.read(reads, asked.extent, column, [[spans.take(part) for spans in side] for side in sides])
    baseline = kind.reference(reads.scope, column) if asked.referenced else next(iter(pooled), None)
    shape = (len(windows.take(part)), len(reads.scope.segments))
    nothing = np.full(shape, np.nan)
    unsuited = _unsuited(spec.about, reads.scope.model.contract, column)
    result: Result = Result(nothing, np.full(shape, unsuited)) if unsuited else spec.compute(target, baseline, asked.params)
    base = nothing if unsuited or baseline is None or spec.about.compares else spec.compute(baseline, None, asked.params).value
    n_baseline = np.full(1, NONE) if baseline is None else baseline.n.astype(np.int64)
    lower, upper = (nothing, nothing) if result.interval is None else result.interval(_PHI)
    arrays = (
        result.value,
        *(np.where(np.isnan(result.value), np.nan, bound) for bound in (lower, upper)),
        base,
        target.n.astype(np.int64),
        n_baseline,
        np.array(spec.no_value, object) if result.why is None else np.where(result.why.astype(np.bool_), result.why, spec.no_value),
        np.asarray(target.empty, object),
    )
    return tuple(np.broadcast_to(array, shape) for array in arrays), result.evidence


def _unsuited(about: Measure, contract: Contract, column: str) -> str | None:
    """Why a column cannot have a value of a measure, whatever its rows are."""
    if about.subject is not Subject.COLUMN or contract.column(column).kind in about.kinds:
        return None
    return f"{about.name} is for {' and '.join(about.kinds)} columns"


def columns_of(monitor: Monitor, contract: Contract) -> tuple[str, ...]:
    """The columns of a monitor that the contract has; ("",) for a measure of the whole model."""
    if catalogue.spec(monitor.measure).about.subject is not Subject.COLUMN:
        return ("",)
    there = {column.name for column in contract.own}
    return tuple(name for name in monitor.columns if name in there) or tuple(column.name for column in contract.features)


def missing(monitor: Monitor, contract: Contract) -> list[str]:
    """The columns that a monitor names and the contract does not have, for example after a new reference."""
    there = {column.name for column in contract.own}
    return [name for name in monitor.columns if name not in there]


def groupings_of(monitor: Monitor) -> tuple[str, ...]:
    """The groupings of a monitor, with "" for `all`, as panes name it."""
    return tuple(dict.fromkeys("" if name == "all" else name for name in ("all", *monitor.segments)))


def segments_of(monitor: Monitor, model: Model, found: Sequence[str]) -> tuple[str, ...]:
    """The segments of a monitor: all values of its groupings that are in the reference or in raw events."""
    wanted = set(groupings_of(monitor))
    every = {"all", *found, *(model.reference.segments if model.reference else ())}
    return tuple(sorted(segment for segment in every if "*".join(grouping_of(segment)) in wanted))
