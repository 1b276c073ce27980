"""How the brokers are reached, what topics and groups are called, and what the clients of librdkafka are set to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

GroupProtocol = Literal["classic", "consumer"]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment is reached and named on a Kafka cluster. `prefix` stands before every topic and group; `options` are librdkafka's and come last.

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
        """Settings of a consumer that keeps its own offsets: nothing is committed or reset behind its back."""
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
            "topic.metadata.refresh.interval.ms": 30_000,  # so soon new partitions are seen
            "fetch.queue.backoff.ms": 5,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 32 << 10,
            **self.options,
        }

    def reader_settings(self, group: str) -> dict[str, Any]:
        """Settings of a client that asks for the offsets of a group and takes none: never subscribed, and silent, for what is wrong is raised."""
        return {**{name: value for name, value in self.consumer(group).items() if name != "group.instance.id"}, "log_level": 0}

    def producer(self) -> dict[str, Any]:
        """Settings of a producer whose answer means that all in-sync replicas have it; an id's partition is the one that Java picks."""
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
        """Settings of a client that asks and creates."""
        return {**self._shared("admin"), **self.options}

    def _shared(self, part: str) -> dict[str, Any]:
        return {"bootstrap.servers": self.bootstrap, "client.id": f"watchkeeper-{part}", "socket.timeout.ms": 10_000, "log_level": 4}
