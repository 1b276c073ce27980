"""Input panes: for each watched column the counts by bin and the moments, by slot, version, role and segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.block import Categories, Floats, Ints, Predictions
from core.classes import Classes
from core.contract import PREDICTION, SCORE, Column, Contract, Multivariate
from core.segment import Segments
from detectors.summary import category_column, multivariate, numeric_column, scored, vector_column
from detectors.summary.bins import of_another_kind
from detectors.summary.merge import PaneLayout, merge
from detectors.summary.panes import PaneRows
from detectors.summary.tally import Tally

LAYOUT = PaneLayout(
    keys=("slot", "version", "role", "segment", "column"),
    sums=("below", "above", "n", "measured", "square", "absolute", "outside"),
    minima=("low",),
    maxima=("high",),
    lists=((("bin",), ("count", "sum")), (("term",), ("joint",))),
    highest=(("register", "rank"),),
    joined=("code",),
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
            "term": pa.list_(pa.uint16()),
            "joint": pa.list_(pa.int64()),
            "code": pa.list_(pa.uint16()),
        }
    ),
)


@dataclass(frozen=True, eq=False)
class InputSummary:
    """An additive summary of predictions: one row a (slot, version, role, segment, column), bins as sparse lists.

    `sum` holds the sums of a numeric column's values, by value bin (zeros elsewhere); `below` and `above` count the values
    beyond the reference's p1 and p99; `joint` are by `term` the sums of a vector column, in the row of `@prediction` the predictions by score
    (`detectors.summary.scored`), and in that of column "" the sums over all features together (`detectors.summary.multivariate`), or `code`, the bins of all features of its rows, of which they are made; the moments are those of `detectors.summary.numeric_column`. Law: `of(a).merge(of(b)) == of(a + b)`, but that `code` stays beside sums
    and has its rows in the order in which they were put together: what is read of both forms is the same.
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
        held = values_of(contract, block)
        dimensions = {name: texts for name in segments.dimensions if isinstance(texts := held[name], Categories)}
        panes = PaneRows.of(contract, segments, block.ts, block.version, block.role, dimensions)
        watched = sorted(contract.summarised, key=lambda column: column.name)  # as the store keeps them, so that it need not sort rows
        cells, sums, seen = zip(*(_column(panes, column, held[column.name]) for column in watched), strict=True)
        columns = len(watched)
        names = pa.array([column.name for column in watched], pa.string())
        every = Tally(
            offsets=np.concatenate([[0], np.cumsum(np.concatenate([np.diff(cell.offsets) for cell in cells]))]),
            bin=np.concatenate([cell.bin for cell in cells]),
            count=np.concatenate([cell.count for cell in cells]),
            sums=(np.concatenate([cell.sums[0] if cell.sums else np.zeros(len(cell.bin)) for cell in cells]),),
        )
        own = InputSummary(
            pa.table(
                {
                    **panes.keys(columns),
                    "column": pa.DictionaryArray.from_arrays(np.repeat(np.arange(columns, dtype=np.int32), len(panes)), names),
                    "bin": every.lists(every.bin, pa.uint16()),
                    "count": every.lists(every.count, pa.uint64()),
                    "sum": every.lists(every.sums[0], pa.float64()),
                    # `measured` tells panes with moments from those that earlier versions made.
                    **dict.fromkeys(("n", "measured"), pa.array(np.tile(panes.n, columns), pa.uint64())),
                    **{name: pa.array(_joined([one[name] for one in sums], name)) for name in sums[0]},
                    **category_column.sketches(list(seen)),
                    "code": _nothing("code", columns * len(panes)),
                    **_terms(panes, watched, _lists_of_terms(panes, contract, block, held)),
                }
            ).select(LAYOUT.schema.names)
        )
        if (known := contract.multivariate) is None:
            return own
        together = tuple(contract.column(name) for name in known.columns)
        found = _together(panes, known, together, [held[column.name] for column in together])
        return InputSummary(pa.concat_tables([found, own.table], promote_options="permissive").unify_dictionaries())

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
        for name in LAYOUT.schema.names:
            if name not in table.column_names:
                table = table.append_column(name, _nothing(name, table.num_rows))
        return InputSummary(table.select(LAYOUT.schema.names).cast(LAYOUT.schema))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InputSummary) and merge(LAYOUT, [self.table]).equals(merge(LAYOUT, [other.table]))

    __hash__ = None  # type: ignore[assignment]


def _joined(parts: Sequence[Floats], name: str) -> npt.NDArray[np.number[Any]]:
    """A field's values of several columns, of its type."""
    return np.concatenate(parts, dtype=LAYOUT.schema.field(name).type.to_pandas_dtype(), casting="unsafe")


def _nothing(name: str, rows: int) -> pa.Array:
    """Rows without a value of a field: empty lists, no rows, the extremes of no number."""
    kind = LAYOUT.schema.field(name).type
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(pa.array(np.zeros(rows + 1, np.int32)), pa.array([], kind.value_type))
    return pa.array(np.full(rows, {"low": np.inf, "high": -np.inf}.get(name, 0.0))).cast(kind)


def _lists_of_terms(panes: PaneRows, contract: Contract, block: Predictions, held: Mapping[str, Categories | Floats]) -> dict[str, Tally]:
    """By column the sums of vector columns, and for `@prediction` the predictions by score."""
    found = {
        column.name: _dense(vector_column.sums(panes, column, vectors, held))
        for column, vectors in zip(vector_column.vector_columns(contract), block.vectors, strict=True)
    }
    if scored.kept(contract) and isinstance(prediction := held[PREDICTION], Categories):
        found[PREDICTION] = scored.tally(panes, contract, prediction, block)
    return found


def _terms(panes: PaneRows, columns: Sequence[Column], found: Mapping[str, Tally]) -> dict[str, pa.Array]:
    """What was found of some of the columns, as lists, one a column and pane, empty for the others."""
    names = [column.name for column in columns if column.name in found]
    if not names:
        return {name: _nothing(name, len(columns) * len(panes)) for name in ("term", "joint")}
    none = np.zeros(len(panes), np.int64)
    lengths = [np.diff(found[column.name].offsets) if column.name in found else none for column in columns]
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.concatenate(lengths))]), pa.int32())
    terms, sums = (np.concatenate([getattr(found[name], part) for name in names]) for part in ("bin", "count"))
    return {
        name: pa.ListArray.from_arrays(offsets, pa.array(values).cast(LAYOUT.schema.field(name).type.value_type))
        for name, values in (("term", terms), ("joint", sums))
    }


def _dense(sums: Ints) -> Tally:
    """Sums (P, width) as a tally of all cells."""
    panes, width = sums.shape
    return Tally(np.arange(panes + 1) * width, np.tile(np.arange(width), panes), sums.ravel(), ())


def _together(panes: PaneRows, known: Multivariate, columns: tuple[Column, ...], values: Sequence[Categories | Floats]) -> pa.Table:
    """The sums over all features together, or the bins of the rows, one row a pane."""
    if multivariate.by_row(panes, known):
        offsets = np.concatenate([[0], np.cumsum(panes.n)]) * len(columns)
        lists: dict[str, tuple[Ints, npt.NDArray[np.integer[Any]]]] = {"code": (offsets, multivariate.codes(panes, columns, values))}
    else:
        sums = multivariate.sums(panes, known, columns, values)
        offsets, terms = np.arange(len(panes) + 1) * sums.shape[1], np.tile(np.arange(sums.shape[1], dtype=np.uint16), len(panes))
        lists = {"term": (offsets, terms), "joint": (offsets, sums)}
    held = {
        **panes.keys(),
        "column": pa.array([multivariate.COLUMN] * len(panes), pa.string()).dictionary_encode(),
        **{name: pa.array(panes.n, pa.uint64()) for name in ("n", "measured")},
        **{name: pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(each.ravel())) for name, (ends, each) in lists.items()},
    }
    nothing = {name: _nothing(name, len(panes)) for name in LAYOUT.schema.names if name not in held}
    return pa.table(held | nothing).select(LAYOUT.schema.names)


def values_of(contract: Contract, block: Predictions) -> dict[str, Categories | Floats]:
    """The block's values by column name; a class is the contract's class that it means."""
    numbers, texts = iter(block.numbers), iter(block.texts)
    held: dict[str, Categories | Floats] = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.kept}
    prediction = block.prediction
    meant = Classes.of(contract).column(prediction) if isinstance(prediction, Categories) else prediction
    return {**held, PREDICTION: meant, SCORE: block.score}


def _column(panes: PaneRows, column: Column, values: Categories | Floats) -> tuple[Tally, dict[str, Floats], category_column.Sketch]:
    """A column's cells, its moments by pane, and its sketch. Values of another kind than the column's are a TypeError."""
    if column.numeric and not isinstance(values, Categories):
        return *numeric_column.summary(panes, column, values), category_column.no_sketch(panes)
    if not column.numeric and isinstance(values, Categories):
        cells, sketch = category_column.summary(panes, column, values)
        return cells, category_column.moments(panes), sketch
    raise of_another_kind(column)
