"""What an owner asks of panes in each step: slots, segments and versions, in one query."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from storage.facts.engine import Engine
from storage.facts.panes import Panes
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, pane_rows


def rows_of(slot: int, count: int, version: str) -> pa.Table:
    """Two panes of all predictions, of `count` + 1 rows each, and one of a segment that only this version has."""
    rows = pane_rows(slot, count)
    segments = ["all" if segment == "all" else f"c={version}" for segment in rows["segment"].to_pylist()]
    for name, texts in (("version", [version] * len(segments)), ("column", ["@prediction"] * len(segments)), ("segment", segments)):
        rows = rows.set_column(rows.schema.get_field_index(name), name, [texts])
    return rows


def test_what_is_held_is_what_the_questions_apart_say(engine: Engine) -> None:
    """With several versions, and a slot that was rebuilt twice: only the last rebuild counts, of versions, segments and rows."""
    writer, panes = Writer(engine), Panes(engine)
    for hour, count, version in ((0, 1, "b"), (1, 2, "b"), (1, 3, "a"), (2, 4, "c"), (3, 5, "gone")):
        writer.panes([(CONTRACT, rows_of(hour * HOUR, count, version))], f"{hour}{version}")
    for generation, version in ((7, "older"), (9, "b")):
        writer.panes([(CONTRACT, rows_of(3 * HOUR, generation, version))], None, generation)
        writer.rebuilt(CONTRACT, [3 * HOUR], generation)
    held = panes.held(CONTRACT)
    assert (held.slots.tolist(), held.rows.tolist()) == ([0, HOUR, 2 * HOUR, 3 * HOUR], [4, 14, 10, 20])
    assert (held.segments, held.versions) == (["all", "c=a", "c=b", "c=c"], [("b", 0), ("a", HOUR), ("c", 2 * HOUR)])
    assert [values.tolist() for values in panes.slots(CONTRACT)] == [held.slots.tolist(), held.rows.tolist()]
    assert (panes.segments(CONTRACT), [row[:2] for row in panes.versions(CONTRACT)]) == (held.segments, held.versions)
    assert panes.totals([CONTRACT]) == {CONTRACT.model: 48}
    other = msgspec.structs.replace(CONTRACT, model="other")
    asked = [
        *((CONTRACT, "all", (0, 2 * HOUR)), (CONTRACT, "all", (3 * HOUR, 4 * HOUR)), (CONTRACT, "c=b", (0, 4 * HOUR))),
        *(
            (CONTRACT, "c=b", (HOUR, 2 * HOUR)),
            (CONTRACT, "c=x", (0, HOUR)),
            (other, "all", (0, 4 * HOUR)),
            (CONTRACT, "all", (0, 2 * HOUR)),
        ),
    ]
    assert panes.counts(asked) == [18, 20, 15, 3, 0, 0, 18]
    assert panes.counts(asked) == [int(panes.traffic(one, segment, HOUR, span)[1].sum()) for one, segment, span in asked]
    assert panes.counts([]) == []


def test_a_long_history_costs_a_step_no_text_for_each_slot() -> None:
    """A year of panes of a minute, in two versions; a text for each took ten times as long."""
    minutes = 525_600
    names = pa.DictionaryArray.from_arrays(pa.array(np.where(np.arange(minutes) < 300_000, 0, 1), pa.int32()), pa.array(["old", "new"]))
    table = pa.table(
        {"of": np.zeros(minutes, np.uint8), "start": np.arange(minutes) * 60, "name": names, "rows": np.full(minutes, 5, np.uint64)}
    )
    engine: Any = SimpleNamespace(query=lambda *_: table)
    began = time.thread_time()
    held = Panes(engine).held(CONTRACT)
    assert time.thread_time() - began < 0.4
    assert (held.versions, int(held.rows.sum())) == ([("old", 0), ("new", 300_000 * 60)], 5 * minutes)
