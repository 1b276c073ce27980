"""A model in memory: windows of counts, evaluated and calibrated by the code that evaluates monitors in production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa

from core.baseline.reference import Reference
from core.block import Categories, Floats, Ints
from core.contract import PREDICTION, Column, Contract, Task, UsualWindow
from core.moment import DAY
from core.monitor import Budget, Compare, Gate, Monitor
from core.pane import cell_of
from core.segment import ALL
from core.span import Spans
from detectors.summary.bins import bins
from detectors.summary.inputs import LAYOUT, InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.definition.default import defaults
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.frame import Frame
from monitors.evaluation.watched import fields, groupings_of
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.ports import Contracts, Panes, Raw, Stream
from monitors.reference.derive import ReferenceSummary
from monitors.reference.signal import binned

Values = Categories | Floats
MODEL = "m"
_MANY = 1_000_000  # rows to sort a column
START = 20_000 * DAY // 7 * 7  # a Thursday of 2024; days are counted from it


@dataclass(frozen=True)
class Cells:
    """Counts of a column by slot: `counts` (slots, bins), and the rows beyond the reference's p1 and p99, each (slots,)."""

    counts: Floats
    below: Floats
    above: Floats

    def table(self, column: str, starts: Ints, names: Sequence[str]) -> pa.Table:
        """The rows of input panes, with the fields `names`. Sums by bin and extremes are not kept: the measures of the default watch need none."""
        rows, bins = self.counts.shape
        offsets = np.arange(rows + 1, dtype=np.int32) * bins
        places = pa.ListArray.from_arrays(offsets, np.tile(np.arange(bins, dtype=np.uint16), rows))
        n = self.counts.sum(1)
        held = {
            "bin": places,
            "sum_bin": places,
            "count": pa.ListArray.from_arrays(offsets, self.counts.ravel().astype(np.uint64)),
            "sum": pa.ListArray.from_arrays(offsets, np.zeros(rows * bins)),
            **{name: getattr(self, name).astype(np.uint64) for name in ("below", "above")},
            **dict.fromkeys(("n", "measured"), n.astype(np.uint64)),
            **{name: np.full(rows, value) for name, value in (("low", np.inf), ("high", -np.inf))},
        }
        return pa.table(
            {
                "start": starts,
                "column": pa.array([column] * rows),
                "segment": pa.array([ALL] * rows),
                **{name: held[name] for name in names},
            }
        )

    def summary(self, column: Column) -> dict[str, Any]:
        """One row of an `InputSummary`: all slots together."""
        counts = self.counts.sum(0)
        n, bins = int(counts.sum()), np.flatnonzero(counts)
        zero = {"square": 0.0, "absolute": 0.0, "low": np.inf, "high": -np.inf, "outside": 0, "register": [], "rank": []}
        keys = {"slot": 0, "version": "", "role": "", "segment": ALL, "column": column.name}
        tails = {"below": int(self.below.sum()), "above": int(self.above.sum())}
        lists = {"bin": bins.tolist(), "count": counts[bins].astype(int).tolist(), "sum": [0.0] * len(bins)}
        return {**keys, **tails, **lists, **zero, "n": n, "measured": n}


class CountPanes:
    """Input panes of a model and of its reference, a slot a day (see `monitors.ports.Panes`)."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Ints, dict[str, Cells]]] = {}

    def put(self, contract: Contract, slots: Ints, cells: dict[str, Cells]) -> None:
        """Hold the panes of a model; `slots` are ascending."""
        self._held[contract.model] = (slots, cells)

    def slots(self, contract: Contract) -> tuple[Ints, Ints]:
        """Slots with predictions, and how many each holds."""
        slots, cells = self._held[contract.model]
        return slots, cells[PREDICTION].counts.sum(1).astype(np.int64)

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
        slots, cells = self._held[contract.model]
        inside = slice(*np.searchsorted(slots, span).tolist())
        starts, first = np.unique(cell_of(slots[inside], length, phase, bounds), return_index=True)
        parts = []
        for column in columns:
            held = cells[column]
            merged = (getattr(held, name)[inside] for name in ("counts", "below", "above"))
            if len(first) and len(first) < inside.stop - inside.start:
                merged = (np.add.reduceat(one, first, axis=0) for one in merged)
            parts.append(Cells(*merged).table(column, starts, names))
        return pa.concat_tables(parts)


@dataclass(frozen=True)
class Binned:
    """The rows of a population under a contract: of each column the bin of each row, and whether it is beyond a tail."""

    contract: Contract
    places: Mapping[str, Ints]
    below: Mapping[str, Ints]
    above: Mapping[str, Ints]

    @staticmethod
    def of(columns: Mapping[str, Values], sample: Ints, rows: int) -> Binned:
        """Bins made from a sample of the rows, in which a row may come again, for windows of a day that hold so many rows.

        Bins of numbers are made from all rows once, where the sample is longer than a million: their quantiles hardly differ. Which texts are in one row of the sample only the sample tells.
        """

        def column(name: str) -> Column:
            values = columns[name]
            if isinstance(values, Categories):
                return binned(name, values.take(sample))
            return binned(name, values[sample] if len(sample) <= _MANY else values)

        features = tuple(column(name) for name in columns if name != PREDICTION)
        contract = Contract(
            model=MODEL,
            version=1,
            task=Task.REGRESSION,
            features=features,
            outputs=(column(PREDICTION),),
            pane=DAY,
            usual=UsualWindow(length=DAY, rows=rows),
            facts=True,
        )
        return Binned.under(contract, columns)

    @staticmethod
    def under(contract: Contract, columns: Mapping[str, Values]) -> Binned:
        """The bins of some columns under a contract."""
        by_name = {one.name: one for one in contract.summarised}
        tails = {name: by_name[name].tails or (-np.inf, np.inf) for name in columns}
        numbers = {name: np.zeros(len(values)) if isinstance(values, Categories) else values for name, values in columns.items()}
        return Binned(
            contract,
            {name: bins(by_name[name], values) for name, values in columns.items()},
            {name: (numbers[name] < tails[name][0]).astype(np.int64) for name in columns},
            {name: ((numbers[name] > tails[name][1]) & np.isfinite(numbers[name])).astype(np.int64) for name in columns},
        )


class World:
    """A model with its reference, and windows of a day each: reference and windows are given as counts."""

    def __init__(self, contract: Contract, reference: tuple[Ints, dict[str, Cells]], stream: tuple[Ints, dict[str, Cells]]) -> None:
        self.panes = CountPanes()
        self.panes.put(contract.of_reference, *reference)
        self.panes.put(contract, *stream)
        columns = {one.name: one for one in contract.summarised}
        rows = [cells.summary(columns[name]) for name, cells in reference[1].items()]
        summary = ReferenceSummary(
            InputSummary(pa.Table.from_pylist(rows, LAYOUT.schema)),
            PerformanceSummary.zero(),
            {},
            {name: column.bins for name, column in columns.items()},
        )
        self.model, self._slots = Model(contract, summary), stream[0]
        nothing = cast("Any", None)  # raw events and how they came: the measures of the default watch need neither
        self.evaluate = Evaluate(cast("Panes", self.panes), cast("Raw", nothing), cast("Stream", nothing), cast("Contracts", nothing))

    def frame(self, monitor: Monitor) -> Frame:
        """The readings of a monitor over all windows."""
        segments = (ALL,)
        scope = Scope(
            self.model, segments, groupings_of(monitor, self.model.contract), monitor.columns, None, fields(monitor, self.model.contract)
        )
        windows = monitor.window.between(int(self._slots[0]), int(self._slots[-1]))
        return self.evaluate(monitor, Spans(windows.start, windows.end), self.evaluate.reads(scope))


def default_watch(contract: Contract) -> list[Monitor]:
    """The default monitors that alarm."""
    return [monitor for monitor in defaults(contract) if monitor.alarms]


def budgeted(monitor: Monitor, budget: Budget) -> Monitor:
    """A monitor with a budget in place of thresholds and gate."""
    return msgspec.structs.replace(
        monitor,
        name=f"budget-{monitor.measure}",
        warn=None,
        critical=None,
        gate=Gate.NONE,
        compare=Compare.VALUE,
        baseline=Reference(),
        budget=budget,
    )
