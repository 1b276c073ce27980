"""A receiver of notifications that refuses some of them once, and what must be true of all that it got."""

from __future__ import annotations

import random
import time
from threading import Lock
from types import TracebackType
from typing import Any, Self

from tests.alerts.sample import SECRET
from tests.loopback import Loopback, QuietHandler
from watchkeeper.client import Client

DESTINATION = "chaos"
_REFUSED = 0.1  # of the notifications are refused when they come first


class Notices(Loopback):
    """Listens on loopback, and keeps what came, in order: id, body, and whether it was taken. It may be away for a while, as a server that restarts."""

    def __init__(self, seed: str) -> None:
        self._draw, self._lock = random.Random(seed), Lock()
        self.running = False
        self.calls: list[tuple[str, bytes, bool]] = []

    def definition(self) -> dict[str, Any]:
        """The destination that leads here."""
        return {"destination": DESTINATION, "url": f"{self.url}/hook", "secret": SECRET}

    def _take(self, name: str, body: bytes) -> int:
        """The status of a call."""
        with self._lock:
            taken = any(known == name for known, _, _ in self.calls) or self._draw.random() >= _REFUSED
            self.calls.append((name, body, taken))
        return 204 if taken else 503

    def start(self, *, wait: bool = True) -> Self:
        """Listen, where it listened before."""
        notices = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name is the library's
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(notices._take(self.headers["webhook-id"], body))
                self.end_headers()

        if not self.running:
            self.listen(Handler, self._server.server_port if hasattr(self, "_server") else 0)
            self.running = True
        return self

    def kill(self) -> None:
        """Be away: connections are refused."""
        if self.running:
            self.running = False
            super().__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def faults(self, client: Client, patience: float) -> list[str]:
        """What is wrong with what came, once nothing waits any more or `patience` (seconds) is over."""
        until = time.monotonic() + patience
        while client.deliveries(state="pending", limit=1)["items"] and time.monotonic() < until:
            time.sleep(1.0)
        written = _deliveries(client)
        with self._lock:
            calls = list(self.calls)
        came: dict[str, set[bytes]] = {}
        taken = list(dict.fromkeys(name for name, _, taken in calls if taken))
        for name, body, _ in calls:
            came.setdefault(name, set()).add(body)
        found = [f"{name} came with {len(bodies)} bodies" for name, bodies in came.items() if len(bodies) > 1]
        known = {one["id"]: one for one in written}
        found += [f"{name} is in no outbox" for name in came if name not in known]
        found += [f"{name} is delivered and never came" for name, one in known.items() if one["state"] == "delivered" and name not in taken]
        lost = ("dead", "pending") if patience else ("dead",)
        found += [f"{name} is {one['state']}: {one['reason']}" for name, one in known.items() if one["state"] in lost]
        return found + _disorder(taken, written)


def _deliveries(client: Client) -> list[dict[str, Any]]:
    """All notifications, the oldest first."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = client.deliveries(destination=DESTINATION, limit=1_000, cursor=cursor)
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found[::-1]


def _disorder(taken: list[str], written: list[dict[str, Any]]) -> list[str]:
    """The episodes whose notifications were first taken in another order than they were written in."""
    place = {name: at for at, name in enumerate(taken)}
    threads: dict[str, list[int]] = {}
    for one in written:
        if one["id"] in place:
            threads.setdefault(one["episode"], []).append(place[one["id"]])
    return [f"the notifications of {episode} came in disorder" for episode, places in threads.items() if places != sorted(places)]
