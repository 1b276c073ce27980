"""The fact tables return what was written, once, and join labels and predictions whichever came first."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.block import Categories, Labels, Predictions
from core.contract import Column, Contract, Dimension, Kind, Task
from core.error import ConfigError
from core.reading import Query
from detectors.summary.inputs import InputSummary
from detectors.summary.vector_column import column
from storage.facts.engine import Engine
from storage.facts.outcome_store import OutcomeStore
from storage.facts.panes import Panes
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from storage.facts.retention import TABLES, retain
from storage.facts.writer import Writer

HOUR = moment.HOUR
CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.BINARY,
    features=(
        Column(name="x", kind=Kind.NUMERIC, edges=(0.0,)),
        Column(name="c", kind=Kind.CATEGORICAL, categories=("a", "b")),
        Column(name="y", kind=Kind.NUMERIC, edges=(1.0,)),
    ),
    outputs=(Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1")),),
    dimensions=(Dimension(name="c", values=("a", "b")),),
    classes=("0", "1"),
    scored=True,
)


def predictions(ids: list[str], *, start: int = 0, position: int = 1) -> Predictions:
    """One event an hour from hour `start` on, all in one record of the log."""
    n = len(ids)
    return Predictions(
        id=np.array(ids, object),
        ts=(start + np.arange(n)) * HOUR + 5,
        version=Categories.of(["1"] * n),
        role=Categories.of(["champion"] * n),
        prediction=Categories.of([str(i % 2) for i in range(n)]),
        score=np.linspace(0.1, 0.9, n),
        probabilities=None,
        numbers=(np.array([np.nan, np.inf, *range(n)])[:n], np.arange(n) / 3),
        texts=(Categories.of([["a", "null", "invalid", "%6Eull", "b"][i % 5] for i in range(n)]),),
        extra=np.array(["", '{"caller":"z"}'] * n, object)[:n],
        position=np.full(n, position),
        row=np.arange(n),
        logged=np.full(n, 1_700_000_000_000_000 + position),
    )


def labels(ids: list[str], text: str, *, ts: int = 10, position: int = 1, deleted: bool = False) -> Labels:
    n = len(ids)
    return Labels(
        id=np.array(ids, object),
        ts=np.full(n, ts),
        text=np.array([text] * n, object),
        number=np.full(n, float(text or "nan")),
        weight=np.ones(n),
        deleted=np.full(n, deleted),
        prediction_ts=np.zeros(n, np.int64),
        position=np.full(n, position),
        row=np.arange(n),
        logged=np.full(n, 1_700_000_000_000_000 + position),
    )


def known(engine: Engine, slots: list[int]) -> list[tuple[int, str]]:
    """(hour, label) of the outcomes in these hours."""
    block = Raw(engine).outcomes(CONTRACT, ["c"], np.array(slots) * HOUR, HOUR)
    assert isinstance(block.label, Categories)
    return sorted(zip((block.ts // HOUR).tolist(), [block.label.texts[code] for code in block.label.codes], strict=True))


def test_raw_events_come_back_as_they_were(engine: Engine) -> None:
    """Nulls, invalid cells, reserved texts and order of columns survive; a second insert under the token changes nothing."""
    block = predictions(list("pqrst"))
    for _ in range(2):
        Writer(engine).predictions([(CONTRACT, block)], 0, "t1")
    back = Raw(engine).predictions(CONTRACT, np.arange(5) * HOUR, HOUR)
    order = np.argsort(back.ts)
    back = back.take(order)
    assert back.id.tolist() == block.id.tolist()
    assert back.ts.tolist() == block.ts.tolist()
    for ours, theirs in zip(back.numbers, block.numbers, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours_c, theirs_c in zip(back.texts, block.texts, strict=True):
        assert [ours_c.texts[k] for k in ours_c.codes] == [theirs_c.texts[k] for k in theirs_c.codes]
    assert back.extra.tolist() == block.extra.tolist()
    np.testing.assert_array_equal(back.score, block.score)


def test_vectors_come_back_as_they_were(engine: Engine) -> None:
    """Of two columns of different lengths, with rows that have none; in a table with events of a model that has no vectors, in one insert."""
    two = msgspec.structs.replace(CONTRACT, model="v", features=(*CONTRACT.features, column("e", 3), column("f", 2)))
    e, f = (np.arange(15).reshape(5, 3) / 3).astype(np.float32), np.full((5, 2), 1e-38, np.float32)
    e[1], f[3] = np.nan, np.nan
    plain = predictions(list("pqrst"))
    state = [Categories(np.isnan(one[:, 0]).astype(np.int32), ("vector", "invalid")) for one in (e, f)]
    block = replace(plain, texts=(*plain.texts, *state), vectors=(e, f))
    Writer(engine).predictions([(two, block), (CONTRACT, plain)], 0, "t1")
    back = Raw(engine).predictions(two, np.arange(5) * HOUR, HOUR)
    back = back.take(np.argsort(back.ts))
    for ours, theirs in zip(back.vectors, (e, f), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == np.float32
    assert Raw(engine).predictions(CONTRACT, np.arange(5) * HOUR, HOUR).vectors == ()
    assert [len(vectors) for vectors in Raw(engine).predictions(two, np.array([99 * HOUR]), HOUR).vectors] == [0, 0]


def test_dimensions_are_texts_whatever_the_column_was(engine: Engine) -> None:
    """Of a number column as of a text column, with nulls and invalid cells; null where there is no such column."""
    Writer(engine).predictions([(CONTRACT, predictions(list("abcde")))], 0, "p")
    Writer(engine).labels({"m": labels(list("abcde"), "1")}, 0, "l")
    OutcomeStore(engine).join("m", {0: (1, 1)}, {0: (1, 1)}, 1)
    block = Raw(engine).outcomes(CONTRACT, ["x", "none", "c"], np.arange(5) * HOUR, HOUR)
    found = {name: [held.texts[code] for code in held.codes[np.argsort(block.ts)]] for name, held in block.dimensions.items()}
    assert found == {"x": ["null", "invalid", "0", "1", "2"], "none": ["null"] * 5, "c": ["a", "null", "invalid", "%6Eull", "b"]}


def test_a_signal_to_segment_by_is_that_of_events_from_before_there_was_the_signal(engine: Engine) -> None:
    """It is taken from what raw events keep beside their columns."""
    sent = ['{"caller":"a=b","status":"ok"}', "", '{"status":"error"}', '{"invalid":["status"]}']
    Writer(engine).predictions([(CONTRACT, replace(predictions(list("abcd")), extra=np.array(sent, object)))], 0, "p")
    Writer(engine).labels({"m": labels(list("abcd"), "1")}, 0, "l")
    OutcomeStore(engine).join("m", {0: (1, 1)}, {0: (1, 1)}, 1)
    found = Raw(engine).outcomes(CONTRACT, ["@status", "@caller"], np.arange(4) * HOUR, HOUR)
    order = np.argsort(found.ts)
    texts = {name: [values.texts[code] for code in values.codes[order]] for name, values in found.dimensions.items()}
    assert texts == {"@status": ["ok", "null", "error", "invalid"], "@caller": ["a%3Db", "null", "null", "null"]}


def test_times_before_1970_have_their_slots(engine: Engine) -> None:
    """An event of 1949 falls into the hour that it happened in."""
    block = replace(predictions(["old"]), ts=np.array([-184_000 * HOUR - 1]))
    Writer(engine).predictions([(CONTRACT, block)], 0, "t")
    assert Raw(engine).slots("m", HOUR).tolist() == [-184_001 * HOUR]
    assert len(Raw(engine).predictions(CONTRACT, np.array([-184_001 * HOUR]), HOUR)) == 1


def test_a_dead_letter_is_there_once(engine: Engine) -> None:
    """Sent again, without any token, it is the same row."""
    letter: dict[str, str | int] = {
        "topic": "labels",
        "partition": 2,
        "position": 7,
        "row": 0,
        "model": "",
        "field": "ts",
        "reason": "no time",
        "logged": 5,
    }
    for _ in range(2):
        Writer(engine).dead_letters([letter])
    found = engine.query("SELECT * REPLACE (toUnixTimestamp64Micro(logged) AS logged) FROM dead_letters FINAL").to_pylist()
    assert found == [{"place" if name == "row" else name: value for name, value in letter.items()}]


def test_truth_joins_whichever_came_first(engine: Engine) -> None:
    """Labels before, after, corrected, out of order and retracted end in the truth that holds."""
    writer, truth = Writer(engine), OutcomeStore(engine)
    writer.predictions([(CONTRACT, predictions(["a", "b", "c"]))], 0, "p1")
    writer.labels({"m": labels(["a", "late"], "1", position=1)}, 0, "l1")
    truth.join("m", {0: (1, 1)}, {0: (1, 1)}, 2)
    assert known(engine, [0, 1, 2, 3]) == [(0, "1")]
    assert truth.joined("m", 2, HOUR).tolist() == [0]
    # The prediction of a label that waits comes; a correction with a later time wins, one with an earlier time does not.
    writer.predictions([(CONTRACT, predictions(["late"], start=3, position=2))], 0, "p2")
    writer.labels({"m": labels(["a"], "0", ts=20, position=2)}, 0, "l2")
    writer.labels({"m": labels(["a"], "1", ts=15, position=3)}, 0, "l3")
    truth.join("m", {0: (2, 2)}, {0: (2, 3)}, 5)
    assert known(engine, [0, 1, 2, 3]) == [(0, "0"), (3, "1")]
    # A retraction is a label; a label after it holds again.
    writer.labels({"m": labels(["a", "late"], "", ts=30, position=4, deleted=True)}, 0, "l4")
    truth.join("m", {}, {0: (4, 4)}, 6)
    assert known(engine, [0, 1, 2, 3]) == []
    writer.labels({"m": labels(["late"], "0", ts=31, position=5)}, 0, "l5")
    truth.join("m", {}, {0: (5, 5)}, 7)
    assert known(engine, [0, 1, 2, 3]) == [(3, "0")]


def test_a_stale_owner_cannot_win(engine: Engine) -> None:
    """An outcome joined under a lower generation does not replace a newer one."""
    writer, truth = Writer(engine), OutcomeStore(engine)
    writer.predictions([(CONTRACT, predictions(["a"]))], 0, "p")
    writer.labels({"m": labels(["a"], "1")}, 0, "l1")
    truth.join("m", {}, {0: (1, 1)}, 9)
    engine.command("INSERT INTO outcomes SELECT * REPLACE ('0' AS text, 3 AS generation) FROM outcomes")
    assert known(engine, [0]) == [(0, "1")]


def test_what_a_step_wrote_is_found_without_the_rest(engine: Engine) -> None:
    """Of a hundred thousand outcomes and beaten events of other steps hardly any is looked at, as the index by generation says."""
    for table in ("outcomes", "contested"):
        sql = f"INSERT INTO {table} (model, ts, prediction_id, generation) SELECT 'm', fromUnixTimestamp64Micro(number * 3600000000, 'UTC'), 'a', {{g:UInt64}} + intDiv(number, 1000)"
        engine.command(f"{sql} FROM numbers(100000)", {"g": 1})
        engine.command(f"OPTIMIZE TABLE {table} FINAL")
        engine.command(f"{sql} FROM numbers(5)", {"g": 500})
        plan = engine.query(f"EXPLAIN indexes = 1 SELECT ts FROM {table} WHERE model = 'm' AND generation = 500")["explain"].to_pylist()
        read = plan[next(place for place, line in enumerate(plan) if "by_generation" in line) :]
        assert next(line.strip() for line in read if "Granules" in line).startswith("Granules: 1/")
    assert OutcomeStore(engine).joined("m", 500, HOUR).tolist() == [hour * HOUR for hour in range(5)]


def pane_rows(start: int, count: int) -> pa.Table:
    one = {
        "slot": start,
        "version": "1",
        "role": "champion",
        "column": "x",
        "bin": [0, 2],
        "count": [count, 1],
        "sum": [0.5, 0.0],
        "below": 0,
        "above": 1,
        "n": count + 1,
    }
    rows = [{**one, "segment": segment} for segment in ("all", "c=a")]
    rows += [{**one, "segment": "all", "column": "@prediction", "bin": [0], "count": [count + 1], "sum": [0.0]}]
    schema = {"slot": pa.int64(), "version": pa.string(), "role": pa.string(), "segment": pa.string(), "column": pa.string()}
    lists = {"bin": pa.list_(pa.uint16()), "count": pa.list_(pa.uint64()), "sum": pa.list_(pa.float64())}
    counts = {"below": pa.uint64(), "above": pa.uint64(), "n": pa.uint64()}
    return InputSummary.from_columns(pa.Table.from_pylist(rows, pa.schema({**schema, **lists, **counts}))).to_columns()


def test_values_that_the_reference_does_not_have_are_told_with_their_events(engine: Engine) -> None:
    """The most frequent first; null, invalid and known values are none, an event that came twice counts once, and other slots do not count."""
    writer, raw = Writer(engine), Raw(engine)
    ids, slots = [f"e{place}" for place in range(9)], np.arange(9) * HOUR
    writer.predictions([(CONTRACT, predictions(ids))], 0, None)
    writer.predictions([(CONTRACT, predictions(ids[:4], position=2))], 0, None)
    assert raw.unseen(CONTRACT, ["c"], slots, 5)["c"] == [("%6Eull", 2)]
    assert raw.unseen(CONTRACT, ["c"], slots[:4], 5)["c"] == [("%6Eull", 1)]
    first, town, *more = CONTRACT.features
    other = msgspec.structs.replace(CONTRACT, features=(first, msgspec.structs.replace(town, categories=("%6Eull",), others=()), *more))
    assert raw.unseen(other, ["c"], slots, 1)["c"] == [("a", 2)]


def test_panes_add_up_once(engine: Engine) -> None:
    """Partial panes of a slot add up, a repeated token does not, and windows are composed of slots."""
    writer, panes = Writer(engine), Panes(engine)
    for slot, rows, token in ((0, 3, "b1"), (0, 3, "b1"), (0, 4, "b2"), (HOUR, 5, "b3")):
        writer.panes([(CONTRACT, pane_rows(slot, rows))], token)
    table = panes.inputs(CONTRACT, ["x"], ["bin", "count"], ["", "c"], 2 * HOUR, (0, 2 * HOUR))
    found = {row["segment"]: dict(zip(row["bin"], row["count"], strict=True)) for row in table.to_pylist()}
    assert found == {"all": {0: 12, 2: 3}, "c=a": {0: 12, 2: 3}}
    held, versions = panes.held(CONTRACT), [row[:2] for row in panes.versions(CONTRACT)]
    assert [values.tolist() for values in panes.slots(CONTRACT)] == [[0, HOUR], [9, 6]] == [values.tolist() for values in held[:2]]
    assert held[2:] == (panes.segments(CONTRACT), versions)


def test_a_rebuilt_slot_replaces_what_ingest_added(engine: Engine) -> None:
    """Once a slot is declared rebuilt only its newest generation counts; until then nothing changes."""
    writer, panes = Writer(engine), Panes(engine)
    writer.panes([(CONTRACT, pane_rows(0, 3))], "b1")
    writer.panes([(CONTRACT, pane_rows(HOUR, 3))], "b2")
    writer.panes([(CONTRACT, pane_rows(0, 7))], None, 100)
    assert panes.slots(CONTRACT)[1].tolist() == [4, 4]
    writer.rebuilt(CONTRACT, [0], 100)
    assert panes.slots(CONTRACT)[1].tolist() == [8, 4]
    assert panes.histogram(CONTRACT, "x", "all", (0, 2 * HOUR)).tolist() == [10, 0, 2, 0]


def reading_rows(revision: int, value: float, version: int = 1) -> pa.Table:
    n = 5
    constants = {
        "monitor": "w",
        "model": "m",
        "version": "all",
        "measure": "drift.psi",
        "params": "{}",
        "baseline": "reference",
        "column": "x",
    }
    return pa.table(
        {
            **{name: [text] * n for name, text in constants.items()},
            "segment": ["all"] * 3 + ["c=a"] * 2,
            "window_start": [0, HOUR, 2 * HOUR, 0, HOUR],
            "window_end": [HOUR, 2 * HOUR, 3 * HOUR, HOUR, 2 * HOUR],
            **{name: pa.nulls(n, pa.float64()) for name in ("lower", "upper", "baseline_value", "n_effective")},
            "value": [value] * n,
            "n_target": pa.array([7] * n, pa.uint64()),
            "n_baseline": pa.array([7] * n, pa.uint64()),
            "threshold": ["{}"] * n,
            "verdict": ["ok"] * n,
            "reason": pa.nulls(n, pa.string()),
            "revision": pa.array([revision] * n, pa.uint32()),
            "evidence": ["{}"] * n,
            "monitor_version": pa.array([version] * n, pa.uint32()),
            "contract": pa.array([1] * n, pa.uint32()),
            "evaluated": [0] * n,
        }
    )


def test_readings_are_paged_and_newest_wins(engine: Engine) -> None:
    """Pages follow each other without gap or overlap; only the newest revision of the current definition is shown."""
    writer, readings = Writer(engine), Readings(engine)
    for revision in (1, 2):
        writer.readings([reading_rows(revision, revision / 10)])
    writer.readings([reading_rows(7, 9.0, version=2)])
    current = {("m", "w"): (1, 1)}
    after, seen = None, []
    while True:
        table, after = readings.read(Query(model="m", limit=2, after=after), current)
        seen += [(row["window_start"] // HOUR, row["segment"], row["value"]) for row in table.to_pylist()]
        if after is None:
            break
    assert seen == [(0, "all", 0.2), (0, "c=a", 0.2), (1, "all", 0.2), (1, "c=a", 0.2), (2, "all", 0.2)]
    assert readings.read(Query(segment="c"), current)[0].num_rows == 2
    assert readings.read(Query(segment="all", start=HOUR, end=2 * HOUR), current)[0].num_rows == 1
    assert [readings.read(Query(columns=names), current)[0].num_rows for names in (("x", "y"), ("y",))] == [5, 0]
    assert readings.read(Query(newest=False), current)[0].num_rows == 10
    assert readings.read(Query(), {})[0].num_rows == 0
    with pytest.raises(ConfigError, match="cursor"):
        readings.read(Query(after="nonsense"), current)


def test_readings_whose_windows_begin_together_do_not_replace_each_other(engine: Engine) -> None:
    """A reading is known by both ends of its window: of a month to date every day's stays, in a page's order of ends, and each has its own revisions."""
    writer, readings, ends = Writer(engine), Readings(engine), [3 * HOUR, HOUR, 2 * HOUR]
    for revision in (1, 2):
        for end in ends:
            row = reading_rows(revision, float(end // HOUR)).slice(0, 1)
            writer.readings([row.set_column(row.schema.get_field_index("window_end"), "window_end", pa.array([end]))])
    engine.command("OPTIMIZE TABLE readings FINAL")
    first, after = readings.read(Query(limit=2), {("m", "w"): (1, 1)})
    second, _ = readings.read(Query(limit=2, after=after), {("m", "w"): (1, 1)})
    found = [(row["window_end"], row["value"], row["revision"]) for page in (first, second) for row in page.to_pylist()]
    assert found == [(HOUR, 1.0, 2), (2 * HOUR, 2.0, 2), (3 * HOUR, 3.0, 2)]
    assert readings.newest("m", {"w": 1}, (0, HOUR))["w"].num_rows == 3
    assert readings.read(Query(newest=False), {("m", "w"): (1, 1)})[0].num_rows == 6
    windows, counts = readings.evaluated("m", {"w": 1}, 1)["w"]
    assert (windows.pairs(), counts.tolist()) == ([(0, end) for end in sorted(ends)], [1, 1, 1])


def test_a_page_of_readings_takes_the_memory_of_a_page(engine: Engine) -> None:
    """Whatever there is besides, of what is wide only the page is read: ten of four thousand readings whose evidence is long."""

    class Narrow:
        def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
            return engine.query(
                f"{sql}{',' if 'SETTINGS' in sql else ' SETTINGS'} max_memory_usage = 50000000, max_threads = 1", parameters
            )

    engine.command(
        "INSERT INTO readings (model, monitor, monitor_version, contract, column, segment, window_start, revision, evidence)"
        " SELECT 'm', 'w', 1, 1, toString(number % 4), 'all', toDateTime64(3600 * intDiv(number, 4), 6), 1, randomPrintableASCII(20000) FROM numbers(4000)"
    )
    readings = Readings(cast("Engine", Narrow()))
    page, after = readings.read(Query(limit=10), {("m", "w"): (1, 1)})
    assert [row["window_start"] // HOUR for row in page.to_pylist()] == [0] * 4 + [1] * 4 + [2] * 2
    page, _ = readings.read(Query(limit=10, after=after), {("m", "w"): (1, 1)})
    assert [row["column"] for row in page.to_pylist()] == list("2301230123")


def test_retention_counts_from_the_log_and_is_off(engine: Engine) -> None:
    """Events of 1970 that were logged lately stay; those logged before the limit go; without a limit all stay."""
    writer, raw, lately = Writer(engine), Raw(engine), int(time.time()) * moment.SECOND
    writer.predictions([(CONTRACT, predictions(["old"]))], 0, "t1")
    writer.predictions([(CONTRACT, replace(predictions(["new"]), logged=np.array([lately])))], 0, "t2")
    retain(engine, None)
    engine.command("OPTIMIZE TABLE predictions FINAL")
    assert {key for _, ids in raw.ids(0, 0, 9) for key in ids} == {"old", "new"}
    retain(engine, 30 * moment.DAY)
    engine.command("OPTIMIZE TABLE predictions FINAL")
    assert {key for _, ids in raw.ids(0, 0, 9) for key in ids} == {"new"}
    assert limits(engine) == ["toDateTime(logged) + toIntervalSecond(2592000)"] * 3
    changed = "SELECT name, metadata_modification_time AS at FROM system.tables WHERE database = currentDatabase() ORDER BY name"
    before = engine.query(changed)
    time.sleep(1.1)  # the engine counts these times in seconds
    retain(engine, 30 * moment.DAY)
    assert engine.query(changed) == before
    retain(engine, None)
    assert limits(engine) == [""] * 3


def limits(engine: Engine) -> list[str]:
    """The times to live of the tables that have one when it is set."""
    sql = (
        "SELECT extract(create_table_query, ' TTL (.+?) SETTINGS') AS ttl FROM system.tables"
        " WHERE database = currentDatabase() AND name IN {tables:Array(String)}"
    )
    return [row["ttl"] for row in engine.query(sql, {"tables": list(TABLES)}).to_pylist()]
