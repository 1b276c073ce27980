"""Both engines insert once, answer in full, take many threads, and raise our errors."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from core.error import Fatal, Retryable
from storage.facts.chdb import Chdb
from storage.facts.engine import Engine
from storage.facts.fault import REMEDIES, RETRYABLE, of

TABLE = (
    "CREATE TABLE t (x Int64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100"
)


def rows(*values: int) -> pa.Table:
    """These numbers and a text, as a dictionary."""
    return pa.table({"x": pa.array(values, pa.int64()), "s": pa.array(["a"] * len(values)).dictionary_encode()})


def test_only_a_token_makes_an_insert_happen_once(bare: Engine) -> None:
    """The same rows under a token are there once, and without one as often as they were inserted."""
    bare.define(TABLE)
    for token in ("a", "a", None, None):
        bare.insert("t", rows(1, 2), token)
    assert bare.query("SELECT count() AS n FROM t").to_pylist() == [{"n": 6}]


def test_an_insert_that_returned_can_be_read(bare: Engine) -> None:
    """Nothing is put off: each question sees what was inserted before it, and merging rows is not the insert's work."""
    bare.define("CREATE TABLE r (x Int64) ENGINE = ReplacingMergeTree ORDER BY x")
    for count in range(1, 4):
        bare.insert("r", pa.table({"x": [7, 7]}))
        assert bare.query("SELECT count() AS n FROM r").to_pylist() == [{"n": 2 * count}]


def test_texts_of_low_cardinality_travel_as_dictionaries(bare: Engine) -> None:
    """Both ways; plain texts come as strings."""
    bare.define(TABLE)
    bare.insert("t", rows(1, 2, 3))
    table = bare.query("SELECT s, toString(x) AS x FROM t ORDER BY x")
    assert pa.types.is_dictionary(table.schema.field("s").type)
    assert table["s"].cast(pa.string()).to_pylist() == ["a"] * 3
    assert table["x"].to_pylist() == ["1", "2", "3"]


@pytest.mark.parametrize("count", [3, 30_000], ids=["few", "many"])
def test_lists_arrive_as_they_were_sent(bare: Engine, count: int) -> None:
    """Quotes, braces, line ends and texts of other alphabets, in parameters short and long; a text that is a list, too."""
    texts = ["", "'", "\\", "\t\n", "{a:String}", "%s %(a)s", "Ωß漢", "', 1) --", "x"] * (count // 3)
    numbers = list(range(-5, count))
    sql = "SELECT {texts:Array(String)} AS texts, {numbers:Array(Int64)} AS numbers, {list:Array(Int64)} AS list, {short:String} AS short"
    parameters = {"texts": texts, "numbers": numbers, "list": f"[{','.join(map(str, numbers))}]", "short": "{texts:Array(String)}"}
    assert bare.query(sql, parameters).to_pylist() == [
        {"texts": texts, "numbers": numbers, "list": numbers, "short": "{texts:Array(String)}"}
    ]


def test_answers_of_millions_of_rows_come_whole(bare: Engine) -> None:
    """Three million rows, each where it belongs."""
    table = bare.query("SELECT number, toLowCardinality(toString(number % 10)) AS digit FROM numbers(3000000)")
    assert np.array_equal(table["number"].to_numpy(), np.arange(3_000_000))
    assert table["digit"].combine_chunks().cast(pa.string()).slice(2_999_999, 1).to_pylist() == ["9"]


def test_many_threads_write_and_read_at_once(bare: Engine) -> None:
    """Eight writers send every batch twice while eight readers count: each batch is there once, and no count falls."""
    bare.define(TABLE)

    def write(worker: int) -> None:
        for batch in range(8):
            for _ in range(2):
                bare.insert("t", rows(*range(1_000 * worker, 1_000 * worker + 50)), f"{worker}:{batch}")

    def read(_: int) -> list[int]:
        return [bare.query("SELECT count() AS n FROM t").to_pylist()[0]["n"] for _ in range(20)]

    with ThreadPoolExecutor(16) as pool:
        counts = [pool.submit(read, place) for place in range(8)]
        list(pool.map(write, range(8)))
        assert [found.result() for found in counts] == [sorted(found.result()) for found in counts]
    assert bare.query("SELECT count() AS n, uniqExact(x) AS distinct FROM t").to_pylist() == [{"n": 8 * 8 * 50, "distinct": 8 * 50}]


@pytest.mark.parametrize(
    ("sql", "kind", "words"),
    [
        (
            "SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000",
            Retryable,
            "MEMORY_LIMIT_EXCEEDED (241)",
        ),
        (
            "SELECT sleepEachRow(0.1) FROM numbers(20) SETTINGS max_execution_time = 1, max_block_size = 1",
            Retryable,
            "TIMEOUT_EXCEEDED (159)",
        ),
        ("SELECT * FROM nowhere", Fatal, "UNKNOWN_TABLE (60)"),
        ("SELECT nothing FROM numbers(1)", Fatal, "UNKNOWN_IDENTIFIER (47)"),
    ],
)
def test_a_fault_says_whether_to_go_on_and_leaves_no_trace(bare: Engine, sql: str, kind: type[Exception], words: str) -> None:
    """The message names the code and, where there is one, the remedy; the next answer is right."""
    with pytest.raises(kind, match=re.escape(words)):
        bare.query(sql)
    for n in range(3):
        assert bare.query("SELECT {n:Int64} AS n", {"n": n}).to_pylist() == [{"n": n}]


def test_rows_that_do_not_fit_are_refused_and_nothing_of_them_stays(bare: Engine) -> None:
    """Unknown columns and texts for numbers; the columns that fit are not inserted either."""
    bare.define(TABLE)
    with pytest.raises(Fatal, match="NO_SUCH_COLUMN_IN_TABLE"):
        bare.insert("t", pa.table({"x": [1], "y": [2]}))
    with pytest.raises(Fatal, match="CANNOT_PARSE_TEXT"):
        bare.insert("t", pa.table({"x": ["1", "one"]}))
    assert bare.query("SELECT count() AS n FROM t").to_pylist() == [{"n": 0}]


def test_the_names_of_codes_are_those_of_the_engine(bare: Engine) -> None:
    """Every code of the table has the name that ClickHouse gives it, and every remedy is for a code that exists."""
    codes = sorted(RETRYABLE | REMEDIES)
    names = bare.query("SELECT arrayMap(code -> errorCodeToName(code), {codes:Array(UInt32)}) AS names", {"codes": codes}).to_pylist()[0][
        "names"
    ]
    assert {code: name for code, name in zip(codes, names, strict=True) if code in RETRYABLE} == RETRYABLE
    assert "" not in names


def test_a_server_behind_a_gateway_is_away_when_the_gateway_says_so() -> None:
    """502, 503 and 504 without a code of ClickHouse are Retryable, 404 is Fatal."""
    said = "HTTP driver received HTTP status {}, server response: x"
    kinds = {status: type(of(DatabaseError(said.format(status)), "here")) for status in (404, 502, 503, 504)}
    assert kinds == {404: Fatal, 502: Retryable, 503: Retryable, 504: Retryable}


def test_a_folder_belongs_to_one_process(tmp_path: Path) -> None:
    """Another folder in the same process is refused with the remedy, and after `close` it can be opened."""
    first = Chdb(tmp_path / "one")
    first.ping()
    with pytest.raises(Fatal, match="another --data"):
        Chdb(tmp_path / "two")
    first.close()
    second = Chdb(tmp_path / "two")
    began = time.monotonic()
    second.ping()
    second.close()
    assert time.monotonic() - began < 30


def test_threads_that_come_and_go_leave_no_clients_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process a client serves one thread after the other, as many as are wanted at once; one that failed serves nobody any more."""
    engine, opened = Chdb(tmp_path), list[object]()
    open_ = engine._open

    def noted(database: str | None) -> object:
        opened.append(client := open_(database))
        return client

    monkeypatch.setattr(engine, "_open", noted)
    for _ in range(20):
        thread = threading.Thread(target=engine.ping)
        thread.start()
        thread.join()
    assert len(opened) == 1
    with engine._lent() as first, engine._lent() as second:
        assert opened == [first, second]
    with pytest.raises(Fatal):
        engine.query("SELECT * FROM nowhere")  # by the one that came back last
    with engine._lent() as third, engine._lent() as fourth:
        assert third is second
        assert opened == [first, second, fourth]
    engine.close()
    assert engine._idle == []
