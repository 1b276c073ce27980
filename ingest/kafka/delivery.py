"""Counts the delivery reports of messages that were sent together."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from itertools import count

from confluent_kafka import KafkaError

from core.error import Retryable

Over = Callable[[KafkaError | None], Retryable | None]


class DeliveryReport:
    """The delivery of some messages; it is called with each report.

    At the last one it calls `over` and completes the future, which raises what `over` returns.
    """

    def __init__(self, messages: int, over: Over) -> None:
        self._over = over
        self._numbers, self._last = count(1), messages  # each report takes a number, in any thread: `next` of a count is atomic
        self.error: KafkaError | None = None
        self.future: Future[None] = Future()
        if not messages:
            self._finish()

    def __call__(self, error: KafkaError | None, _: object = None) -> None:
        """The report of a message."""
        if error is not None:
            self.error = error
        if next(self._numbers) == self._last:
            self._finish()

    def _finish(self) -> None:
        if (fault := self._over(self.error)) is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(fault)
