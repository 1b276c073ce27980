"""Raw events are found by id, by position and by slot, few or many at a time."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.block import Categories
from core.contract import Column, Kind
from core.draw import drawn
from storage.facts.engine import Engine
from storage.facts.outcome_store import OutcomeStore
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, labels, predictions

HOUR = moment.HOUR
_OTHER = msgspec.structs.replace(CONTRACT, model="n")


def test_known_ids_are_those_below_a_position(engine: Engine) -> None:
    """A look-up sees its own partition's lower positions, and nothing else."""
    Writer(engine).predictions([(CONTRACT, predictions(["a", "b"], position=3))], 0, "t3")
    Writer(engine).predictions([(CONTRACT, predictions(["c"], position=5))], 0, "t5")
    raw = Raw(engine)
    assert raw.known("m", 0, 0, 5, ["a", "c", "d"]) == {"a"}
    assert raw.known("m", 0, 3, 6, ["a", "c", "d"]) == {"a", "c"}
    assert raw.known("m", 0, 4, 6, ["a", "c", "d"]) == {"c"}
    assert raw.known("m", 1, 0, 6, ["a"]) == set()


def test_ids_are_read_back_by_position(engine: Engine) -> None:
    """Those of every model at the asked for positions of the partition, and no others."""
    for position in range(4):
        block = predictions([f"{position}-a", f"{position}-b"], position=position)
        Writer(engine).predictions([(CONTRACT, block), (_OTHER, predictions([f"{position}-c"], position=position))], 0, f"t{position}")
    raw = Raw(engine)
    assert {model: sorted(ids) for model, ids in raw.ids(0, 1, 2)} == {"m": ["1-a", "1-b", "2-a", "2-b"], "n": ["1-c", "2-c"]}
    assert list(raw.ids(1, 0, 9)) == list(raw.ids(0, 4, 9)) == []


def test_batches_are_read_back_from_the_newest_on(engine: Engine) -> None:
    """With the rows of all models, also when they were written twice or stand on two pages; other topics, partitions and empty batches are none."""
    writer = Writer(engine)
    for first in range(0, 12, 3):
        writer.batches([_batch(first, model, rows) for model, rows in (("m", first), ("n", 1), ("o", 0))])
    writer.batches([_batch(6, "m", 6), _batch(6, "n", 1)])
    writer.batches([_batch(12, "m", 0), _batch(15, "m", 5, partition=1), _batch(18, "m", 5, topic="labels")])
    for most in (5, 6, 100):
        assert list(Raw(engine).batches(0, 18, most)) == [(9, 10), (6, 7), (3, 4), (0, 1)]
        assert list(Raw(engine).batches(0, 8, most)) == [(3, 4), (0, 1)]
    assert list(Raw(engine).batches(2, 18)) == []


def test_a_portion_ends_with_the_batch_that_fills_it(engine: Engine) -> None:
    """Of each partition, of this model's events, one batch at least; where there are none there is no end."""
    writer = Writer(engine)
    for first in range(0, 12, 3):
        writer.batches([_batch(first, "m", 10), _batch(first, "n", 99), _batch(first, "m", 30, partition=1)])
    everything = dict.fromkeys(range(3), (0, 11))
    raw = Raw(engine)
    assert raw.portion("m", everything, 20) == {0: 5, 1: 2}
    assert raw.portion("m", everything, 1) == {0: 2, 1: 2}
    assert raw.portion("m", everything, 1_000) == {0: 11, 1: 11}
    assert raw.portion("m", {0: (3, 8)}, 11) == {0: 8}


def _batch(first: int, model: str, rows: int, *, partition: int = 0, topic: str = "predictions") -> dict[str, str | int]:
    """The row of a batch of three positions."""
    rest = dict.fromkeys(("duplicates", "rejected", "outside", "first_ts", "last_ts", "watermark", "logged"), 0)
    return {"model": model, "topic": topic, "partition": partition, "first": first, "last": first + 2, "rows": rows, **rest}


def test_long_ids_are_looked_up_many_at_a_time(engine: Engine) -> None:
    """Twenty thousand ids of 200 characters, quotes, braces and line ends among them: exactly those are known that are there."""
    ids = [f"{i}'\\\n\t{{a:String}}é".ljust(200, "-") for i in range(20_000)]
    Writer(engine).predictions([(CONTRACT, predictions(ids))], 0, "t")
    assert Raw(engine).known("m", 0, 0, 9, [*ids[::2], "none"]) == set(ids[::2])


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
        "outside": 0,
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


@pytest.mark.parametrize("copies", [0, 380])
def test_a_sample_is_of_the_smallest_hashes_whatever_is_sorted(engine: Engine, monkeypatch: pytest.MonkeyPatch, copies: int) -> None:
    """Few rows are read: all with hashes below a cut. If some came twice, the store sorts them; if too few ids are below the cut, since many rows came twice, it sorts all."""
    monkeypatch.setattr("storage.facts.raw._SPARE", 0)
    writer, raw, asked = Writer(engine), Raw(engine), list[str]()
    block = predictions([f"e{place}" for place in range(400)])
    writer.predictions([(CONTRACT, block)], 0, None)
    if copies:
        writer.predictions([(CONTRACT, block.take(np.arange(copies)))], 1, None)
    query = engine.query

    def noted(sql: str, parameters: dict[str, object]) -> pa.Table:
        asked.append(sql)
        return query(sql, parameters)

    monkeypatch.setattr(engine, "query", noted)
    slots = np.arange(400) * HOUR
    for most in (20, 200, 400, 500):
        asked.clear()
        found = raw.predictions(CONTRACT, slots, HOUR, most=most)
        assert found.id.tolist() == block.id[drawn(block.id, most)].tolist()
        cuts = ["unhex" in sql for sql in asked]
        sorts = ["ORDER BY" in sql for sql in asked]
        if not copies:
            assert (cuts, sorts) == ([False, most < 400], [False, False])
        elif most < 400:
            assert (cuts, sorts) == ([False, True, True, False][: 3 + (most == 200)], [False, False, True, True][: 3 + (most == 200)])


def test_only_some_columns_are_read(engine: Engine) -> None:
    """The others are null, and optional fields are not there; also of slots without events."""
    Writer(engine).predictions([(CONTRACT, predictions([f"e{place}" for place in range(9)]))], 0, None)
    slots = np.arange(9) * HOUR
    whole = Raw(engine).predictions(CONTRACT, slots, HOUR)
    some = Raw(engine).predictions(CONTRACT, slots, HOUR, only=("y", "c"))
    assert np.array_equal(some.numbers[1], whole.numbers[1])
    assert some.texts[0].texts == whole.texts[0].texts
    assert np.array_equal(some.texts[0].codes, whole.texts[0].codes)
    assert np.isnan(some.numbers[0]).all()
    assert set(some.extra) == {""}
    assert np.array_equal(some.score, whole.score)
    one = Raw(engine).predictions(CONTRACT, slots, HOUR, only=("x",), most=3)
    assert [one.texts[0].texts[code] for code in one.texts[0].codes] == ["null"] * 3
    assert len(one.numbers[0]) == 3
    assert len(Raw(engine).predictions(CONTRACT, slots + 99 * HOUR, HOUR, only=("x", "c"))) == 0


def test_labels_of_one_version_alone(engine: Engine) -> None:
    """Of the ids that a hash draws before the last one; all versions without."""
    block, outcomes = predictions([f"e{place}" for place in range(6)]), OutcomeStore(engine)
    versions = Categories(np.array([0, 1] * 3, np.int32), ["1", "2"])
    Writer(engine).predictions([(CONTRACT, replace(block, version=versions))], 0, None)
    Writer(engine).labels({"m": replace(labels(block.id.tolist(), "1"), prediction_ts=block.ts)}, 0, None)
    outcomes.join("m", {0: (0, 9)}, {0: (0, 9)}, 1)
    slots, raw = np.arange(6) * HOUR, Raw(engine)
    last = block.id[drawn(block.id, 6)[-1]]
    assert set(raw.truths("m", slots, HOUR, last)[0]) == set(block.id)
    assert set(raw.truths("m", slots, HOUR, last, version="2")[0]) == {"e1", "e3", "e5"}
    first = block.id[drawn(block.id, 6)[0]]
    assert raw.truths("m", slots, HOUR, first)[0].tolist() == [first]


def test_new_values_of_several_columns_are_told_at_once(engine: Engine) -> None:
    """Each with its own: what one column knows may be new in another."""
    other = Column(name="d", kind=Kind.CATEGORICAL, categories=("%6Eull",), others=("b",))
    contract = msgspec.structs.replace(CONTRACT, features=(*CONTRACT.features, other))
    block = predictions([f"e{place}" for place in range(10)])
    Writer(engine).predictions([(contract, replace(block, texts=(block.texts[0], block.texts[0])))], 0, None)
    found = Raw(engine).unseen(contract, ["d", "c"], np.arange(10) * HOUR, 5)
    assert found == {"d": [("a", 2)], "c": [("%6Eull", 2)]}


def test_new_values_of_events_under_several_contracts_are_counted_together(engine: Engine) -> None:
    """By the newest one's reference, wherever each contract keeps the column; the store answers with no more values than are asked for."""
    other = Column(name="d", kind=Kind.CATEGORICAL, categories=("%6Eull",))
    known = tuple(msgspec.structs.replace(one, categories=("a",)) if one.name == "c" else one for one in CONTRACT.features)
    newest = msgspec.structs.replace(CONTRACT, version=2, features=(other, *known))
    for contract, letter, position in ((CONTRACT, "e", 1), (newest, "f", 2)):
        block = predictions([f"{letter}{place}" for place in range(10)], position=position)
        Writer(engine).predictions([(contract, replace(block, texts=(block.texts[0],) * contract.version))], 0, None)
    found = Raw(engine).unseen(newest, ["y", "c", "d"], np.arange(10) * HOUR, 5, sources=[CONTRACT, newest])
    assert found == {"y": [], "c": [("%6Eull", 4), ("b", 4)], "d": [("a", 2), ("b", 2)]}
    found = Raw(engine).unseen(newest, ["c"], np.arange(10) * HOUR, 1, sources=[CONTRACT, newest])
    assert found == {"c": [("%6Eull", 4)]}


def test_labels_are_read_as_they_were_when_due(engine: Engine) -> None:
    """By their own times, whatever the order in which they came: a correction and a retraction count until then, and nothing after it."""
    raw, writer = Raw(engine), Writer(engine)
    writer.predictions([(CONTRACT, predictions(list("abcd")))], 0, "p")  # one an hour
    late = 2 * HOUR  # an hour after the end of the first slot
    sent = [("a", "0", 10), ("a", "1", late), ("a", "0", late + 1), ("b", "1", 2 * HOUR), ("c", "1", 3 * HOUR), ("d", "1", 5 * HOUR + 1)]
    for position, (one, text, ts) in enumerate(reversed(sent), 1):
        writer.labels({"m": labels([one], text, ts=ts, position=position)}, 0, f"l{position}")
    writer.labels({"m": labels(["c"], "", ts=3 * HOUR + 5, position=9, deleted=True)}, 0, "l9")
    OutcomeStore(engine).join("m", {0: (1, 1)}, {0: (1, 9)}, 1)

    def known(due: int | None) -> dict[int, str]:
        found = raw.outcomes(CONTRACT, [], np.arange(4) * HOUR, HOUR, due=due)
        assert isinstance(found.label, Categories)
        return {ts // HOUR: found.label.texts[code] for ts, code in zip(found.ts.tolist(), found.label.codes.tolist(), strict=True)}

    assert known(HOUR) == {0: "1", 1: "1"}
    assert known(0) == {0: "0", 1: "1", 2: "1"}
    assert known(9 * HOUR) == known(None) == {0: "0", 1: "1", 3: "1"}


def test_whatever_may_change_labelled_rows_of_a_slot_changes_its_trace(engine: Engine) -> None:
    """New events, labels, corrections and contested events do; others' do not."""
    raw, writer, outcomes = Raw(engine), Writer(engine), OutcomeStore(engine)

    def traces() -> dict[int, list[int]]:
        slots, numbers = raw.traces("m", HOUR)
        return dict(zip((slots // HOUR).tolist(), numbers.tolist(), strict=True))

    assert traces() == {}
    writer.predictions([(CONTRACT, predictions(list("abc"))), (_OTHER, predictions(list("abc")))], 0, "p")
    seen = [traces()]
    assert seen[0] == {hour: [1, 0, 0] for hour in range(3)}
    writer.labels({"m": labels(["a", "b"], "1")}, 0, "l1")
    outcomes.join("m", {}, {0: (1, 1)}, 5)
    seen.append(traces())
    writer.labels({"m": labels(["a"], "0", ts=9, position=2)}, 0, "l2")  # one that does not hold
    outcomes.join("m", {}, {0: (2, 2)}, 6)
    seen.append(traces())
    writer.predictions([(CONTRACT, predictions(["a"], position=3))], 1, "again")
    outcomes.find_contested("m", {1: (3, 3)}, 7)
    seen.append(traces())
    assert [one[0] for one in seen] == [[1, 0, 0], [1, 5, 0], [1, 6, 0], [2, 6, 7]]
    assert [one[1] for one in seen] == [[1, 0, 0], [1, 5, 0], [1, 5, 0], [1, 5, 0]]
