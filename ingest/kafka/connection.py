"""The connection to the brokers: names of topics and groups, and settings of the clients of librdkafka."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

GroupProtocol = Literal["classic", "consumer"]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment's connection to a Kafka cluster. `prefix` is put before the names of topics and groups; `options` are librdkafka's and override ours.

    `instance` makes the consumer a static member of its group: a restart within `session` seconds moves no partition. Under the protocol
    `consumer` (KIP-848) the broker sets the session timeout.
    """

    bootstrap: str
    prefix: str = ""
    group_protocol: GroupProtocol = "classic"
    instance: str | None = None
    session: float = 45.0
    options: Mapping[str, str | int | float | bool] = {}

    def topic(self, name: str) -> str:
        """The name of a topic on the brokers."""
        return f"{self.prefix}{name}"

    def group(self, name: str) -> str:
        """The name of a consumer group on the brokers."""
        return f"{self.prefix}watchkeeper-{name}"

    def consumer(self, group: str) -> dict[str, Any]:
        """Settings of a consumer that keeps its offsets itself: librdkafka commits and resets nothing."""
        classic = {
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": int(self.session * 1_000),
            "heartbeat.interval.ms": max(200, int(self.session * 1_000 / 6)),
        }
        return {
            **self._shared("consumer"),
            "group.id": self.group(group),
            "group.protocol": self.group_protocol,
            **({"group.instance.id": self.instance} if self.instance else {}),
            **(classic if self.group_protocol == "classic" else {}),
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "max.poll.interval.ms": 300_000,
            "topic.metadata.refresh.interval.ms": 30_000,  # how soon new partitions are noticed
            "fetch.queue.backoff.ms": 5,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 32 << 10,
            **self.options,
        }

    def reader_settings(self, group: str) -> dict[str, Any]:
        """Settings of a client that asks for a group's offsets and never subscribes. It writes no log lines, because its errors are raised."""
        return {**{name: value for name, value in self.consumer(group).items() if name != "group.instance.id"}, "log_level": 0}

    def producer(self) -> dict[str, Any]:
        """Settings of a producer with `acks=all`, which puts an id into the partition that Java clients choose."""
        return {
            **self._shared("producer"),
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "message.timeout.ms": 30_000,
            **self.options,
        }

    def admin(self) -> dict[str, Any]:
        """Settings of a client that asks about topics and groups, and creates topics."""
        return {**self._shared("admin"), **self.options}

    def _shared(self, part: str) -> dict[str, Any]:
        return {"bootstrap.servers": self.bootstrap, "client.id": f"watchkeeper-{part}", "socket.timeout.ms": 10_000, "log_level": 4}
