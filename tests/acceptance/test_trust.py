"""Trust, from an event to the answer: a segment whose intervals break turns alone, through a kill and a restart, and back when its labels are corrected."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pandas as pd
import pytest
import yaml
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from ingest.kafka.connection import Connection
from tests.acceptance.world import Cluster, World
from tests.fallback import OWN, RULE, application
from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver

pytestmark = pytest.mark.slow

SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s"}
MODEL, ROWS = "pump", 60
LINES = ("a", "b")


def test_a_segment_that_breaks_turns_alone_and_stays_so_after_a_kill(world: Callable[[Mapping[str, str]], World]) -> None:
    """Of two lines one has no label in its intervals for an hour: it is not to be trusted, the other and the whole are. Corrected labels take it back.

    A webhook tells each change, once, and on a cluster the compacted topic holds each state. The application of the documentation falls back for the broken line only.
    """
    sink, told = BytesIO(), list[dict[str, Any]]()
    rows = range(200)
    columns = {
        "line": [LINES[row % 2] for row in rows],
        "x": [float(row) for row in rows],
        "prediction": 10.0,
        "low": 9.0,
        "high": 11.0,
        "label": 10.5,
    }
    pd.DataFrame({"prediction_id": map(str, rows), **columns}).to_parquet(sink)
    hour = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    with Receiver(told.append) as receiver, world(SOON) as place, Client(place.url) as client:
        client.reference(
            MODEL, sink.getvalue(), task="regression", features=["x", "line"], segments=["line"], interval=["low", "high", "0.9"]
        )
        door = {"destination": "application", "url": receiver.url, "secret": receiver.secret, "events": ["trust"]}
        client.apply(yaml.safe_dump([_monitor(), door]))
        for late in range(3):
            sent = client.predictions([event for event, _ in _events(hour, late)])
            assert (sent.accepted, sent.rejected) == (ROWS, 0)
            client.labels([label for _, label in _events(hour, late, broken=late == 2)])
        client.wait(600)
        broken = _states(place)
        _arrived(told, broken)
        _held(place, broken)
        served = [_served_by(place)]
        for name in ("up", "evaluate", "serve", "deliver"):
            if name in place.names:
                place.kill(name)
        killed = _states(place)
        served.append(_served_by(place))
        for name in ("up", "evaluate", "serve"):
            if name in place.names:
                place.restart(name)
        restarted = _states(place)
        client.labels([label for _, label in _events(hour, 2, later=1)])
        client.wait(600)
        mended = _states(place)
        served.append(_served_by(place))
        _arrived(told, mended)
        _held(place, mended)
    wanted = {
        "all": ("trusted", _text(hour)),
        "line=a": ("trusted", _text(hour)),
        "line=b": ("do_not_trust", _text(hour + timedelta(hours=2))),
    }
    assert broken == killed == restarted == wanted
    assert mended == {name: ("trusted", _text(hour)) for name in wanted}
    assert served == [{"a": (OWN, "model"), "b": (RULE, "rule")}] * 2 + [dict.fromkeys(LINES, (OWN, "model"))]
    assert receiver.forged == 0
    changes = {name: [(before, state) for of, before, state in _changes(told) if of == name] for name in wanted}
    assert changes["line=a"] == [("unknown", "trusted")]
    assert [state for _, state in changes["line=b"]][-2:] == ["do_not_trust", "trusted"]
    for chain in changes.values():  # none is lost, and none told anew after the kill
        assert [before for before, _ in chain] == ["unknown", *(state for _, state in chain[:-1])]


def _arrived(told: Sequence[dict[str, Any]], wanted: Mapping[str, tuple[str, str]]) -> None:
    """Wait until the last that was told of each segment is its state."""
    until = time.monotonic() + 300
    while {segment: state for segment, _, state in _changes(told)} != {segment: state for segment, (state, _) in wanted.items()}:
        assert time.monotonic() < until, told
        time.sleep(0.1)


def _held(place: World, wanted: Mapping[str, tuple[str, str]]) -> None:
    """Wait until the last record of each key of the topic `trust` is the state; an embedded installation has none."""
    if not isinstance(place, Cluster):
        return
    kafka = place.servers.environment
    brokers = Connection(bootstrap=kafka["WATCHKEEPER_KAFKA__BOOTSTRAP"], prefix=kafka.get("WATCHKEEPER_KAFKA__PREFIX", ""))
    consumer = Consumer({"bootstrap.servers": brokers.bootstrap, "group.id": "none", "enable.auto.commit": False})
    try:
        parts = consumer.list_topics(brokers.topic("trust"), timeout=60).topics[brokers.topic("trust")].partitions
        consumer.assign([TopicPartition(brokers.topic("trust"), part, OFFSET_BEGINNING) for part in parts])
        states, until = dict[str, Any](), time.monotonic() + 300
        while states != {f"{MODEL}|all|{segment}": state for segment, (state, _) in wanted.items()}:
            assert time.monotonic() < until, states
            for message in consumer.consume(100, 1.0):
                assert message.error() is None
                states[(message.key() or b"").decode()] = json.loads(message.value() or b"")["data"]["state"]
    finally:
        consumer.close()


def _changes(told: Sequence[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Segment, state before and after of each change, in order. A message that was sent and not saved may come again."""
    once = [one for index, one in enumerate(told) if one not in told[:index]]
    return [(one["data"]["segment"], one["data"]["before"], one["data"]["state"]) for one in once]


def _states(place: World) -> dict[str, tuple[str, str]]:
    items = httpx.get(f"{place.url}/v1/models/{MODEL}/trust", timeout=60).raise_for_status().json()["items"]
    assert all(item["reasons"] for item in items)
    return {item["segment"]: (item["state"], item["since"]) for item in items}


def _served_by(place: World) -> dict[str, tuple[int, str]]:
    """What the application answers for a row of each line, and whether that is its model's or its rule's."""

    async def asked() -> dict[str, tuple[int, str]]:
        async with httpx.AsyncClient(base_url=place.url, timeout=60) as client:
            app = application(MODEL, "line")(client)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://application") as caller:
                answers = {line: (await caller.post("/predict", json={"line": line})).json() for line in LINES}
        return {line: (answer["prediction"], answer["by"]) for line, answer in answers.items()}

    return asyncio.run(asked())


def _monitor() -> dict[str, Any]:
    return {
        "monitor": "covered",
        "model": MODEL,
        "measure": "uncertainty.interval_coverage",
        "segments": ["all", "line"],
        "target": {"window": "1h"},
        "critical": 0.5,
        "min_samples": 10,
    }


def _events(hour: datetime, late: int, *, broken: bool = False, later: int = 0) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The predictions and labels of an hour; one in ten labels is outside of its interval, and if it is `broken` all of line b."""
    for row in range(ROWS):
        line, ts = LINES[row % 2], hour + timedelta(hours=late, seconds=row)
        both = {"prediction_id": f"{late}-{row}", "model": MODEL}
        outside = (broken and line == "b") or row // 2 % 10 == 0
        interval = {"lower": 9.0, "upper": 11.0}
        yield (
            both | {"ts": ts.isoformat(), "features": {"x": float(row), "line": line}, "prediction": 10.0, "interval": interval},
            both | {"ts": (ts + timedelta(minutes=1 + later)).isoformat(), "label": 12.0 if outside else 10.5},
        )


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
