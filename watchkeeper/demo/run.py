"""The course of the demo: server, receiver, references, monitors, a year of events with a retraining in it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from core.error import Fatal
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.demo.receiver import Receiver, sentence
from watchkeeper.demo.retraining import year_with_retraining
from watchkeeper.demo.sending import Advance, Sending
from watchkeeper.demo.server import DemoServer

HORIZON = "30d"  # the notify horizon: webhooks are sent for windows that ended up to so long ago
YEAR = "400d"  # the horizon of hooks: all of the year may ask for a retraining, since all of it has just been sent
_TOLD = 12  # webhooks that are printed one by one

Say = Callable[[str], None]


def run(*, data: Path | None, port: int, cache: Path, days: int | None, leave: bool, say: Say, advance: Advance) -> None:
    """Run the demo; `leave` ends it when the stream is quiet, else it goes on until it is interrupted.

    `data` is the server's folder (None: a temporary one), `cache` where the flights' files are kept, `days` how many of the last days are sent (None: all
    eleven months). `say` is called with what is going on, `advance(model, events, total)` with the progress of sending. Raises Fatal if the server does not live.
    """
    with ExitStack() as stack:
        folder = data or Path(stack.enter_context(TemporaryDirectory(prefix="watchkeeper-demo-")))
        say(f"starting the server on {folder}")
        settings = {"WATCHKEEPER_ALERTS__NOTIFY_HORIZON": HORIZON, "WATCHKEEPER_HOOKS__HORIZON": YEAR}
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
        sending = Sending(client, pairs, days, advance)
        say(f"sending {sending.events:,} events, {sending.weeks} weeks later than they were")
        if days is None:
            year_with_retraining(client, sending, pairs, Path(stack.enter_context(TemporaryDirectory(prefix="watchkeeper-demo-"))), say)
        else:
            sending.send(sending.streams)
        for model, receipt in sending.receipts.items():
            say(f"{model}: {receipt.predictions.accepted:,} predictions, {receipt.labels.accepted:,} labels, {receipt.rejected:,} rejected")
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
