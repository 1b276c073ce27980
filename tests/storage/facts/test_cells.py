"""Panes and events are summed by cells that have no one length, and for one role."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from core import moment
from storage.facts.engine import Engine
from storage.facts.panes import Panes
from storage.facts.stream import Stream
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, pane_rows, predictions


def test_cells_begin_at_bounds(engine: Engine) -> None:
    """However many bounds there are: more than a statement's parameters may hold are written into it."""
    writer, panes = Writer(engine), Panes(engine)
    for hour in range(6):
        writer.panes([(CONTRACT, pane_rows(hour * HOUR, 1 + hour))], f"b{hour}")
    few = np.array([moment.EARLIEST, HOUR, 3 * HOUR, 6 * HOUR])
    many = np.concatenate([few, (100 + np.arange(5_000)) * HOUR])
    for bounds in (few, many):
        table = panes.inputs(CONTRACT, ["x"], ["bin", "count"], [""], 0, (0, 5 * HOUR), bounds=bounds)
        found = {row["start"]: dict(zip(row["bin"], row["count"], strict=True)) for row in table.to_pylist()}
        assert found == {moment.EARLIEST: {0: 1, 2: 1}, HOUR: {0: 5, 2: 2}, 3 * HOUR: {0: 9, 2: 2}}


def test_events_are_counted_by_bounds(engine: Engine) -> None:
    """One event an hour; the log took them all years later."""
    Writer(engine).predictions([(CONTRACT, predictions([f"e{place}" for place in range(6)]))], 0, None)
    table = Stream(engine).late("m", (HOUR,), HOUR, (0, 5 * HOUR), 0, np.array([0, HOUR, 4 * HOUR, 5 * HOUR]))
    assert {row["start"] // HOUR: (row["n"], row["late0"]) for row in table.to_pylist()} == {0: (1, 1), 1: (3, 3), 4: (1, 1)}


def test_panes_of_one_role(engine: Engine) -> None:
    """Those of another role do not count."""
    writer, panes = Writer(engine), Panes(engine)
    rows = pane_rows(0, 3)
    shadow = rows.set_column(rows.schema.get_field_index("role"), "role", [["shadow"] * rows.num_rows])
    writer.panes([(CONTRACT, rows), (CONTRACT, shadow), (CONTRACT, shadow)], "b1")
    asked = [
        panes.inputs(CONTRACT, ["x"], ["n"], [""], HOUR, (0, HOUR), role=role)["n"].to_pylist() for role in (None, "champion", "shadow")
    ]
    assert asked == [[12], [4], [8]]


def test_columns_of_few_and_of_many_bins_are_summed_alike(engine: Engine) -> None:
    """A column of few bins is summed by place, and one of many by key. Columns come one after the other."""
    writer, panes = Writer(engine), Panes(engine)
    first, town, *more = CONTRACT.features
    many = msgspec.structs.replace(town, categories=tuple(str(place) for place in range(200)))
    contract = msgspec.structs.replace(CONTRACT, features=(first, many, *more))
    for hour in range(3):
        rows = pane_rows(hour * HOUR, 1 + hour)
        other = rows.set_column(rows.schema.get_field_index("column"), "column", [["c"] * rows.num_rows]).slice(0, 2)
        writer.panes([(contract, rows.slice(0, 2)), (contract, other)], f"b{hour}")
    table = panes.inputs(
        contract, ["c", "x"], ["bin", "count", "sum_bin", "sum", "total", "n"], ["", "c"], 2 * HOUR, (0, 4 * HOUR), phase=HOUR
    ).to_pylist()
    found = {
        (row["column"], row["start"], row["segment"]): (_held(row, "bin", "count"), _held(row, "sum_bin", "sum"), row["total"], row["n"])
        for row in table
    }
    early, late = ({0: 1, 2: 1}, {0: 0.5}, 0.5, 2), ({0: 5, 2: 2}, {0: 1.0}, 1.0, 7)
    cells = [(column, start, segment) for column in ("c", "x") for start in (-HOUR, HOUR) for segment in ("all", "c=a")]
    assert found == {cell: late if cell[1] > 0 else early for cell in cells}
    assert len(table) == len(cells)
    assert np.count_nonzero(np.diff([row["column"] == "c" for row in table])) == 1


def _held(row: dict[str, Any], keys: str, values: str) -> dict[int, float]:
    """The bins that have anything."""
    return {key: value for key, value in zip(row[keys], row[values], strict=True) if value}


def test_only_some_segments_are_read(engine: Engine) -> None:
    """Those that are named, of input panes and of performance panes; all of the groupings if none is."""
    writer, panes = Writer(engine), Panes(engine)
    writer.panes([(CONTRACT, pane_rows(0, 3))], "b1")
    for segments, found in (((), {"all", "c=a"}), (("c=a",), {"c=a"}), (("c=b",), set())):
        table = panes.inputs(CONTRACT, ["x"], ["n", "bin", "count"], ["", "c"], HOUR, (0, HOUR), segments=segments)
        assert set(table["segment"].to_pylist()) == found
        assert panes.performance(CONTRACT, ["n"], ["", "c"], HOUR, (0, HOUR), segments=segments).num_rows == 0
