"""What the API and the pages need of the whole behind them: embedded in this process, or a cluster that this process serves."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from prometheus_client.registry import Collector

from core.clock import Clock
from ingest.decode.payload import Kind
from watchkeeper.api.ports import AnyDecoded, Topic
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores


class Backend(Protocol):
    """The whole, as whoever serves it sees it. Threads share it."""

    @property
    def settings(self) -> Settings:
        """What it was started with."""
        ...

    @property
    def clock(self) -> Clock:
        """The time that events are logged with."""
        ...

    @property
    def stores(self) -> Stores:
        """Where everything is kept."""
        ...

    def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> Future[Any]:
        """Append an unpacked request to the log; done when it is durable. Raises Retryable if too much is waiting."""
        ...

    def appended(self) -> None:
        """Something was appended: nothing is quiet until it was looked at."""
        ...

    def call(self) -> None:
        """Something was defined: there may be work for the owners."""
        ...

    def status(self, age: float = 0.0) -> dict[str, Any]:
        """What `GET /v1/status` says, found at most `age` seconds ago."""
        ...

    def collectors(self) -> Sequence[Collector]:
        """What Prometheus sees of it besides its status."""
        ...

    def obstacles(self) -> list[str]:
        """What keeps it from serving, in words."""
        ...

    def tag(self) -> str:
        """A text that changes when anything that can be read has changed."""
        ...
