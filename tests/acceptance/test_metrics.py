"""Metrics of events from the API to the webhook: each process measures the steps that it does."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from pathlib import Path
from typing import cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.clock import ManualClock
from core.error import Retryable
from ingest.embedded_log import EmbeddedLog
from ingest.ports import CommittedPosition
from ingest.record import Batch, Events, Topic
from tests.acceptance import backend
from watchkeeper.application import create_application
from watchkeeper.embedded import Embedded
from watchkeeper.settings.settings import load
from watchkeeper.telemetry.ingest_metrics import IngestMetrics


async def test_the_way_of_a_batch_is_measured(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Metrics count rows, sizes, inserts of each table, delays, the watermark and memory, and a line of the log has the batch's token."""
    caplog.set_level(logging.DEBUG, "ingest.write")
    now = int(time.time() * 1_000)
    events = [{"prediction_id": f"p{i}", "model": "m", "ts": now - 60_000, "features": {"x": i, "c": "a"}, "prediction": 1} for i in (1, 2)]
    with Embedded(load(None, data=tmp_path, port=0, ingest={"silence": "1s"})) as whole:
        whole.stores.control.save_contract(backend.contract("m"), content="x", reference=None)
        application = create_application(whole)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://127.0.0.1") as client:
            (await client.post("/v1/predictions", json=events)).raise_for_status()
            until = time.monotonic() + 300
            while time.monotonic() < until and not (await client.get("/v1/status")).json()["quiet"]:  # noqa: ASYNC110 - it is other threads that are waited for
                await asyncio.sleep(0.1)
            text = (await client.get("/metrics")).text
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }
    (line,) = [vars(record) for record in caplog.records if record.message == "a batch is written"]
    assert (line["token"], line["topic"], line["rows"]) == ("log:predictions:0:1:1:1", "predictions", 2)
    assert found["watchkeeper_ingested_rows_total", "predictions"] == 2
    assert found["watchkeeper_ingest_batch_records_count", "predictions"] == 1
    assert found["watchkeeper_ingest_batch_bytes_sum", "predictions"] > 100
    assert {table: found["watchkeeper_insert_seconds_count", table] for table in ("predictions", "panes", "batches")} == {
        "predictions": 1, "panes": 1, "batches": 1,
    }  # fmt: skip
    assert ("watchkeeper_insert_seconds_count", "labels") not in found
    assert 0 < found["watchkeeper_ingest_delay_seconds_sum", "predictions"] < 30
    assert found["watchkeeper_ingest_lag_seconds", "predictions"] == 0
    assert 50 < found["watchkeeper_watermark_lag_seconds", "m"] < 120
    assert found["watchkeeper_evaluation_step_seconds_count",] >= 1
    assert found["watchkeeper_notifications", "pending"] == 0
    assert found["process_resident_memory_bytes",] > 1e7


def test_the_lag_is_the_age_of_what_waits_and_ends_when_it_is_written(tmp_path: Path) -> None:
    """It counts assigned partitions only, and a second batch that is read meanwhile does not hide the first."""
    clock, held = ManualClock(100_000_000), {("predictions", 0)}
    log = EmbeddedLog(tmp_path / "log.sqlite")
    flow = IngestMetrics(clock, lambda: held)  # type: ignore[arg-type,return-value]  # topics are literals
    watched = flow.log(log)
    for at in (40_000_000, 90_000_000):
        log.append("predictions", "json", b"[]", at, None).result(300)

    def lag() -> float:
        (family,) = [family for family in flow.collect() if family.name == "watchkeeper_ingest_lag_seconds"]
        return {sample.labels["topic"]: sample.value for sample in family.samples}["predictions"]

    assert lag() == 0
    batches: list[Batch] = []
    for _ in range(2):
        records, last = watched.read("predictions", 0, len(batches) + 1, until=None, most=1)
        batches.append(Batch("predictions", 0, len(batches) + 1, last, records))
    assert lag() == 60
    flow.written(Events(batches[0]))
    assert lag() == 10
    held.clear()
    assert lag() == 0
    log.close()


def test_an_insert_that_fails_is_not_timed(tmp_path: Path) -> None:
    """The histogram counts successful inserts only."""

    class Broken:
        def batches(self, rows: object) -> None:
            raise Retryable("the store is away")

    flow = IngestMetrics(ManualClock(0), set)
    with pytest.raises(Retryable):
        flow.store(Broken()).batches([{}])  # type: ignore[arg-type]  # what is not called need not be there
    assert [s for family in flow.collect() for s in family.samples if s.name == "watchkeeper_insert_seconds_count"] == []


def test_a_partition_that_comes_back_forgets_what_was_under_way_while_others_are_read(tmp_path: Path) -> None:
    """Also if another thread reads meanwhile."""
    appended = EmbeddedLog(tmp_path / "log.sqlite")
    for _ in range(20):
        appended.append("labels", "json", b"[]", 0, None).result(300)
    log, starts = IngestMetrics(ManualClock(0), set).log(appended), itertools.count(1)

    class Meanwhile(str):
        """A topic that reads a batch of another one whenever the two are compared."""

        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            log.read("labels", 0, next(starts), until=None, most=1)
            return str.__eq__(self, other)

    for _ in range(3):
        log.read("labels", 0, next(starts), until=None, most=1)
    assert log.committed(cast("Topic", Meanwhile("predictions")), 0) == CommittedPosition(1, None)
    assert next(starts) == 7
    appended.close()
