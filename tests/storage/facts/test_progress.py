"""The progress of ingest is exact, also if batches are written twice, and its cost does not grow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import pyarrow as pa

from core import moment
from storage.facts.engine import Engine
from storage.facts.progress import NEVER, Batches, Progress
from storage.facts.retention import retain
from storage.facts.writer import Writer

HOUR = moment.HOUR


def batch(
    last: int, rows: int = 1, *, model: str = "m", topic: str = "predictions", partition: int = 0, at: int = 5
) -> dict[str, str | int]:
    """The row of a batch of ten positions, whose events are of the time `at` and were logged then."""
    place: dict[str, str | int] = {"model": model, "topic": topic, "partition": partition, "first": last - 9, "last": last}
    return {
        **place,
        "rows": rows,
        "duplicates": 2,
        "rejected": 3,
        "outside": 0,
        **dict.fromkeys(("first_ts", "last_ts", "watermark", "logged"), at),
    }


class Asked:
    """An engine that notes how each question would be answered."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.plans: list[str] = []

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Ask, and note the plan."""
        self.plans.append("\n".join(self._engine.query(f"EXPLAIN {sql}", parameters)["explain"].to_pylist()))
        return self._engine.query(sql, parameters)


def test_progress_is_what_was_committed_last(engine: Engine) -> None:
    """Positions are told by topic and partition, the watermark is the latest event time."""
    Writer(engine).batches([{**batch(14), "watermark": 5, "first_ts": 2}])
    Writer(engine).batches([{**batch(26), "watermark": 3, "first_ts": 1}])
    Writer(engine).batches([batch(38, topic="labels", at=99)])
    progress = Batches(engine).progress(0)["m"]
    assert progress == Progress({0: 26}, {0: 38}, watermark=5, first_ts=1, last_ts=5, logged=5)


def test_what_comes_during_a_question_is_told_whole_or_not_at_all(engine: Engine) -> None:
    """No watermark is ahead of the positions."""

    class Growing:
        def query(self, *asked: Any) -> pa.Table:
            answer = engine.query(*asked)
            Writer(engine).batches([batch(14, model="new")])
            return answer

    assert Batches(cast("Engine", Growing())).progress(0) == {}
    progress = Batches(engine).progress(0)["new"]
    assert (progress.predictions, progress.watermark) == ({0: 14}, 5)


def test_totals_count_a_batch_once_and_ask_only_for_what_is_new(engine: Engine) -> None:
    """Written again, before or after it was counted, whole or one model of it, a batch is there once; another reader from the beginning agrees."""
    writer, batches = Writer(engine), Batches(engine)
    assert batches.totals() == {}
    first = [batch(10, 4), batch(10, 5, model="n")]
    for _ in range(2):
        writer.batches(first)
    assert batches.totals() == {"predictions": {"rows": 9, "duplicates": 4, "rejected": 6}}
    writer.batches(first[1:])
    writer.batches([batch(20, 7)])
    writer.batches([batch(30, 1, model="n", topic="labels", partition=1)])
    expected = {"predictions": {"rows": 16, "duplicates": 6, "rejected": 9}, "labels": {"rows": 1, "duplicates": 2, "rejected": 3}}
    for reader in (batches, batches, Batches(engine)):
        assert reader.totals() == expected
    # What a reader has counted it does not read again.
    engine.command("ALTER TABLE batches UPDATE rows = 1000 WHERE last = 10 SETTINGS mutations_sync = 1")
    assert batches.totals() == expected


def test_totals_begin_anew_where_the_tables_were_restored(engine: Engine) -> None:
    """The last known batch is gone, and another one of other positions is there."""
    writer, batches = Writer(engine), Batches(engine)
    for last in (10, 20, 30):
        writer.batches([batch(last, 5)])
    assert batches.totals()["predictions"]["rows"] == 15
    engine.command("ALTER TABLE batches DELETE WHERE last > 10 SETTINGS mutations_sync = 1")
    assert batches.totals()["predictions"]["rows"] == 5
    writer.batches([batch(25, 2)])
    writer.batches([batch(45, 1)])
    assert batches.totals()["predictions"]["rows"] == 8


def test_a_round_costs_the_same_however_many_batches_there_are(engine: Engine) -> None:
    """Progress is read from what each part has summed up: a few rows for each partition, and the same answer, written twice or merged."""
    rows = {last: batch(last, model="m" if last % 20 else "n", partition=last % 3, at=last) for last in range(10, 30_000, 10)}
    for _ in range(2):
        Writer(engine).batches(list(rows.values()))
    retain(engine, 30 * moment.DAY)
    batches = Batches(engine, retention=30 * moment.DAY)
    now = 30 * moment.DAY + moment.HOUR
    expected = Progress({0: 29_970, 1: 29_950, 2: 29_990}, {}, 29_990, 10, 29_990, 29_990, 29_990)
    for _ in range(2):
        found = batches.progress(now)
        assert found["m"] == expected
        assert set(found) == {"m", "n"}
        engine.command("OPTIMIZE TABLE batches FINAL")
    asked = Asked(engine)
    Batches(cast("Engine", asked), retention=30 * moment.DAY).progress(now)
    assert len(asked.plans) == 2
    for plan in asked.plans:
        assert re.findall(r"ReadFromMergeTree \((\w+)\)", plan) in (["by_partition"], ["by_hour"]), plan


def test_slots_whose_events_may_be_gone_are_frozen(engine: Engine) -> None:
    """Frozen is the latest event time of the batches that were logged before the limit, or in its hour; without a limit nothing is."""
    hours = {1: 50, 2: 90, 3: 70}
    for hour, ts in hours.items():
        Writer(engine).batches([{**batch(10 * hour, at=ts), "logged": hour * HOUR + 7}])
    Writer(engine).batches([{**batch(40, topic="labels", at=1_000), "logged": HOUR}, {**batch(50, 0, at=1_000), "logged": HOUR}])
    frozen = {limit: Batches(engine, retention=100).progress(limit + 100)["m"].frozen for limit in (HOUR, HOUR + 8, 2 * HOUR + 8, 9 * HOUR)}
    assert frozen == {HOUR: NEVER, HOUR + 8: 50, 2 * HOUR + 8: 90, 9 * HOUR: 90}
    assert Batches(engine).progress(9 * HOUR)["m"].frozen == NEVER
