"""Numbers that an insert sends in short types."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from storage.facts.engine import Engine
from storage.facts.panes import Panes
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, pane_rows


def test_counts_of_any_size_and_bins_of_rows_come_back(engine: Engine) -> None:
    """An insert sends the shortest numbers that hold its own: large ones beside small ones stay what they are. Bins of rows are put together, those of several inserts too."""
    writer, panes = Writer(engine), Panes(engine)
    sizes = (3, 300, 70_000, 1 << 40)
    for part, some in enumerate((sizes[:1], sizes[1:2], sizes[2:], sizes)):
        tables = [pane_rows(slot * HOUR, rows) for slot, rows in enumerate(some)]
        codes = [pa.array([[7, part, slot]] * table.num_rows, pa.list_(pa.uint16())) for slot, table in enumerate(tables)]
        writer.panes(
            [
                (CONTRACT, table.set_column(table.column_names.index("code"), "code", code))
                for table, code in zip(tables, codes, strict=True)
            ],
            f"b{part}",
        )
    found = panes.inputs(CONTRACT, ["x"], ["bin", "count", "n", "code"], [""], 4 * HOUR, (0, 4 * HOUR)).to_pylist()
    assert [(row["bin"], row["count"], row["n"]) for row in found] == [([0, 2], [2 * sum(sizes), 8], 2 * sum(sizes) + 8)]
    held = np.array(found[0]["code"]).reshape(-1, 3).tolist()
    assert sorted(held) == sorted([7, part, slot] for part, slots in enumerate((1, 1, 2, 4)) for slot in range(slots))
