"""Sends the demo's streams, in parts or as a whole, side by side and moved by the same whole weeks, so that they end now."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from core import moment
from core.clock import SystemClock
from core.error import Fatal
from watchkeeper import document
from watchkeeper.client import Client
from watchkeeper.demo.flights import Pair
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import Receipt, send

Advance = Callable[[str, int, int], None]


class Sending:
    """The streams of some models, or their last `days`; `advance(model, events, total)` is called with the progress. `events` is how many there are of all models, `weeks` by how many they move."""

    def __init__(self, client: Client, pairs: Sequence[Pair], days: int | None, advance: Advance) -> None:
        self._client, self._advance = client, advance
        self.contracts = {pair.model: document.read(client.contract(pair.model)) for pair in pairs}
        self.streams = {pair.model: Recording(pair.stream, self.contracts[pair.model], last=days and days * moment.DAY) for pair in pairs}
        self.events = sum(stream.events for stream in self.streams.values())
        self._shift = min(stream.weeks_until(SystemClock().now()) for stream in self.streams.values())
        self.weeks = self._shift // (7 * moment.DAY)
        self.receipts = {pair.model: Receipt() for pair in pairs}

    def send(self, parts: Mapping[str, Recording]) -> None:
        """Send a recording of each model. Raises what the client raises, for the first request that does not succeed."""
        stopped = threading.Event()

        def send_one(model: str) -> Receipt:
            return send(self._client, parts[model], shift=self._shift, advance=partial(self._sent, model, stopped))

        with ThreadPoolExecutor(len(parts)) as pool:
            try:
                done = dict(zip(parts, pool.map(send_one, parts), strict=True))
            except BaseException:
                stopped.set()  # else the pool would wait until everything is sent
                raise
        for model, receipt in done.items():
            known = self.receipts[model]
            for held, more in ((known.predictions, receipt.predictions), (known.labels, receipt.labels)):
                held.add({"accepted": more.accepted, "rejected": more.rejected})

    def _sent(self, model: str, stopped: threading.Event, events: int) -> None:
        if stopped.is_set():
            raise Fatal("the demo was stopped")
        self._advance(model, events, self.streams[model].events)
