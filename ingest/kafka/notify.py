"""Writes notifications to topics of the users' on the brokers of the log."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException, Producer

from ingest.kafka.client import opened
from ingest.kafka.connection import Connection
from ingest.kafka.topics import SETTINGS

_SECONDS = 15.0


class NotificationProducer:
    """A producer, which connects at its first use. Threads share it. All in-sync replicas must have a record within `seconds`."""

    def __init__(self, connection: Connection, seconds: float = _SECONDS) -> None:
        self._connection, self._seconds = connection, seconds
        self._own = {connection.topic(name) for name in SETTINGS}
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def owns(self, topic: str) -> bool:
        """Whether a topic is one of Watchkeeper's own, to which nobody else may write: what is there counts as events."""
        return topic in self._own or topic.startswith(self._connection.group(""))

    def own(self, name: str) -> str:
        """The name on the brokers of a topic of Watchkeeper's own."""
        return self._connection.topic(name)

    def send(self, topic: str, body: str, key: str, headers: Mapping[str, str]) -> str:
        """Write a record and wait until all in-sync replicas have it. Returns why that failed; empty if it did not."""
        faults: list[KafkaError | None] = []
        try:
            producer = self._opened()
            producer.produce(
                topic,
                body.encode(),
                key.encode(),
                headers=[(name, said.encode()) for name, said in headers.items()],
                on_delivery=lambda error, _: faults.append(error),
            )
            waiting = producer.flush(self._seconds)
        except (BufferError, KafkaException) as error:
            return f"the record cannot be written: {error.args[0] if error.args else type(error).__name__}"
        if not faults:
            return f"the brokers have not taken the record within {self._seconds:g} s ({waiting} wait)"
        return "" if faults[0] is None else f"the brokers do not take the record: {faults[0].str()}"

    def close(self) -> None:
        """Forget what waits."""
        with self._lock:
            if self._producer is not None:
                self._producer.purge()
                self._producer.flush(1.0)
                self._producer = None

    def _opened(self) -> Producer:
        with self._lock:
            if self._producer is None:
                settings = {
                    **self._connection.producer(),
                    "message.timeout.ms": int(self._seconds * 900),
                    **self._connection.options,
                    "log_level": 0,
                }
                self._producer = opened(Producer, settings)
            return self._producer
