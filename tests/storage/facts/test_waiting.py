"""Events that wait are read back in the order of the log, in whole batches, on both engines."""

from __future__ import annotations

import time

from core import moment
from storage.facts.engine import Engine
from storage.facts.purge import purge
from storage.facts.waiting import WaitingStore
from storage.facts.writer import Writer


def _row(
    position: int, place: int = 0, *, last: int, partition: int = 0, model: str = "m", logged: int | None = None
) -> dict[str, str | int | bytes]:
    at = time.time_ns() // 1_000 if logged is None else logged
    body = f'{{"prediction_id": "{position}-{place}", "text": "\u00e4"}}'.encode()
    place_: dict[str, str | int | bytes] = {
        "topic": "predictions",
        "partition": partition,
        "position": position,
        "row": place,
        "last": last,
    }
    return {**place_, "model": model, "body": body, "logged": at}


def _size(row: dict[str, str | int | bytes]) -> int:
    body = row["body"]
    assert isinstance(body, bytes)
    return len(body)


def test_waiting_events_are_read_in_whole_batches_that_are_committed(engine: Engine) -> None:
    """Written twice they are there once; those of a batch under way are not told, nor those that have waited too long."""
    store, writer = WaitingStore(engine), Writer(engine, moment.DAY)
    rows = [_row(1, last=4), _row(4, 1, last=4), _row(4, 0, last=4), _row(7, last=9), _row(20, last=20), _row(3, last=3, partition=2)]
    for _ in range(2):
        writer.waiting(rows)
    writer.waiting([_row(2, last=4, model="n"), _row(5, last=5, logged=time.time_ns() // 1_000 - 2 * moment.DAY)])
    assert store.counts() == {"m": {"predictions": 6}, "n": {"predictions": 1}}
    length, size = _size(rows[0]), sum(_size(row) for row in rows if row["partition"] == 0)
    assert (store.counts("n"), store.held("predictions", 0)) == ({"n": {"predictions": 1}}, {"m": (5, size), "n": (1, length)})
    committed = {0: 9, 2: 2}
    assert store.portion("m", {"predictions": committed, "labels": {}}, 100, 10_000) == {"predictions": {0: (1, 9)}}
    assert store.portion("m", {"predictions": committed, "labels": {}}, 3, 10_000) == {"predictions": {0: (1, 4)}}
    assert store.portion("m", {"predictions": committed, "labels": {}}, 100, 3 * length) == {"predictions": {0: (1, 4)}}
    assert store.portion("m", {"predictions": {}, "labels": {0: 99}}, 3, 10_000) == {}
    found = store.bodies("m", "predictions", 0, 9)
    assert list(zip(found.position.tolist(), found.place.tolist(), strict=True)) == [(1, 0), (4, 0), (4, 1), (7, 0)]
    assert found.body[1] == rows[2]["body"]
    every = store.first("m", "predictions", 100, 10_000)
    assert [one[:4] for one in every] == sorted(one[:4] for one in every)
    assert len(every) == 6
    for most, size, some in ((2, 10_000, 2), (100, 3 * length, 3), (100, 3 * length - 1, 2), (100, 0, 1)):
        assert store.first("m", "predictions", most, size) == every[:some]
    assert store.first("m", "labels", 100, 10_000) == []
    store.forget("m", {"predictions": {0: (1, 9), 2: (3, 3)}})
    assert store.counts() == {"m": {"predictions": 1}, "n": {"predictions": 1}}
    purge(engine, "m")
    assert store.counts() == {"n": {"predictions": 1}}
