"""A producer that sends requests in order and repeats each until it is accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from watchkeeper.client import Client, Unavailable

_PATIENCE = 600.0  # seconds for which one request is sent again and again
_APART = 0.3  # seconds between two requests that are sent for another time: events come without an end, and leave CPU to the processes that start

Rows = list[dict[str, Any]]
Deliver = Callable[[str, Rows], int]  # topic, events; returns when they are durable: how often they had to be sent again


class Sender:
    """Sends requests in a thread: evenly over so many `seconds`, or as fast as they are accepted and again from the beginning, slowly, until `last`."""

    def __init__(self, deliver: Deliver, requests: Sequence[tuple[str, Rows]], seconds: float | None = None) -> None:
        self._deliver, self._requests, self._seconds = deliver, requests, seconds
        self._last = threading.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._sending, name="sender", daemon=True)
        self.events = self.retries = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def last(self) -> None:
        """Finish this round and start no other."""
        self._last.set()

    def wait(self, seconds: float = 1_200.0) -> None:
        """Return when everything is sent; fail if a row was not accepted."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the stream is not over"
        assert self._fault is None, f"the stream ended: {self._fault!r}"

    def _sending(self) -> None:
        try:
            self._send(0.0)
            while self._seconds is None and not self._last.is_set():
                self._send(_APART)
        except BaseException as error:  # the thread's edge: `wait` tells
            self._fault = error

    def _send(self, apart: float) -> None:
        began = time.monotonic()
        for place, (topic, rows) in enumerate(self._requests):
            if self._seconds is not None:
                time.sleep(max(0.0, began + self._seconds * place / len(self._requests) - time.monotonic()))
            self._last.wait(apart)
            self.retries += self._deliver(topic, rows)
            self.events += len(rows)


@contextmanager
def sending(deliver: Deliver, requests: Sequence[tuple[str, Rows]], seconds: float | None = None) -> Iterator[Sender]:
    """A running sender; when the block is left, it sends the rest."""
    sender = Sender(deliver, requests, seconds)
    sender.start()
    try:
        yield sender
    finally:
        sender.last()
        sender.wait()


@contextmanager
def http(url: str) -> Iterator[Deliver]:
    """Delivers over HTTP. The client's patience is short, so that it sends as soon as the server is back."""
    with Client(url, patience=0.5, timeout=30.0) as client:

        def deliver(topic: str, rows: Rows) -> int:
            until, retries = time.monotonic() + _PATIENCE, 0
            while True:
                try:
                    sent = client.predictions(rows) if topic == "predictions" else client.labels(rows)
                except Unavailable:
                    if time.monotonic() > until:
                        raise
                    retries += 1
                else:
                    assert (sent.accepted, sent.rejected) == (len(rows), 0), sent
                    return retries

        yield deliver
