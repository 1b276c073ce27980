"""What is lost, and where: records of the log that are in no batch, and batches of which not all events or raw rows are there. A record holds one event."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from confluent_kafka import Consumer, TopicPartition

from ingest.record import TOPICS
from tests.acceptance.world import Cluster

_OF = "topic = {topic:String} AND partition = {partition:UInt32}"
_BATCHES = (
    "SELECT first, last, sum(b.rows) AS rows, sum(b.rows + b.duplicates + b.rejected) AS events"
    f" FROM (SELECT DISTINCT model, first, last, rows, duplicates, rejected FROM batches WHERE {_OF}) AS b GROUP BY first, last ORDER BY first"
)
_RAW = "SELECT DISTINCT position, place FROM {table:Identifier} WHERE partition = {partition:UInt32} ORDER BY position"
_DETACHED = "SELECT table, name, reason FROM system.detached_parts WHERE database = currentDatabase()"


def absences(cluster: Cluster) -> list[str]:
    """A line for each stretch of a partition that is in no batch, for each batch without all of its rows, and for each part that ClickHouse could not read."""
    found = [f"{row['table']}: part {row['name']} is detached: {row['reason']}" for row in cluster.ask(_DETACHED)]
    client = Consumer({"bootstrap.servers": cluster.servers.bootstrap, "group.id": "absences", "log_level": 0})
    try:
        for topic in TOPICS:
            name = f"{cluster.servers.prefix}{topic}"
            for partition in client.list_topics(name, timeout=30).topics[name].partitions:
                low, end = client.get_watermark_offsets(TopicPartition(name, partition), timeout=30)
                found += [f"{topic} {partition}: {line}" for line in _partition(cluster, topic, partition, low, end)]
    finally:
        client.close()
    return found


def _partition(cluster: Cluster, topic: str, partition: int, low: int, end: int) -> Iterator[str]:
    parameters = {"topic": topic, "partition": partition, "table": topic}
    batches = cluster.ask(_BATCHES, parameters)
    for before, after in pairwise([(low, low - 1), *((batch["first"], batch["last"]) for batch in batches), (end, end)]):
        if after[0] > before[1] + 1:
            yield f"positions {before[1] + 1} to {after[0] - 1} of {end} are in no batch, between {before} and {after}"
    positions = np.array([row["position"] for row in cluster.ask(_RAW, parameters)], np.int64)
    for batch in batches:
        first, last, rows = batch["first"], batch["last"], batch["rows"]
        if batch["events"] != last - first + 1:
            yield f"the batch {first} to {last} has {batch['events']} events"
        there = int(np.searchsorted(positions, last, "right") - np.searchsorted(positions, first))
        if there != rows:
            yield f"the batch {first} to {last} has {there} raw rows of {rows}"
