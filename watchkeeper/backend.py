"""The backend of API and pages: everything embedded in this process, or a cluster that this process serves."""

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


class Readable(Protocol):
    """What readers need of a backend. Threads share it."""

    @property
    def clock(self) -> Clock:
        """The clock by which events are logged."""
        ...

    @property
    def stores(self) -> Stores:
        """The stores."""
        ...

    def tag(self) -> str:
        """A text that changes when anything that can be read has changed."""
        ...


class Backend(Readable, Protocol):
    """The backend as API and pages need it. Threads share it."""

    @property
    def settings(self) -> Settings:
        """The settings with which it was started."""
        ...

    def append(self, topic: Topic, body: bytes, kind: Kind, decoded: AnyDecoded, now: int) -> Future[Any]:
        """Append an unpacked request to the log; done when it is durable. Raises Retryable if too much is waiting."""
        ...

    def appended(self) -> None:
        """Note that something was appended: the status is not quiet until it is evaluated."""
        ...

    def call(self) -> None:
        """Note that something was defined: there may be work for the owners."""
        ...

    def status(self, age: float = 0.0) -> dict[str, Any]:
        """What `GET /v1/status` says, found at most `age` seconds ago."""
        ...

    def collectors(self) -> Sequence[Collector]:
        """Its metrics besides those of its status."""
        ...

    def obstacles(self) -> list[str]:
        """Sentences that say what keeps it from serving."""
        ...
