"""The course of the demo: server, receiver, references, monitors, a year of events."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from core import moment
from core.clock import SystemClock
from core.error import Fatal
from watchkeeper import document
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.demo.receiver import Receiver, sentence
from watchkeeper.demo.server import DemoServer
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import Receipt, send

HORIZON = "30d"  # the notify horizon: webhooks are sent for windows that ended up to so long ago
_TOLD = 12  # webhooks that are printed one by one

Say = Callable[[str], None]


def run(
    *, data: Path | None, port: int, cache: Path, days: int | None, leave: bool, say: Say, advance: Callable[[str, int, int], None]
) -> None:
    """Run the demo; `leave` ends it when the stream is quiet, else it goes on until it is interrupted.

    `data` is the server's folder (None: a temporary one), `cache` where the flights' files are kept, `days` how many of the last days are sent (None: all
    eleven months). `say` is called with what is going on, `advance(model, events, total)` with the progress of sending. Raises Fatal if the server does not live.
    """
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(TemporaryDirectory(prefix="watchkeeper-demo-")))
        say(f"starting the server on {folder}")
        settings = {"WATCHKEEPER_ALERTS__NOTIFY_HORIZON": HORIZON}
        server = stack.enter_context(DemoServer(folder, port, environment=settings, temporary=data is None))
        say(f"look at {server.url}/ui/")
        teller = _Teller(say)
        receiver = stack.enter_context(Receiver(teller))
        client = stack.enter_context(Client(server.url))
        pairs = flights.make(cache, say)
        for pair in pairs:
            answer = client.reference(pair.model, pair.reference.read_bytes(), task=pair.task, segments=list(flights.SEGMENTS))
            say(f"{pair.model}: January is its reference, contract version {answer['version']}")
        items = client.apply(definitions(receiver))
        say(f"{len(items) - 1} monitors and a destination; webhooks go to {receiver.url}")
        _replay(client, pairs, days, say, advance)
        say("waiting until every window is evaluated")
        client.wait(timeout=1800)
        _sum_up(client, teller, say)
        if not leave:
            say(f"look at {server.url}/ui/ , and stop with Ctrl-C")
            while server.running:
                time.sleep(0.5)
            raise Fatal(f"the server ended; see {folder}/server.log")


def definitions(receiver: Receiver) -> str:
    """The demo's monitors, and a destination that leads to `receiver`, as YAML."""
    monitors = (files("watchkeeper.demo") / "monitors.yaml").read_text(encoding="utf-8")
    destination = {"destination": "demo-receiver", "kind": "webhook", "url": receiver.url, "secret": receiver.secret, "severity": "report"}
    return monitors + "\n" + yaml.safe_dump([destination], sort_keys=False)


def _replay(client: Client, pairs: tuple[flights.Pair, ...], days: int | None, say: Say, advance: Callable[[str, int, int], None]) -> None:
    """Send both models' streams side by side, moved by the same whole weeks so that they end now."""
    recordings = {
        pair.model: Recording(pair.stream, document.read(client.contract(pair.model)), last=days and days * moment.DAY) for pair in pairs
    }
    shift = min(recording.weeks_until(SystemClock().now()) for recording in recordings.values())
    say(
        f"sending {sum(recording.events for recording in recordings.values()):,} events, {shift // (7 * moment.DAY)} weeks later than they were"
    )

    stopped = threading.Event()

    def send_one(model: str) -> Receipt:
        recording = recordings[model]

        def sent(events: int) -> None:
            if stopped.is_set():
                raise Fatal("the demo was stopped")
            advance(model, events, recording.events)

        return send(client, recording, shift=shift, advance=sent)

    with ThreadPoolExecutor(len(recordings)) as pool:
        try:
            receipts = dict(zip(recordings, pool.map(send_one, recordings), strict=True))
        except BaseException:
            stopped.set()  # else the pool would wait until everything is sent
            raise
    for model, receipt in receipts.items():
        say(f"{model}: {receipt.predictions.accepted:,} predictions, {receipt.labels.accepted:,} labels, {receipt.rejected:,} rejected")


def _sum_up(client: Client, teller: _Teller, say: Say) -> None:
    episodes = list(client.episodes())
    firing = sum(episode.get("ended_at") is None for episode in episodes)
    say(f"{len(episodes)} episodes, {firing} of them open; {teller.count} webhooks, every signature checked")


class _Teller:
    """Prints the first webhooks one by one, and then counts."""

    def __init__(self, say: Say) -> None:
        self.count = 0
        self._say = say

    def __call__(self, payload: dict[str, Any]) -> None:
        self.count += 1
        if self.count <= _TOLD:
            self._say(f"webhook {sentence(payload)}")
        elif self.count == _TOLD + 1:
            self._say("webhook: and more, counted at the end")
