"""Sends a recording to a server or to Kafka: the predictions of each stretch in order, and then its labels, while the next stretch is being made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

from watchkeeper.client import Client, Sent
from watchkeeper.replay.recording import Recording, Stretch
from watchkeeper.settings.settings import loopback

_AHEAD = 4  # stretches that are made while others are sent
_BEATS = 2  # stretches a second if `speed` is given


@dataclass
class Receipt:
    """The results of sending a recording's predictions and labels."""

    predictions: Sent = field(default_factory=Sent)
    labels: Sent = field(default_factory=Sent)

    @property
    def accepted(self) -> int:
        """Events of either kind that were accepted."""
        return self.predictions.accepted + self.labels.accepted

    @property
    def rejected(self) -> int:
        """Events of either kind that were rejected."""
        return self.predictions.rejected + self.labels.rejected


class Target(Protocol):
    """Where events are sent to."""

    def send(self, kind: str, body: bytes) -> Mapping[str, Any]:
        """Send a body of NDJSON, `kind` "predictions" or "labels"; the answer of `POST /v1/predictions`, when it is durable."""
        ...


def send(
    target: Target,
    recording: Recording,
    *,
    shift: int = 0,
    speed: float | None = None,
    advance: Callable[[int], object] = lambda _events: None,
) -> Receipt:
    """Send all of `recording`, with its times moved by `shift` microseconds; `speed` seconds of it a second, None for as fast as possible.

    `advance` is called with the number of events that were sent. Predictions go one request at a time, so that the watermark is never ahead of them.
    Raises what `target` raises for the first request that does not succeed.
    """
    span = None if speed is None else max(1, int(speed * 1_000_000 / _BEATS))
    stretches: Iterable[Stretch] = recording.stretches(shift=shift, span=span)
    if speed is not None:
        stretches = _paced(stretches, speed)
    deliver = target.send
    if isinstance(target, Client):
        deliver = partial(target.send, compress=not loopback(urlsplit(target.url).hostname or ""))
    receipt, waiting = Receipt(), deque[tuple[Future[None], int]]()

    def post(kind: str, bodies: Iterable[bytes], sent: Sent, after: Future[None] | None = None) -> None:
        if after is not None:
            after.result()
        for body in bodies:
            sent.add(deliver(kind, body), first=sent.accepted + sent.rejected)

    def settle() -> None:
        done, events = waiting.popleft()
        done.result()
        advance(events)

    first, second = ThreadPoolExecutor(1, "predictions"), ThreadPoolExecutor(1, "labels")
    try:
        for stretch in stretches:
            bodies = (stretch.predictions,) if stretch.predictions else ()
            before = first.submit(post, "predictions", bodies, receipt.predictions)
            waiting.append((second.submit(post, "labels", stretch.labels, receipt.labels, before), stretch.events))
            while len(waiting) > _AHEAD:
                settle()
        while waiting:
            settle()
    finally:
        first.shutdown(cancel_futures=True)
        second.shutdown(cancel_futures=True)
    return receipt


def _paced(stretches: Iterable[Stretch], speed: float) -> Iterable[Stretch]:
    """The stretches, each when it is due by `speed`."""
    begun, origin = time.monotonic(), None
    for stretch in stretches:
        origin = stretch.start if origin is None else origin
        time.sleep(max(0.0, begun + (stretch.start - origin) / 1_000_000 / speed - time.monotonic()))
        yield stretch
