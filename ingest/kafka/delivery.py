"""Counts the reports of messages that belong together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import KafkaError

from core.error import Retryable

Over = Callable[[KafkaError | None], Retryable | None]


class Delivery:
    """The delivery of some messages. With the last report `over` is called, and the future is done; it raises what `over` makes of an error."""

    def __init__(self, messages: int, over: Over) -> None:
        self._left, self._over = messages, over
        self._lock = threading.Lock()
        self.error: KafkaError | None = None
        self.future: Future[None] = Future()
        if not messages:
            self._finish()

    def __call__(self, error: KafkaError | None, _: object = None, *, messages: int = 1) -> None:
        """The report of a message, or of some that were never taken in."""
        with self._lock:
            self._left -= messages
            self.error = error or self.error
            over = self._left == 0
        if over:
            self._finish()

    def _finish(self) -> None:
        if (fault := self._over(self.error)) is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(fault)
