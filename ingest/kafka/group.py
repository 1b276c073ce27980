"""This process's membership in the ingest group: one member for each topic.

With one member for both topics, Kafka would share out the partitions evenly whichever topic they are of. One of two processes might
then get all predictions and the other all labels.
"""

from __future__ import annotations

import time
from typing import Any

from ingest.consumer import Limits
from ingest.kafka.connection import Connection
from ingest.kafka.member import Build, Member
from ingest.record import TOPICS


class Group:
    """Runs the consumers of this process's partitions. `build` makes one for a partition of a log; `memory` bounds what is not written, in bytes."""

    def __init__(self, connection: Connection, build: Build, limits: Limits = Limits(), memory: int = 256 << 20) -> None:  # noqa: B008 - frozen
        self._members = {topic: Member(connection, topic, build, limits, memory // len(TOPICS)) for topic in TOPICS}

    def start(self) -> None:
        """Join the group, in threads."""
        for member in self._members.values():
            member.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Finish what is under way, as far as that succeeds within some seconds, and leave the group."""
        for member in self._members.values():
            member.cease()
        until = time.monotonic() + seconds
        for member in self._members.values():
            member.join(max(0.0, until - time.monotonic()))

    @property
    def running(self) -> bool:
        """Whether its threads live."""
        return all(member.running for member in self._members.values())

    @property
    def problems(self) -> list[str]:
        """Sentences that say why partitions cannot be read or written."""
        return list(dict.fromkeys(problem for member in self._members.values() for problem in member.problems))

    @property
    def rebalances(self) -> int:
        """How often partitions were given or taken since the start."""
        return sum(member.rebalances for member in self._members.values())

    def status(self) -> dict[str, Any]:
        """Partitions by topic with the next position to write, rows written since the start, bytes that are not written, rebalances, records lost to retention."""
        members = self._members.items()
        return {
            "partitions": {topic: {str(partition): at for partition, at in member.partitions.items()} for topic, member in members},
            "rows": {topic: member.rows for topic, member in members},
            "waiting_bytes": sum(member.waiting for _, member in members),
            "rebalances": self.rebalances,
            "lost": {topic: member.lost for topic, member in members},
        }
