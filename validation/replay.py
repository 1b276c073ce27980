"""A public data set as a model in memory: its reference as `watchkeeper reference` takes it, its production as panes and outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.block import Ints, Outcomes, Predictions
from core.contract import Contract, Task
from core.monitor import Monitor
from core.pane import cell_of, slot_of
from core.reading import Reading
from core.segment import ALL, Segments
from detectors.summary import inputs, performance
from detectors.summary.inputs import InputSummary
from detectors.summary.merge import merge
from detectors.summary.performance import PerformanceSummary
from monitors.evaluation import plan
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.frame import Frame
from monitors.evaluation.watched import fields, groupings_of, read_columns
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.ports import Contracts, Panes, Raw, Stream
from monitors.reference import arrow
from monitors.reference.derive import derive
from monitors.reference.layout import layout
from monitors.reference.option import Options
from monitors.reference.rows import outcomes_of, predictions_of
from validation.public import Data


class Stores:
    """Panes and outcomes of a model and of its reference (see `monitors.ports.Panes` and `Raw`)."""

    def __init__(self, *, segments: bool = False) -> None:
        """With `segments` the panes of segments are held, too, and not only those of all rows."""
        self._segments = segments
        self._inputs: dict[str, pa.Table] = {}
        self._performance: dict[str, pa.Table] = {}
        self._outcomes: dict[str, Outcomes] = {}

    def _held(self, table: pa.Table) -> pa.Table:
        return table if self._segments else _all(table)

    def put(self, contract: Contract, table: pa.Table) -> None:
        """Hold the rows of a file in the layout of a contract."""
        segments = Segments(contract)
        self.put_predictions(contract, predictions_of(table, contract))
        self._outcomes[contract.model] = outcomes_of(table, contract)
        self._performance[contract.model] = self._held(
            PerformanceSummary.of(contract, segments, self._outcomes[contract.model]).to_columns()
        )

    def put_predictions(self, contract: Contract, block: Predictions) -> None:
        """Hold the input panes of a block."""
        self._inputs[contract.model] = self._held(InputSummary.of(contract, Segments(contract), block).to_columns())

    def slots(self, contract: Contract) -> tuple[Ints, Ints]:
        """Slots with predictions, and how many each holds."""
        held = self._inputs[contract.model].filter(pc.field("column") == "@prediction").sort_by("slot")
        return held["slot"].to_numpy(), held["n"].to_numpy().astype(np.int64)

    def inputs(
        self,
        contract: Contract,
        columns: Sequence[str],
        names: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
        phase: int = 0,
        *,
        bounds: Ints | None = None,
        role: str | None = None,
    ) -> pa.Table:
        """Input panes, merged over windows that begin at `phase` modulo `length`, or at `bounds`."""
        held = self._inputs[contract.model].filter(pc.field("column").isin(list(columns)))
        held = merge(inputs.LAYOUT, [_cut(held, length, span, phase, bounds)])
        total = pa.array([sum(row) for row in held["sum"].to_pylist()], pa.float64())
        return (
            _started(held)
            .append_column("sum_bin", held["bin"])
            .append_column("total", total)
            .select(["start", "column", "segment", *names])
        )

    def performance(
        self,
        contract: Contract,
        columns: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
        phase: int = 0,
        *,
        bounds: Ints | None = None,
        role: str | None = None,
    ) -> pa.Table:
        """Performance panes, merged over windows that begin at `phase` modulo `length`, or at `bounds`."""
        held = merge(performance.LAYOUT, [_cut(self._performance[contract.model], length, span, phase, bounds)])
        held = with_delays(held.append_column("panes", pa.array(np.ones(held.num_rows, np.int64))))
        return _started(held).select(["start", "segment", *columns])

    def contracts(self, model: str, values: Ints, pane: int) -> list[int]:
        """The contract versions of events: the one that there is."""
        return [1]

    def outcomes(
        self,
        contract: Contract,
        dimensions: Sequence[str],
        values: Ints,
        pane: int,
        *,
        version: str | None = None,
        role: str | None = None,
        regions_of: Contract | None = None,
    ) -> Outcomes:
        """The labelled events of slots, with their regions always."""
        held = self._outcomes[contract.model]
        return held.take(np.flatnonzero(np.isin(slot_of(held.ts, pane), values)))


@dataclass(frozen=True)
class Replay:
    """A model in memory."""

    model: Model
    stores: Stores
    evaluate: Evaluate

    def windows(self, monitor: Monitor) -> Iterator[Frame]:
        """The readings of a monitor over the windows of production, a portion at a time."""
        contract = self.model.contract
        slots, _ = self.stores.slots(contract)
        scope = Scope(self.model, (ALL,), groupings_of(monitor, contract), read_columns(monitor, contract), None, fields(monitor, contract))
        for chunk in plan.chunks(plan.existing(monitor.window, slots, 1 << 62, live=False), 400):
            yield self.evaluate(monitor, chunk, self.evaluate.reads(scope))

    def readings(self, monitor: Monitor) -> Iterator[tuple[int, Reading]]:
        """The readings of a monitor with their evidence, each with the place of its window."""
        at = 0
        for frame in self.windows(monitor):
            every = np.ones(frame.value.shape, np.bool_)
            for reading in frame.with_evidence(list(frame.readings(every, every.astype(np.int64)))):
                yield at + int(np.searchsorted(frame.windows.start, reading.window_start)), reading
            at += len(frame.windows)


def with_delays(panes: pa.Table) -> pa.Table:
    """Performance panes with the number of known delays and their sum, as the fact store answers them."""
    for name, held in (("delays", "delay_count"), ("delayed", "delay_sum")):
        panes = panes.append_column(name, pa.array([float(sum(row)) for row in panes[held].to_pylist()], pa.float64()))
    return panes


def replay(
    data: Data,
    *,
    ts: Ints | None = None,
    pane: int | None = None,
    reference: Ints | None = None,
    production: Ints | None = None,
    protected: Sequence[str] = (),
    signals: Sequence[str] = ("none",),
) -> Replay:
    """A data set as a model. `ts` are other times for its rows, `pane` is another length of panes; `reference` and `production` are other rows than its own sets; `protected` are attributes, and `signals` are signals, to hold panes of."""
    table = data.table if ts is None else data.table.set_column(0, "ts", pa.array(ts, pa.timestamp("us", "UTC")))
    first, rest = (data.places(name) if rows is None else rows for name, rows in (("reference", reference), ("production", production)))
    options = Options(
        task=Task(data.about["task"]),
        features=(*data.numeric, *data.categorical),
        categorical=tuple(data.categorical),
        signals=tuple(signals),
        protected=tuple(protected),
    )
    contract, summary = derive(data.name, table.take(first), options)
    contract = contract if pane is None else msgspec.structs.replace(contract, pane=pane)
    uses, stores = layout(table.take(first), options).uses, Stores(segments=bool(protected))
    stores.put(contract.of_reference, arrow.read_table(table.take(first), uses))
    stores.put(contract, arrow.read_table(table.take(rest), uses))
    nothing = cast("Any", None)
    evaluate = Evaluate(
        cast("Panes", stores), cast("Raw", stores), cast("Stream", nothing), cast("Contracts", lambda _model, _version: contract)
    )
    return Replay(Model(contract, summary), stores, evaluate)


def _all(table: pa.Table) -> pa.Table:
    """The rows of the segment `all`, of all versions and roles."""
    return table.filter(pc.equal(table["segment"].cast(pa.string()), ALL))


def _cut(table: pa.Table, length: int, span: tuple[int, int], phase: int, bounds: Ints | None) -> pa.Table:
    """The panes of a span, each at the start of its window."""
    slots = table["slot"].to_numpy()
    inside = np.flatnonzero((slots >= span[0]) & (slots < span[1]))
    taken = table.take(pa.array(inside))
    return taken.set_column(taken.schema.get_field_index("slot"), "slot", pa.array(cell_of(slots[inside], length, phase, bounds)))


def _started(table: pa.Table) -> pa.Table:
    return table.rename_columns({"slot": "start"})
