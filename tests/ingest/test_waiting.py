"""Events of models without a contract wait in the store, as many as there is room for, and become what they would have been with one."""

from __future__ import annotations

import json
from collections import Counter
from itertools import count

import numpy as np
import pytest

from ingest.decode.prediction import decode_predictions
from ingest.decoding import Decode
from ingest.kafka.message import messages
from ingest.record import Batch, Events, LogRecord, Waiting
from ingest.waiting import MODELS, Admission, Limited, Room
from storage.facts.chdb import Chdb
from storage.facts.raw import Raw
from storage.facts.waiting import WaitingStore
from storage.facts.writer import Writer
from tests.ingest.decode.events import BINARY, CONTRACTS, NOW, array, event

ROOM = Room(5)
FIRSTS = count(0, 1_000)  # where batches begin


def _batch(*bodies: bytes, first: int = 10, logged: int = NOW) -> Batch:
    records = [LogRecord(first + place, logged, "json", body) for place, body in enumerate(bodies)]
    return Batch("predictions", 3, first, first + len(records) - 1, records)


def _waiting(*models: str) -> Events:
    rows = [Waiting(place, 0, model, b"{}", NOW) for place, model in enumerate(models)]
    return Events(Batch("predictions", 3, next(FIRSTS), 1 << 40, ()), waiting=rows)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"model": "new "}, "model", "there is no model"),
        ({"model": "a/contract"}, "model", "there is no model"),
        ({"prediction_id": 7}, "prediction_id", "a number where a string"),
        ({"prediction_id": None}, "prediction_id", "is missing"),
        ({"prediction_id": "x" * 257}, "prediction_id", "longer than 256 bytes"),
    ],
)
def test_an_event_waits_only_if_a_model_may_have_its_name_and_its_id_is_right(changes: dict[str, object], field: str, reason: str) -> None:
    """What no contract could take is rejected at once; all else waits, whatever it holds, and counts as accepted."""
    good, bad = event(model="new", features=7, ts="never"), event(model="new") | changes
    decoded = decode_predictions(array(good, bad, event()), "json", CONTRACTS.get, NOW, keep=True)
    assert [(one.row, one.model, json.loads(one.body)) for one in decoded.waiting] == [(0, "new", good)]
    sent = [(one.row, one.key.decode(), json.loads(one.value)) for one in messages(array(good, bad, event()), "json", decoded)]
    assert sent == [(0, good["prediction_id"], good), (2, event()["prediction_id"], event())]
    assert [(one.row, one.field) for one in decoded.rejects] == [(1, field)]
    assert reason in decoded.rejects[0].reason
    assert (decoded.accepted, len(decoded.blocks)) == (2, 1)
    refused = decode_predictions(array(good, event()), "json", CONTRACTS.get, NOW)
    assert (len(refused.waiting), [one.field for one in refused.rejects]) == (0, ["model"])


def test_so_many_events_wait_as_there_is_room_for(engine: Chdb) -> None:
    """A model has room for its own, those in the store count, and names that are made up get no room once there are too many."""
    now = [0.0]
    store = WaitingStore(engine)
    Writer(engine, 10**17).waiting(
        [{**one._asdict(), "topic": "predictions", "partition": 3, "last": 1} for one in _waiting("a", "a").waiting]
    )
    limited = Limited(store, "predictions", 3, ROOM, lambda: now[0])
    found = limited(_waiting(*"aaaaab"))
    assert Counter(one.model for one in found.waiting) == {"a": 3, "b": 1}
    assert [(one.position, one.model) for one in found.rejects] == [(3, ""), (4, "")]
    assert "5 of its events wait" in found.rejects[0].reason
    many = limited(_waiting(*(f"m{place}" for place in range(MODELS))))
    assert (len(many.waiting), len(many.rejects)) == (MODELS - 2, 2)
    assert f"events of {MODELS} other models wait" in many.rejects[0].reason
    store.forget("a", {"predictions": {3: (0, 9)}})
    assert limited(_waiting("a")).waiting == []
    now[0] = 61.0
    assert len(limited(_waiting("a")).waiting) == 1
    large = Waiting(0, 0, "b", b"x" * (ROOM.size - 2), NOW)
    found = limited(Events(Batch("predictions", 3, 1, 1, ()), waiting=[large, large._replace(position=1)]))
    assert ([one.position for one in found.waiting], [one.position for one in found.rejects]) == ([0], [1])
    assert f"{ROOM.size - 2:,} bytes of its events wait" in found.rejects[0].reason


def test_a_batch_that_is_tried_again_takes_its_room_once(engine: Chdb) -> None:
    """A partition that has halted tries the same batch again and again, and what waits in it is not in the store yet."""
    limited = Limited(WaitingStore(engine), "predictions", 3, ROOM, lambda: 0.0)
    first = _waiting(*"aaab")
    for _ in range(3):
        found = limited(first)
        assert (len(found.waiting), found.rejects) == (4, [])
    later = Events(Batch("predictions", 3, 4, 9, ()), waiting=[Waiting(4 + place, 0, "a", b"{}", NOW) for place in range(4)])
    assert [len(limited(later).waiting) for _ in range(2)] == [2, 2]


def test_an_admitted_event_is_what_ingest_would_have_written(engine: Chdb) -> None:
    """Blocks, places and rejects are those of a batch that was decoded under the contract; a portion that is written again, in part or whole, changes nothing."""
    bodies = [
        json.dumps(event(model=BINARY.model, prediction_id="a")).encode(),
        b" "
        + array(
            event(model=BINARY.model, prediction_id="b"), event(model=BINARY.model, ts="x"), event(model=BINARY.model, prediction_id="c")
        ),
        json.dumps(event(model=BINARY.model, prediction_id="d", features={"age": float("nan")})).encode(),
    ]
    batch = _batch(*bodies)
    wanted = Decode({BINARY.model: BINARY}.get)(batch)
    kept = Decode(lambda _: None, keep=True)(batch)
    assert (len(kept.waiting), kept.rejects) == (5, [])
    writer, store, raw = Writer(engine, 10**17), WaitingStore(engine), Raw(engine)
    writer.waiting([{**one._asdict(), "topic": "predictions", "partition": 3, "last": batch.last} for one in kept.waiting])
    admission = Admission(store, raw, writer, always=False)
    assert admission.portion(BINARY.model, {"predictions": {3: batch.last - 1}, "labels": {}}) == {}
    portion = admission.portion(BINARY.model, {"predictions": {3: batch.last}, "labels": {}})
    assert portion == {"predictions": {3: (batch.first, batch.last)}}
    ((contract, block),) = wanted.predictions
    writer.predictions([(contract, block.take(np.array([1])))], 3, None)  # an attempt that was cut short
    for _ in range(2):
        admission.admit(BINARY, portion, lambda: None)
    rows = engine.query(
        "SELECT prediction_id, ts, position, place, logged, numbers, texts, score FROM predictions ORDER BY position, place"
    ).to_pylist()
    engine.command("TRUNCATE TABLE predictions")
    writer.predictions([(contract, block)], 3, "once")
    again = engine.query(
        "SELECT prediction_id, ts, position, place, logged, numbers, texts, score FROM predictions ORDER BY position, place"
    ).to_pylist()
    assert len(rows) == 4
    assert str(rows) == str(again)  # NaN is the same text
    dead = engine.query("SELECT position, place, field, reason FROM dead_letters FINAL").to_pylist()
    assert [tuple(one.values()) for one in dead] == [(one.position, one.row, one.field, one.reason) for one in wanted.rejects]
    admission.forget(BINARY.model, portion)
    assert store.counts() == {}
