"""Apache Kafka: one node in KRaft mode."""

from __future__ import annotations

import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from compose.servers import fetch
from compose.servers.server import Failed, Server, listening
from watchkeeper.free_port import free_port

# One node, and groups that notice within seconds that a member is gone, under both group protocols.
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "broker.session.timeout.ms": "3000",  # so long a killed broker may not come back
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "6000",
    "group.consumer.min.heartbeat.interval.ms": "1000",
    "group.consumer.heartbeat.interval.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "log.segment.bytes": str(2**24),
    "log.cleaner.dedupe.buffer.size": str(2**24),
}
_LOGGING = """rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{HH:mm:ss.SSS} %p %m (%c{1})%n
"""


class Kafka(Server):
    """One node on `port`. `options` are further settings of the broker, such as a short retention."""

    name = "Kafka"

    def __init__(
        self, folder: Path, port: int | None = None, *, options: Mapping[str, str] | None = None, output: IO[bytes] | None = None
    ) -> None:
        super().__init__(folder, port, output=output)
        self._options = dict(options or {})
        self._controller = free_port()

    @property
    def bootstrap(self) -> str:
        """The address to give to clients."""
        return f"127.0.0.1:{self.port}"

    def _command(self) -> list[str]:
        java = [
            "java",
            "-Xms128m",
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",  # starts in half the time; it is for tests
            "-XX:ActiveProcessorCount=2",
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            f"{fetch.kafka()}/*",
        ]
        settings, data = self.folder / "server.properties", self.folder / "data"
        (self.folder / "log4j2.properties").write_text(_LOGGING, encoding="utf-8")
        settings.write_text("".join(f"{name}={value}\n" for name, value in self._settings(data).items()), encoding="utf-8")
        if not (data / "meta.properties").exists():
            done = subprocess.run(
                [*java, "kafka.tools.StorageTool", "format", "-t", _identity(), "-c", str(settings)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise Failed(f"Kafka cannot format {data}; java 17 or later is needed\n{done.stdout}{done.stderr}")
        return [*java, "kafka.Kafka", str(settings)]

    def _settings(self, data: Path) -> dict[str, str]:
        places = {
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "log.dirs": str(data),
        }
        return {**_SETTINGS, **places, **self._options}

    def _ready(self) -> bool:
        if not listening(self.port):
            return False
        try:
            return bool(AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0}).list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def _advice(self) -> str:
        return f"java 17 or later and two free ports ({self.port}, {self._controller}) are needed"


def _identity() -> str:
    while (text := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass  # would read as an option
    return text
