"""Counts the events of a list over time: in panes where they tell it exactly, else in raw events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.block import Ints
from core.contract import PREDICTION, SCORE, Column, Contract, Kind, Task
from core.document_name import OWNER
from core.event_query import EventCounts, EventQuery, Outside, Range, Texts, Values
from core.segment import ALL, grouping_of
from storage.facts.pane_counts import Of
from watchkeeper.reader.sources import Sources


class EventCountReader(Sources):
    """Counts events."""

    def event_counts(self, asked: EventQuery, step: int) -> EventCounts:
        """How many events are asked for, by slot of `step` microseconds: of panes if they tell; else of the events, estimated if there are too many. Raises ConfigError as `events` does."""
        contracts = self._versions(asked.model)
        found = self._in_panes(contracts, asked, step)
        return self._stores.events.list.counts(contracts, asked, step) if found is None else EventCounts(found)

    def _in_panes(self, contracts: Sequence[Contract], asked: EventQuery, step: int) -> dict[int, int] | None:
        """What panes count, by slot; None where they do not tell it, or not for certain."""
        contract = contracts[-1]
        low, high = asked.start, asked.end
        if low is None or high is None or any(time % contract.pane for time in (low, high, step)) or asked.as_of is not None:
            return None
        grouping = grouping_of(asked.segment)
        if grouping and grouping not in {*((one.name,) for one in contract.dimensions), *contract.crosses}:
            return None
        of, column = Of(asked.segment, step, asked.version, asked.role), asked.column if asked.values is not None else None
        if asked.label is not None:
            alike = asked.label != "wrong" or (contract.task is not Task.REGRESSION and len({one.task for one in contracts}) == 1)
            if column is not None or not alike or not self._whole(contract, low):
                return None
            found = self._by_label(contract, of, (low, high), asked.label)
        else:
            bins = () if column is None or asked.values is None else _bins(contracts, column, asked.values)
            if bins is None or not self._whole(contract, low):
                return None
            found = self._by_value(contract, of, (low, high), column, bins, outside=isinstance(asked.values, Outside))
        # Of a segment that panes do not have, raw events tell whether it can be.
        return found if found or asked.segment == ALL else None

    def _whole(self, contract: Contract, low: int) -> bool:
        """Whether panes from a time on hold all events: made under the contract, all of them, and with their raw events still there."""
        cursor = self._stores.control.cursor(OWNER + contract.model) or {}
        if (cursor.get("contract"), cursor.get("summary", 0)) != contract.evaluated_as or not cursor.get("rebuild", {}).get(
            "finished", True
        ):
            return False
        progress = self._stores.batches.progress(self._backend.clock.now(), [contract.model]).get(contract.model)
        return progress is not None and progress.frozen < low

    def _by_value(
        self, contract: Contract, of: Of, span: tuple[int, int], column: str | None, bins: Sequence[int], *, outside: bool
    ) -> dict[int, int] | None:
        """The events with a value of a column in some bins, or outside of its range; all events without a column."""
        counts = self._stores.pane_counts.inputs(contract, of, span, column or PREDICTION, bins)
        if column is None or not outside:
            return _by_slot(counts.start, counts.n if column is None else counts.inside)
        # Panes of earlier versions of the program do not tell what was outside.
        return _by_slot(counts.start, counts.outside) if np.array_equal(counts.n, counts.measured) else None

    def _by_label(self, contract: Contract, of: Of, span: tuple[int, int], label: str) -> dict[int, int] | None:
        """The events with a label, without one, or with a wrong prediction."""
        start, labelled, wrong = self._stores.pane_counts.labels(contract, of, span)
        if label != "unknown":
            return _by_slot(start, wrong if label == "wrong" else labelled)
        every, known = self._stores.pane_counts.inputs(contract, of, span), dict(zip(start.tolist(), labelled.tolist(), strict=True))
        left = np.array([n - known.get(at, 0) for at, n in zip(every.start.tolist(), every.n.tolist(), strict=True)], np.int64)
        return _by_slot(every.start, left) if (left >= 0).all() else None  # an event that came twice is just being found


def _by_slot(start: Ints, n: Ints) -> dict[int, int]:
    return {at: many for at, many in zip(start.tolist(), n.tolist(), strict=True) if many}


def _bins(contracts: Sequence[Contract], name: str, values: Values) -> Sequence[int] | None:
    """The bins that hold these values of a column and no others; none of them for what is out of range. None if there are no such bins, or a contract version keeps the column otherwise."""
    column = next((one for one in contracts[-1].summarised if one.name == name), None)
    if column is None or not all(_alike(column, one) for one in contracts):
        return None
    if isinstance(values, Outside):
        return () if column.numeric and column.range == (values.low, values.high) else None
    if isinstance(values, Range):
        return _between(column, values) if column.numeric else None
    if isinstance(values, Texts):
        return None if column.numeric else _of_texts(column, values)
    return (column.null if values == "null" else column.invalid,)


def _alike(column: Column, contract: Contract) -> bool:
    """Whether events that came under a contract version keep the column as the newest version has it, or not at all."""
    if column.name in (PREDICTION, SCORE) or column.name.startswith("@"):  # made again of what was sent, for each version
        return next((one for one in contract.summarised if one.name == column.name), None) == column
    before = next((one for one in contract.kept if one.name == column.name), None)
    return before is None or (before.kind == column.kind and column.kind is not Kind.VECTOR)


def _between(column: Column, values: Range) -> Sequence[int] | None:
    """The bins of numbers between two edges."""
    ends = [None if one is None else column.edges.index(one) for one in (values.low, values.high) if one is None or one in column.edges]
    if len(ends) < 2:
        return None
    low, high = ends
    return range(0 if low is None else low + 1, (len(column.edges) if high is None else high) + 1)


def _of_texts(column: Column, values: Texts) -> Sequence[int] | None:
    """The bin of a category, of the others that the reference has, or of all that it does not have."""
    if values.others:
        return (column.values + 1,) if values.texts == (*column.categories, *column.others) else None
    if len(values.texts) == 1 and values.texts[0] in column.categories:
        return (column.categories.index(values.texts[0]),)
    return (column.values,) if values.texts == column.others else None
