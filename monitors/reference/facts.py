"""The reference in the fact store: its panes by slot, and a sample of its rows.

They are kept as those of a model of its own, whose name no model can be given (`Contract.of_reference`). So all code that reads panes, events and outcomes
reads them too. That model has no owner, monitors, windows or readings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Categories, Ints, Labels, Outcomes, Predictions
from core.contract import Contract
from core.pane import slot_of
from core.segment import Segments
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.ports import Ranges
from monitors.reference import arrow
from monitors.reference.layout import layout
from monitors.reference.option import Options
from monitors.reference.rows import classes_of, outcomes_of, predictions_of, there

NOT_STORED = "the rows of the reference are not in the fact store; if this stays, give the same reference again"
KEPT = 50_000  # rows of the sample
UNTIMED = moment.EARLIEST // moment.DAY * moment.DAY  # the slot of rows without a time
_ROWS = 200_000  # rows that are summarised at a time
_NUMBERS = 16_000_000  # of vectors, that are written at a time
_NOWHERE = (1 << 32) - 1  # a partition that no log has: ingest takes rows at positions of its own partitions as already written
# Retention counts from when the log took an event, in a type that ends in 2106. The reference was never in a log, and must stay.
_FOREVER = moment.parse("2060-01-01T00:00:00Z")


class Facts(Protocol):
    """Writes facts."""

    def predictions(self, blocks: Sequence[tuple[Contract, Predictions]], partition: int, token: str | None) -> None:
        """Raw events."""
        ...

    def labels(self, blocks: Mapping[str, Labels], partition: int, token: str | None) -> None:
        """Raw labels."""
        ...

    def panes(self, summaries: Sequence[tuple[Contract, pa.Table]], token: str | None, generation: int = 0) -> None:
        """Input panes."""
        ...

    def performance_panes(self, contract: Contract, table: pa.Table, generation: int) -> None:
        """Performance panes."""
        ...

    def rebuilt(self, contract: Contract, slots: Sequence[int], generation: int) -> None:
        """From now on these slots' panes are those of `generation`."""
        ...


class OutcomeStore(Protocol):
    """Joins predictions with labels."""

    def join(self, model: str, predictions: Ranges, labels: Ranges, generation: int) -> None:
        """Join the events at these positions."""
        ...


def write_reference(facts: Facts, store: OutcomeStore, contract: Contract, table: pa.Table, options: Options, generation: int) -> None:
    """Write the panes and the sample of the reference that a contract was derived from. They replace those of a lower generation once all is written.

    `table` is the file, `options` are those that it was given with. If it is interrupted, it can be done again.
    """
    kept = contract.of_reference
    block, outcomes, table = _rows(kept, table, options)
    chosen = np.sort(np.argsort(_hashes(len(block)), kind="stable")[:KEPT])
    events = _sample(block, chosen)
    for rows in _pieces(events):
        facts.predictions([(kept, events.take(rows))], _NOWHERE, None)
    facts.labels({kept.model: _labels(table, kept, events, chosen)}, _NOWHERE, None)
    every = {_NOWHERE: (0, len(block))}
    store.join(kept.model, every, every, generation)
    _write_panes(facts, kept, block, outcomes, generation)


def write_panes_again(facts: Facts, contract: Contract, table: pa.Table, options: Options, generation: int) -> None:
    """Write the panes of a reference whose rows are kept already; they replace those of a lower generation."""
    kept = contract.of_reference
    block, outcomes, _ = _rows(kept, table, options)
    _write_panes(facts, kept, block, outcomes, generation)


def _write_panes(facts: Facts, kept: Contract, block: Predictions, outcomes: Outcomes, generation: int) -> None:
    segments = Segments(kept)
    for rows in _portions(outcomes.ts, kept.pane):
        facts.performance_panes(kept, PerformanceSummary.of(kept, segments, outcomes.take(rows)).to_columns(), generation)
    for rows in _portions(block.ts, kept.pane):
        facts.panes([(kept, InputSummary.of(kept, segments, block.take(rows)).to_columns())], None, generation)
    facts.rebuilt(kept, np.unique(slot_of(block.ts, kept.pane)).tolist(), generation)


def _rows(contract: Contract, table: pa.Table, options: Options) -> tuple[Predictions, Outcomes, pa.Table]:
    """All rows, the labelled ones, and the file as it is read; rows without a time are at `UNTIMED`."""
    table = arrow.read_table(table, layout(table, options).uses)
    name, rows = contract.roles.ts, pa.array(np.full(table.num_rows, UNTIMED))
    held = table[name].cast(pa.int64()).fill_null(UNTIMED) if name in table.column_names else rows
    index = table.schema.get_field_index(name)
    table = table.append_column(name, held) if index < 0 else table.set_column(index, name, held)
    return predictions_of(table, contract), outcomes_of(table, contract), table


def _sample(block: Predictions, rows: Ints) -> Predictions:
    """The chosen rows; each is identified by its position in the file, since ids may be missing or come twice."""
    taken = block.take(rows)
    return replace(taken, id=np.array([str(row) for row in rows], np.object_), position=rows, logged=np.full(len(rows), _FOREVER))


def _pieces(events: Predictions) -> list[Ints]:
    """The rows in pieces whose vectors fit into memory again."""
    size = max(1, _NUMBERS // max(1, sum(vectors.shape[1] for vectors in events.vectors)))
    return [np.arange(low, min(low + size, len(events))) for low in range(0, len(events), size)]


def _labels(table: pa.Table, contract: Contract, events: Predictions, rows: Ints) -> Labels:
    """The labels of the chosen rows that have one, and a prediction."""
    values = classes_of(table, contract.roles.label, contract)
    label = values.take(rows) if isinstance(values, Categories) else values[rows]
    return Labels(
        id=events.id,
        ts=events.ts,
        text=np.asarray(label.texts, np.object_)[label.codes] if isinstance(label, Categories) else np.full(len(rows), "", np.object_),
        number=np.full(len(rows), np.nan) if isinstance(label, Categories) else label,
        weight=np.ones(len(rows)),
        deleted=np.zeros(len(rows), np.bool_),
        prediction_ts=events.ts,
        position=events.position,
        row=events.row,
        logged=events.logged,
    ).take(np.flatnonzero(there(label) & there(events.prediction)))


def _hashes(rows: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """A hash of each position (splitmix64; Steele, Lea and Flood, 2014)."""
    with np.errstate(over="ignore"):
        found = (np.arange(rows, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            found = (found ^ (found >> np.uint64(shift))) * np.uint64(factor)
        return found ^ (found >> np.uint64(31))


def _portions(ts: Ints, pane: int) -> Iterator[Ints]:
    """Rows of whole slots, about `_ROWS` together."""
    order = np.argsort(ts, kind="stable")
    slots = slot_of(ts[order], pane)
    first = np.flatnonzero(np.diff(slots, prepend=slots[:1] - 1)) if len(slots) else slots
    cuts = first[np.flatnonzero(np.diff(first // _ROWS)) + 1]
    yield from (part for part in np.split(order, cuts) if len(part))
