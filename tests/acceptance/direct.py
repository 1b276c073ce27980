"""A foreign producer, which sends events directly to Kafka, one a message."""

from __future__ import annotations

import json

from confluent_kafka import KafkaError, Message, Producer

from tests.acceptance.sending import Rows
from tests.acceptance.world import Servers


class Direct:
    """Sends events keyed by their id, in order, and waits for the brokers as long as necessary; it gives up no event and keeps their order."""

    def __init__(self, servers: Servers) -> None:
        self._prefix = servers.prefix
        self._faults: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": servers.bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "message.timeout.ms": 0,
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 1_000,
                "log_level": 0,
            }
        )

    def deliver(self, topic: str, rows: Rows) -> int:
        """Send events to the partitions of their keys; return when the brokers have them, without a retry of ours."""
        self.send(topic, rows)
        return 0

    def send(self, topic: str, rows: Rows, partition: int = -1, *, seconds: float = 600.0) -> None:
        """Send events and return when the brokers have them: to the partition of each id's key, or to `partition`."""
        for row in rows:
            body = json.dumps(row, separators=(",", ":")).encode()
            self._producer.produce(
                f"{self._prefix}{topic}", body, key=row["prediction_id"].encode(), partition=partition, on_delivery=self._delivered
            )
            self._producer.poll(0)
        assert self._producer.flush(seconds) == 0, "the brokers do not come back"
        assert self._faults == []

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._faults.append(f"{message.topic()}: {error}")
