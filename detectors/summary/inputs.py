"""Input panes: for each watched column the counts by bin and the moments, by slot, version, role and segment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.block import Categories, Floats, Ints, Predictions
from core.classes import Classes
from core.contract import PREDICTION, SCORE, Column, Contract
from core.segment import Segments
from detectors.summary.bins import bins
from detectors.summary.merge import PaneLayout, merge
from detectors.summary.moments import SUMS, moments, sketch, sketches
from detectors.summary.panes import PaneRows
from detectors.summary.tally import Tally

LAYOUT = PaneLayout(
    keys=("slot", "version", "role", "segment", "column"),
    sums=("below", "above", "n", "measured", "square", "absolute", "outside"),
    minima=("low",),
    maxima=("high",),
    lists=((("bin",), ("count", "sum")),),
    highest=(("register", "rank"),),
    schema=pa.schema(
        {
            "slot": pa.int64(),
            "version": pa.string(),
            "role": pa.string(),
            "segment": pa.string(),
            "column": pa.string(),
            "bin": pa.list_(pa.uint16()),
            "count": pa.list_(pa.uint64()),
            "sum": pa.list_(pa.float64()),
            "below": pa.uint64(),
            "above": pa.uint64(),
            "n": pa.uint64(),
            "measured": pa.uint64(),
            "square": pa.float64(),
            "absolute": pa.float64(),
            "low": pa.float64(),
            "high": pa.float64(),
            "outside": pa.uint64(),
            "register": pa.list_(pa.uint16()),
            "rank": pa.list_(pa.uint8()),
        }
    ),
)


@dataclass(frozen=True, eq=False)
class InputSummary:
    """An additive summary of predictions: one row a (slot, version, role, segment, column), bins as sparse lists.

    `sum` holds the sums of a numeric column's values, by value bin (zeros elsewhere); `below` and `above` count the values
    beyond the reference's p1 and p99; the moments are those of `detectors.summary.moments`. Law: `of(a).merge(of(b)) == of(a + b)`.
    """

    table: pa.Table

    @staticmethod
    def zero() -> InputSummary:
        """The summary of nothing."""
        return InputSummary(LAYOUT.empty())

    @staticmethod
    def of(contract: Contract, segments: Segments, block: Predictions) -> InputSummary:
        """The summary of a block of n predictions; every row is in one segment of each grouping."""
        if not len(block):
            return InputSummary.zero()
        held = _values(contract, block)
        dimensions = {name: texts for name in segments.dimensions if isinstance(texts := held[name], Categories)}
        panes = PaneRows.of(contract, segments, block.ts, block.version, block.role, dimensions)
        cells, sums, seen = zip(*(_column(panes, column, held[column.name]) for column in contract.summarised), strict=True)
        columns = len(contract.summarised)
        names = pa.array([column.name for column in contract.summarised], pa.string())
        every = Tally(
            offsets=np.concatenate([[0], np.cumsum(np.concatenate([np.diff(cell.offsets) for cell in cells]))]),
            bin=np.concatenate([cell.bin for cell in cells]),
            count=np.concatenate([cell.count for cell in cells]),
            sums=(np.concatenate([cell.sums[0] if cell.sums else np.zeros(len(cell.bin)) for cell in cells]),),
        )
        return InputSummary(
            pa.table(
                {
                    **panes.keys(columns),
                    "column": pa.DictionaryArray.from_arrays(np.repeat(np.arange(columns, dtype=np.int32), len(panes)), names),
                    "bin": every.lists(every.bin, pa.uint16()),
                    "count": every.lists(every.count, pa.uint64()),
                    "sum": every.lists(every.sums[0], pa.float64()),
                    "n": pa.array(np.tile(panes.n, columns), pa.uint64()),
                    **{
                        name: pa.array(np.concatenate([one[name] for one in sums])).cast(LAYOUT.schema.field(name).type) for name in sums[0]
                    },
                    **sketches(list(seen)),
                }
            ).select(LAYOUT.schema.names)
        )

    def add(self, contract: Contract, segments: Segments, block: Predictions) -> InputSummary:
        """This summary and that of `block`, together."""
        return self.merge(InputSummary.of(contract, segments, block))

    def merge(self, other: InputSummary) -> InputSummary:
        """Both summaries together, rows in order of their keys."""
        return InputSummary(merge(LAYOUT, [self.table, other.table]))

    def to_columns(self) -> pa.Table:
        """One row a (slot, version, role, segment, column); texts may be dictionaries, the order is any."""
        return self.table

    @staticmethod
    def from_columns(table: pa.Table) -> InputSummary:
        """The summary that `to_columns` gave. One of a version without moments has `measured` 0."""
        if "measured" not in table.column_names:
            blank: dict[str, float | list[int]] = {**dict.fromkeys(SUMS, 0.0), "low": np.inf, "high": -np.inf, "register": [], "rank": []}
            for name, value in blank.items():
                kind = LAYOUT.schema.field(name).type
                table = table.append_column(
                    name, pa.array([value] * table.num_rows, kind if isinstance(value, list) else pa.float64()).cast(kind)
                )
        return InputSummary(table.select(LAYOUT.schema.names).cast(LAYOUT.schema))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputSummary) and merge(LAYOUT, [self.table]).equals(merge(LAYOUT, [other.table]))

    __hash__ = None  # type: ignore[assignment]


def _values(contract: Contract, block: Predictions) -> dict[str, Categories | Floats]:
    """The block's values by column name; a class is the contract's class that it means."""
    numbers, texts = iter(block.numbers), iter(block.texts)
    held: dict[str, Categories | Floats] = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.kept}
    prediction = block.prediction
    meant = Classes.of(contract).column(prediction) if isinstance(prediction, Categories) else prediction
    return {**held, PREDICTION: meant, SCORE: block.score}


def _column(
    panes: PaneRows, column: Column, values: Categories | Floats
) -> tuple[Tally, dict[str, Floats | Ints], tuple[Ints, Ints, Ints]]:
    """A column's cells, its sums by pane, and its sketch."""
    place = bins(column, values)
    held: dict[str, Floats | Ints] = {**moments(panes, column, values, place)}
    seen = sketch(panes, column, values, place)
    if isinstance(values, Categories):
        return panes.tally(place, column.bins), held | dict.fromkeys(("below", "above"), np.zeros(len(panes), np.int64)), seen
    finite = np.isfinite(values)
    weight = values if finite.all() else np.where(finite, values, 0.0)
    low, high = column.tails or (-np.inf, np.inf)
    held |= {"below": panes.count(values < low), "above": panes.count((values > high) & finite)}
    return panes.tally(place, column.bins, weight), held, seen
