"""Who owns a model, on a real broker: two workers, one of them killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from confluent_kafka import Message, Producer

from ingest.kafka import topics
from ingest.kafka.connection import Connection
from ingest.kafka.coverage import unassigned
from tests.services.fixture import KafkaAt
from tests.started import started
from watchkeeper.cluster.agent import Agent, partition

SESSION = 6.0
MODELS = [f"model-{number}" for number in range(24)]
WORKER = """
import sys, time
from ingest.kafka.connection import Connection
from watchkeeper.cluster.agent import Agent
connection = Connection(bootstrap=sys.argv[1], prefix=sys.argv[2], session=float(sys.argv[3]))
agent = Agent(connection, lambda model: print("tick", model, flush=True), lambda: None)
agent.start()
while True:
    time.sleep(0.1)
"""


@pytest.fixture
def connection(kafka: KafkaAt, kafka_prefix: str) -> Connection:
    found = Connection(bootstrap=kafka.bootstrap, prefix=kafka_prefix, session=SESSION)
    topics.create(found, partitions=6)
    return found


@pytest.fixture
def agent(connection: Connection) -> Iterator[tuple[Agent, list[str]]]:
    """An agent of this process, and the models whose ticks it got."""
    got: list[str] = []
    found = Agent(connection, got.append, lambda: None)
    found.start()
    yield found, got
    found.stop()
    assert found.dead == "the agent's thread has ended"


def owned(agent: Agent) -> set[str]:
    return {model for model in MODELS if agent.owns(model)}


def wait(what: str, holds: Callable[[], bool], seconds: float = 600.0) -> float:
    """Wait until something holds; how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.slow
def test_a_killed_worker_is_followed_within_the_session_timeout(
    connection: Connection, agent: tuple[Agent, list[str]], tmp_path: Path
) -> None:
    """Alone a worker owns every model, with a second one a part of them, and after the second one's `kill -9` every model again, with their ticks."""
    mine, got = agent
    wait("it owns all models", lambda: len(owned(mine)) == len(MODELS))
    command = [sys.executable, "-c", WORKER, connection.bootstrap, connection.prefix, str(SESSION)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with (tmp_path / "log").open("wb") as log, started(command, env=environment, output=log, errors=log) as other:
        wait("the other has its part", lambda: 0 < len(owned(mine)) < len(MODELS))
        theirs = set(MODELS) - owned(mine)
        assert {partition(model, 6) for model in theirs}.isdisjoint(mine.partitions or ())
        other.send_signal(signal.SIGKILL)
        assert wait("all models are owned again", lambda: len(owned(mine)) == len(MODELS)) < 3 * SESSION
    producer = Producer(connection.producer())

    def ticked() -> bool:  # those of the first moments may get lost
        for model in set(MODELS) - set(got):
            producer.produce(connection.topic("ticks"), b"{}", model)
        producer.flush(300)
        return set(MODELS) <= set(got)

    wait("the ticks arrive", ticked)


@pytest.mark.slow
def test_a_membership_that_is_dead_without_knowing_is_begun_anew(agent: tuple[Agent, list[str]]) -> None:
    """Being fenced once is no reason; being fenced on and on is: it leaves and joins again."""
    mine, _ = agent
    wait("it owns all models", lambda: len(owned(mine)) == len(MODELS))
    joined = mine.rebalances
    mine.suspect_membership()
    assert owned(mine) == set(MODELS)

    def renewed() -> bool:
        mine.suspect_membership()
        return mine.rebalances > joined

    assert wait("it joins again", renewed) > 2 * SESSION
    wait("it owns all models again", lambda: len(owned(mine)) == len(MODELS))


def test_a_models_partition_is_the_one_that_its_ticks_go_to(connection: Connection) -> None:
    """What librdkafka's murmur2 picks for a key."""
    producer, placed = Producer(connection.producer()), {}

    def told(_: object, message: Message) -> None:
        placed[(message.key() or b"").decode()] = message.partition()

    for model in [*MODELS, "ü", "模型"]:
        producer.produce(connection.topic("ticks"), b"{}", model, on_delivery=told)
    producer.flush(300)
    assert placed == {model: partition(model, 6) for model in [*MODELS, "ü", "模型"]}


@pytest.mark.slow
def test_partitions_that_the_group_leaves_to_nobody_are_taken(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leader of a group assigns nothing of a topic that its metadata lack, as they may after a restart of the brokers."""
    assign, calls = RoundRobinPartitionAssignor.assign, []

    def without_topic(cluster: Any, members: Mapping[str, Any]) -> Any:
        calls.append(members)
        return assign(ClusterMetadata() if len(calls) == 1 else cluster, members)

    monkeypatch.setattr(RoundRobinPartitionAssignor, "assign", without_topic)
    agent = Agent(connection, lambda _: None, lambda: None)
    agent.start()
    try:
        wait("it has joined", lambda: agent.partitions is not None)
        assert agent.partitions == frozenset()
        wait("the partitions are seen to be nobody's", lambda: unassigned(connection, "evaluate", "ticks") == frozenset(range(6)))
        wait("it owns all models", lambda: len(owned(agent)) == len(MODELS))
        assert unassigned(connection, "evaluate", "ticks") == frozenset()
    finally:
        agent.stop()
