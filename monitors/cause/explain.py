"""Finds the causes of a measure's change in one window: first in panes, and in raw rows where panes do not hold the slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from core import text
from core.baseline.previous import Previous
from core.baseline.reference import Reference
from core.baseline.source import Source
from core.block import Floats
from core.cause import BinCause, CauseQuery, Causes, ColumnCause, SegmentCause, SplitCause
from core.contract import Contract, Task
from core.error import ConfigError
from core.measure import Family, Measure
from core.monitor import Monitor
from core.segment import ALL
from core.span import Spans
from detectors import catalogue
from detectors.cause import harm
from detectors.cause.columns import ColumnCause as ColumnFound
from detectors.cause.columns import columns
from detectors.cause.rows import Axis, Rows, axes, parsed
from detectors.cause.sentence import sentence
from detectors.cause.slices import Parts, Slice, slices
from detectors.cause.split import split
from detectors.cause.way import Way
from detectors.evidence import Counts
from detectors.groups import groups
from detectors.summary.bins import bins
from detectors.summary.inputs import values_of
from detectors.summary.loss import LOSSES, LossRows
from monitors.cause import gap, panes, service, sides
from monitors.cause.sides import Side
from monitors.cause.values import Value, Values, values
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.pool import pool
from monitors.evaluation.watched import of_others
from monitors.model import Model

SEGMENTS, COLUMNS, EXAMPLES = 20, 20, 10
_UNSPLIT = SplitCause()


@dataclass(frozen=True)
class _Found:
    """The rows of both sides as a measure counts them, and how their harm becomes the measure; how many rows of the target were read to find those that count."""

    target: Rows
    baseline: Rows
    way: Way
    ids: np.ndarray[Any, np.dtype[np.object_]]  # of the rows that were read of the target
    read: int
    apart: Floats  # of the same rows, how far their scores are from the truth; NaN where that is not known


def explain(evaluate: Evaluate, monitor: Monitor, model: Model, found: list[str], asked: CauseQuery) -> Causes:
    """The causes of the change of a monitor's measure, of its first column, in the window that is asked for. `found` are the segments in panes. Raises ConfigError or Retryable."""
    contract, about = model.contract, catalogue.spec(monitor.measure).about.directed(monitor.params)
    if about.family in (Family.CHANGE, Family.COMPARE):
        raise ConfigError(f"`{monitor.measure}` is of another measure", remedy="ask for the causes of the measure that it is of")
    every, parts = _slice_of(model, asked)
    monitor = _compared(monitor, model)
    asked = msgspec.structs.replace(asked, baseline=None if monitor.baseline is None else monitor.baseline.written)
    held = values(evaluate, monitor, model, found, (asked.start, asked.end))
    labels = about.matures or asked.column == "@label"
    target, baseline = _sides(monitor, held, (asked.start, asked.end), labels=labels)
    seen = (
        None
        if target is None or baseline is None or about.of_stream
        else _rows(about, monitor, contract, held, every, (target, baseline), parts)
    )
    known = panes.Segments(about, every, held.by_segment, parts)
    own = known.whole or _value_of(seen)
    if seen is None or not len(seen.target) or not len(seen.baseline):
        return _causes(asked, about, own, 0, known.ranked())
    change = _change(about, seen, own)
    grown = float(seen.target.harm.mean() - seen.baseline.harm.mean())
    scale = change / grown if change * grown > 0 else 1.0
    own_column = frozenset({asked.column} if asked.column and about.family is not Family.PERFORMANCE else ())
    inside = frozenset(every[axis].name for axis, _ in parts)
    listed = slices(every, seen.target, seen.baseline, seen.way, left=own_column | inside, known=lambda one: known.of(one, seen.way))
    shown = columns(every, seen.target, seen.baseline, 1 / grown if seen.way.shared and grown else scale)
    shown = [one for one in sorted(shown, key=lambda one: one.column not in own_column) if one.column not in inside]
    parted = split(seen.target, seen.baseline) if about.family is Family.PERFORMANCE else None
    cut = _UNSPLIT if parted is None else SplitCause(**vars(parted.scaled(scale)))
    told = tuple(map(_told, shown[:COLUMNS]))
    moved = _moved(every, told[0]) if told and told[0].column in own_column and about.family is Family.DRIFT else None
    worst = _examples(seen, listed[0].parts if listed and moved is None else moved or ())
    return _causes(asked, about, own, seen.read, listed, told, cut, worst, change)


def _slice_of(model: Model, asked: CauseQuery) -> tuple[tuple[Axis, ...], Parts]:
    """The axes of a model, and the slice that is asked for. Raises ConfigError."""
    contract, held = model.contract, model.reference
    counts = {} if held is None else {one.name: held.counts(one.name).get(ALL, np.zeros(one.bins)) for one in contract.columns}
    every = axes(contract, counts)
    parts = () if asked.segment == ALL else parsed(asked.segment, every)
    if parts is None:
        raise ConfigError(
            f"`segment`: {asked.segment[:80]!r} is no slice of `{contract.model}`",
            remedy="use all, or values of its columns, such as carrier=UA",
        )
    return every, parts


def _compared(monitor: Monitor, model: Model) -> Monitor:
    """The monitor with a baseline: the reference, or the window before, for one that has none."""
    if monitor.baseline is not None or catalogue.spec(monitor.measure).about.of_stream:
        return monitor
    live = model.reference is None or monitor.measure.startswith(f"{Family.SERVICE}.")  # a reference does not tell how a model serves
    return msgspec.structs.replace(monitor, baseline=Previous(1) if live else Reference())


def _causes(
    asked: CauseQuery,
    about: Measure,
    own: Value,
    rows: int,
    listed: Sequence[Slice],
    told: tuple[ColumnCause, ...] = (),
    cut: SplitCause = _UNSPLIT,
    examples: tuple[str, ...] = (),
    change: float = 0.0,
) -> Causes:
    segments = tuple(
        SegmentCause(one.name, one.share, one.value, one.baseline, one.n, one.contribution, one.p) for one in listed[:SEGMENTS]
    )
    return Causes(
        asked=asked,
        sentence=sentence(about, own.value, own.baseline, change, segments, told, cut),
        value=own.value,
        baseline_value=own.baseline,
        n=own.n,
        n_baseline=own.n_baseline,
        rows=rows,
        segments=segments,
        columns=told,
        split=cut,
        examples=examples,
    )


def _told(one: ColumnFound) -> ColumnCause:
    bins = tuple(BinCause(**vars(each)) for each in one.bins)
    return ColumnCause(one.column, one.contribution, one.psi, one.missing, one.missing_before, bins)


def _moved(every: Sequence[Axis], one: ColumnCause) -> Parts | None:
    """The bin of a column to which most of its rows have moved, as axis and code; None if there is none."""
    if one.grown is None:
        return None
    place = next(place for place, axis in enumerate(every) if axis.name == one.column)
    names = [text.unquote(name) if every[place].group is not None else name for name in every[place].values]
    return ((place, names.index(one.grown.bin)),)


def _change(about: Measure, seen: _Found, own: Value) -> float:
    """How much worse the measure is, by panes where these have both sides."""
    if seen.way.shared or own.value is None or own.baseline is None:
        return seen.way.change(seen.target, seen.baseline)
    return float(about.worse(own.value, own.baseline, against=True))


def _value_of(seen: _Found | None) -> Value:
    """The measure of rows, of a slice that panes do not hold."""
    if seen is None or not len(seen.target):
        return Value(None, None, 0, None)
    if seen.way.of_slice is not None:
        found = seen.way.of_slice(*(np.ones(len(side), np.bool_) for side in (seen.target, seen.baseline)))
    else:
        exact = [side if seen.way.exact and len(side) else None for side in (seen.target, seen.baseline)]
        found = tuple(np.nan if side is None else float(seen.way.value(np.array(side.harm.mean()))) for side in exact)  # type: ignore[assignment]
    value, baseline = (None if np.isnan(one) else one for one in found)
    return Value(value, baseline, seen.target.of, len(seen.baseline))


def _examples(seen: _Found, parts: Parts) -> tuple[str, ...]:
    """The worst rows of a slice, for drift those that add most; of rows that are equally bad those whose scores are furthest from the truth."""
    at = np.flatnonzero(seen.target.within(parts))
    worst = at[np.lexsort((-seen.apart[seen.target.place[at]], -seen.target.harm[at]))[:EXAMPLES]]
    return tuple(seen.ids[seen.target.place[worst]].tolist())


def _sides(monitor: Monitor, held: Values, span: tuple[int, int], *, labels: bool) -> tuple[Side | None, Side | None]:
    """The rows of the window and of its baseline."""
    windows = Spans.of([span])
    target = sides.of_spans(held.reads, (windows,), labels=labels)
    if monitor.baseline is None or monitor.baseline.source is Source.REFERENCE:
        return target, sides.of_reference(held.reads, labels=labels)
    others = of_others(monitor)
    pooled = [part for part in pool(monitor, windows) if (part.end > part.start).any()]
    return target, sides.of_spans(held.reads if others is None else held.reads.of(others), pooled, labels=labels) if pooled else None


def _rows(
    about: Measure, monitor: Monitor, contract: Contract, held: Values, every: Sequence[Axis], both: tuple[Side, Side], parts: Parts
) -> _Found | None:
    """The rows of a segment as the measure counts them."""
    codes, read = [side.codes(every) for side in both], _count(about, both[0])
    if parts:
        inside = [np.logical_and.reduce([one[axis] == code for axis, code in parts]) for one in codes]
        codes = [one[:, where] for one, where in zip(codes, inside, strict=True)]
        both = (both[0].take(inside[0]), both[1].take(inside[1]))
    bad, way = _harm(about, monitor, contract, held, both)
    if way is None:
        return None
    window = held.by_segment[ALL].n if ALL in held.by_segment else 0
    rows = [Rows.counted(one, each, len(each)) for one, each in zip(codes, bad, strict=True)]
    if not parts and window > len(rows[0]):
        rows[0] = replace(rows[0], of=window)
    elif parts and window > read > 0:  # they were drawn, so those of a slice stand for more, too
        rows[0] = replace(rows[0], of=round(len(rows[0]) * window / read))
    return _Found(rows[0], rows[1], way, both[0].block.id, _count(about, both[0]), _apart(about, contract, both[0]))


def _apart(about: Measure, contract: Contract, side: Side) -> Floats:
    """How far the score of each row is from its truth, NaN for numbers and where the measure has no labels."""
    if not about.matures or contract.task is Task.REGRESSION:
        return np.full(len(side), np.nan)
    return side.spread(LOSSES["quadratic"].of(LossRows(contract, side.outcomes)))


def _count(about: Measure, side: Side) -> int:
    """How many rows of a side were read, of those that the measure asks for."""
    return len(side.labelled if about.matures else side)


def _harm(about: Measure, monitor: Monitor, contract: Contract, held: Values, both: tuple[Side, Side]) -> tuple[list[Floats], Way | None]:
    """The harm of the rows of either side, and how it becomes the measure; no way for measures that are not of rows."""
    params: Mapping[str, Any] = monitor.params
    match about.family:
        case Family.FAIRNESS:
            return _of_gap(about, monitor, contract, held, both)
        case Family.DRIFT | Family.QUALITY:
            return _of_columns(about, monitor, contract, both)
        case Family.SERVICE:
            target, baseline = (values_of(contract, side.block) for side in both)
            return service.harm(about.name, target, baseline)
        case _ if not about.matures:
            return [], None
    found = [side.spread(harm.of_outcomes(about, params, contract, side.outcomes)) for side in both]
    mean = float(np.nanmean(found[0])) if np.isfinite(found[0]).any() else 0.0
    if about.signed and mean < 0:
        found = [-one for one in found]
    return found, harm.way(about, params, contract, mean)


def _of_columns(about: Measure, monitor: Monitor, contract: Contract, both: tuple[Side, Side]) -> tuple[list[Floats], Way | None]:
    """Of one column, or of all features together for drift of the whole model."""
    held = [values_of(contract, side.block) | {"@label": side.label} for side in both]
    names = monitor.columns or tuple(column.name for column in contract.features)
    found = [np.zeros(len(side)) for side in both]
    center, some = 0.0, False
    for column in (contract.column(name) for name in names if name in held[0]):
        codes = [bins(column, one[column.name]) for one in held]
        grouped = groups(column, np.bincount(codes[1], minlength=column.bins).astype(np.float64))
        if (each := harm.of_bins(about, column, codes[0], codes[1], grouped)) is not None:
            found, center, some = [found[0] + each[0], found[1] + each[1]], center + each[2], True
    if not some:
        return [], None
    measure = catalogue.spec(monitor.measure)
    counted = about.family is Family.QUALITY
    of_slice = None
    if len(names) == 1 and not counted and measure.reads(monitor.params) is Counts:
        column = contract.column(names[0])
        codes = [bins(column, one[column.name]) for one in held]
        grouped = groups(column, np.bincount(codes[1], minlength=column.bins).astype(np.float64))
        params = msgspec.convert(monitor.params, measure.params)

        def of_slice(own: np.ndarray[Any, np.dtype[np.bool_]], before: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[float, float]:
            sums = [
                Counts(np.bincount(one[where], minlength=column.bins).astype(np.float64), column, grouped)
                for one, where in zip(codes, (own, before), strict=True)
            ]
            return float(measure.compute(sums[0], sums[1], params).value), np.nan

    return found, Way(shared=True, exact=counted, center=center, of_slice=of_slice)


def _of_gap(about: Measure, monitor: Monitor, contract: Contract, held: Values, both: tuple[Side, Side]) -> tuple[list[Floats], Way | None]:
    """Of the two groups that make the gap in the window."""
    pair = held.evidence.get("pair")
    codes = [side.codes(every := axes(contract, {})) for side in both]
    ends = [parsed(one, every) for one in pair or ()]
    if len(ends) != 2 or None in ends:
        return [], None
    rate, positive = gap.rate_of(about.name, held.evidence.get("rate")), str(monitor.params.get("positive") or contract.positive)
    figures = [gap.figures(contract, side, rate, positive) for side in both]
    masks = [[np.logical_and.reduce([one[axis] == code for axis, code in end or ()]) for end in ends] for one in codes]
    found = [gap.harm(figure, high, low) for figure, (high, low) in zip(figures, masks, strict=True)]
    inside = [
        gap.between(figure[counted], high[counted], low[counted])
        for figure, (high, low) in zip(figures, masks, strict=True)
        if (counted := ~np.isnan(figure)) is not None
    ]
    return found, Way(shared=True, exact=False, of_slice=lambda own, before: (inside[0](own), inside[1](before)))
