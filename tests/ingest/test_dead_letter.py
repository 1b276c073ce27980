"""What becomes a dead letter, and what a consumer does with it before anything else of the batch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.contract import Contract
from ingest import halt
from ingest.consumer import Consumer, Limits
from ingest.dead_letter import DeadLetter, letters
from ingest.decoding import Decode
from ingest.embedded_log import EmbeddedLog
from ingest.halt import Halt
from ingest.ports import CommittedPosition
from ingest.record import Batch, LogRecord
from storage.facts.chdb import Chdb
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.acceptance import backend
from tests.ingest.decode.events import CONTRACTS, NOW, event


def dead(*bodies: bytes) -> list[tuple[bytes, bytes, str]]:
    """Key, value and field of the dead letters of records 5, 6, ... of partition 3."""
    records = [LogRecord(5 + i, NOW, "json", body) for i, body in enumerate(bodies)]
    events = Decode(CONTRACTS.get)(Batch("predictions", 3, 5, 4 + len(records), records))
    return [(letter.key(), letter.body, letter.field) for letter in letters(events)]


def test_what_is_used_leaves_no_dead_letter() -> None:
    """A good record, and one with a bad cell."""
    assert dead(json.dumps(event()).encode(), json.dumps(event(features={"age": "x"})).encode()) == []


def test_a_dead_letter_holds_the_bytes_as_they_came() -> None:
    """An object that cannot be used, broken bytes, and nothing at all."""
    late = json.dumps(event(ts=7), indent=1).encode()
    expected = [(b"predictions/3/5/0", late, "ts"), (b"predictions/3/6/0", b"[\xff", ""), (b"predictions/3/7/0", b"", "")]
    assert expected == dead(late, b"[\xff", b"")


def test_of_an_array_only_the_bad_rows_are_dead_letters() -> None:
    """Each has its own row number, whichever reader reads the array."""
    rows = [json.dumps(event(ts=ts)).encode() for ts in ("2022-07-01T00:00:00Z", None, 7)]
    whole = b"[" + b",".join(rows) + b"]"
    assert [(b"predictions/3/5/1", rows[1], "ts"), (b"predictions/3/5/2", rows[2], "ts")] == dead(whole)
    ((key, value, _),) = dead(b"[" + rows[0].replace(b"30", b"NaN") + b"," + rows[1] + b"]")
    assert (b"predictions/3/5/1", json.loads(rows[1])) == (key, json.loads(value))


def test_a_halted_consumer_keeps_its_place_and_goes_on_with_the_contract(
    tmp_path: Path, engine: Chdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the batch is begun while it is held: no intent, no dead letter, no row; once the model is known, it is written whole."""
    monkeypatch.setattr(halt, "_AGAIN", 0.05)
    contracts: dict[str, Contract] = {}
    taken: list[DeadLetter] = []
    log = EmbeddedLog(tmp_path / "log.db")
    body = {"model": "m", "ts": 1_700_000_000_000, "features": {"x": 1, "c": "a"}, "prediction": 1, "score": 0.5}
    for i in range(20):
        log.append(
            "predictions", "json", json.dumps({"prediction_id": str(i), **body, **({"ts": None} if i == 3 else {})}).encode(), NOW
        ).result()
    consumer = Consumer(
        log,
        Writer(engine),
        Raw(engine),
        contracts.get,
        "predictions",
        limits=Limits(seconds=0.01),
        checked=Halt(share=0.5, of=10),
        dead=lambda events: taken.extend(letters(events)),
    )
    before = log.committed("predictions", 0)
    consumer.start()
    try:
        _until(lambda: "rejected" in (consumer.problem or ""))
        time.sleep(0.2)  # some more attempts
        assert (log.committed("predictions", 0), consumer.rows, taken) == (before, 0, [])
        contracts["m"] = backend.contract("m")
        _until(lambda: consumer.rows == 19)
        _until(lambda: consumer.problem is None)
        assert [letter.field for letter in taken] == ["ts"]
    finally:
        consumer.stop()
        log.close()


def test_what_stands_before_a_halted_batch_is_written_and_acknowledged(tmp_path: Path, engine: Chdb) -> None:
    """Though the halted one will be tried again only in half a minute."""
    contracts = {"m": backend.contract("m")}
    log = EmbeddedLog(tmp_path / "log.db")
    body = {"model": "m", "ts": 1_700_000_000_000, "features": {"x": 1, "c": "a"}, "prediction": 1, "score": 0.5}
    for i in range(12):
        model = {"model": "m" if i < 2 else "unknown"}
        log.append("predictions", "json", json.dumps({"prediction_id": str(i), **body, **model}).encode(), NOW).result()
    consumer = Consumer(
        log, Writer(engine), Raw(engine), contracts.get, "predictions", limits=Limits(bytes=1, seconds=0.0), checked=Halt(share=0.1, of=3)
    )
    consumer.start()
    try:
        _until(lambda: "rejected" in (consumer.problem or ""))
        _until(lambda: log.committed("predictions", 0) == CommittedPosition(3, None))
        assert consumer.rows == 2
    finally:
        consumer.stop()
        log.close()


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.01)
