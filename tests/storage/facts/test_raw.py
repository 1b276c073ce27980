"""Raw events are found by id, by place in the log and by slot, few or many at a time."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from core import moment
from storage.facts.engine import Engine
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, predictions

HOUR = moment.HOUR


def test_known_ids_are_those_below_a_position(engine: Engine) -> None:
    """A look-up sees its own partition's lower positions, and nothing else."""
    Writer(engine).predictions([(CONTRACT, predictions(["a", "b"], position=3))], 0, "t3")
    Writer(engine).predictions([(CONTRACT, predictions(["c"], position=5))], 0, "t5")
    raw = Raw(engine)
    assert raw.known("m", 0, 5, ["a", "c", "d"]) == {"a"}
    assert raw.known("m", 0, 6, ["a", "c", "d"]) == {"a", "c"}
    assert raw.known("m", 1, 6, ["a"]) == set()
    assert [(model, sorted(ids)) for model, ids in raw.ids(0, 5)] == [("m", ["a", "b"])]


def test_all_ids_come_page_by_page(engine: Engine) -> None:
    """No page is longer than asked for, and together they hold every id of every model, though all happened at once."""
    block = predictions([f"{i:02d}" for i in range(11)])
    other = msgspec.structs.replace(CONTRACT, model="n")
    Writer(engine).predictions([(CONTRACT, block), (other, replace(block, ts=np.full(11, 7)))], 0, "t")
    pages = [(model, ids.tolist()) for model, ids in Raw(engine).ids(0, 9, most=3)]
    assert max(len(ids) for _, ids in pages) == 3
    assert sorted((model, key) for model, ids in pages for key in ids) == sorted((model, key) for model in "mn" for key in block.id)
    assert list(Raw(engine).ids(1, 9)) == []


def test_long_ids_are_looked_up_many_at_a_time(engine: Engine) -> None:
    """Twenty thousand ids of 200 characters, quotes, braces and line ends among them: exactly those are known that are there."""
    ids = [f"{i}'\\\n\t{{a:String}}é".ljust(200, "-") for i in range(20_000)]
    Writer(engine).predictions([(CONTRACT, predictions(ids))], 0, "t")
    assert Raw(engine).known("m", 0, 9, [*ids[::2], "none"]) == set(ids[::2])


def test_a_batch_is_finished_once_its_last_row_is_there(engine: Engine) -> None:
    """Finished is told by topic, partition and last position, and by nothing else."""
    times = dict.fromkeys(("first_ts", "last_ts", "watermark", "logged"), 1)
    row: dict[str, str | int] = {
        "model": "m",
        "topic": "labels",
        "partition": 2,
        "first": 1,
        "last": 4,
        "rows": 2,
        "duplicates": 0,
        "rejected": 0,
        **times,
    }
    Writer(engine).batches([row])
    raw = Raw(engine)
    assert raw.finished("labels", 2, 4)
    assert [raw.finished("labels", 2, 3), raw.finished("labels", 1, 4), raw.finished("predictions", 2, 4)] == [False, False, False]


def test_slots_are_told_by_the_hundred_thousand(engine: Engine) -> None:
    """Every second hour of 34 years, in one question."""
    Writer(engine).predictions([(CONTRACT, predictions(list("abcde")))], 0, "t")
    values = np.arange(0, 300_000, 2) * HOUR
    assert sorted(Raw(engine).predictions(CONTRACT, values, HOUR).id.tolist()) == ["a", "c", "e"]
    assert sorted(Raw(engine).distinct("m", values, HOUR)) == [0, 2 * HOUR, 4 * HOUR]


@pytest.mark.parametrize(("hours", "expected"), [([], []), ([1, 2, 3], ["b", "c", "d"]), ([1, 3], ["b", "d"]), ([3, 1, 1], ["b", "d"])])
def test_slots_with_and_without_gaps(engine: Engine, hours: list[int], expected: list[str]) -> None:
    """Exactly the events of the asked slots, whether they are told by their ends or one by one."""
    Writer(engine).predictions([(CONTRACT, predictions(list("abcde")))], 0, "t")
    assert sorted(Raw(engine).predictions(CONTRACT, np.array(hours, np.int64) * HOUR, HOUR).id.tolist()) == expected
