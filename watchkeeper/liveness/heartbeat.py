"""Heartbeats: each process renews a document in the control store, and the serving process watches which documents still change.

No clock of another machine decides: a process lives as long as its document is seen to change.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from core.clock import Clock
from core.document_name import PROCESS
from core.error import WatchkeeperError

_log = logging.getLogger(__name__)

EVERY = 3.0  # seconds between two heartbeats
GONE = 30.0  # seconds without a heartbeat after which the process is gone
_FORGOTTEN = 600.0  # seconds after which its document is removed


class Documents(Protocol):
    """The store of heartbeats."""

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Documents by name."""
        ...

    def save_cursor(self, name: str, payload: dict[str, Any]) -> None:
        """Save one."""
        ...

    def forget(self, name: str) -> None:
        """Remove one."""
        ...


class Heartbeat:
    """Renews the document of a process, in a thread, from `start` to `stop`."""

    def __init__(self, store: Documents, clock: Clock, kind: str, port: int, problems: Callable[[], Sequence[str]]) -> None:
        self._store, self._clock, self._kind, self._problems = store, clock, kind, problems
        self._at = f"{socket.gethostname()}:{port}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and remove the document: this process ended as it should."""
        self._stop.set()
        self._thread.join(EVERY)
        with suppress(WatchkeeperError):
            self._store.forget(self._name)

    @property
    def _name(self) -> str:
        return f"{PROCESS}{self._kind}:{self._at}"

    def _run(self) -> None:
        while not self._stop.is_set():
            document = {"kind": self._kind, "where": self._at, "at": self._clock.now(), "problems": list(self._problems())[:20]}
            try:
                self._store.save_cursor(self._name, document)
            except WatchkeeperError as error:
                _log.debug("no heartbeat: %s", error)
            self._stop.wait(EVERY)


class LivingProcess(NamedTuple):
    """A process whose heartbeat was seen: its kind, its address, its problems."""

    kind: str
    where: str
    problems: Sequence[str]


class ProcessWatch:
    """Watches which processes live."""

    def __init__(self, store: Documents, kinds: Sequence[str]) -> None:
        self._store, self._kinds = store, kinds
        self._began = time.monotonic()
        self._last: dict[str, tuple[Any, float]] = {}  # by document: the time in it, and when that was first seen

    def living(self) -> tuple[list[LivingProcess], list[str]]:
        """The processes that live, and sentences about kinds that are missing. Raises Retryable if the store does not answer."""
        now = time.monotonic()
        documents = self._store.cursors(PROCESS)
        for name, document in documents.items():
            if self._last.get(name, (None, 0.0))[0] != document["at"]:
                self._last[name] = (document["at"], now)
        self._last = {name: self._last[name] for name in documents}
        for name in [name for name, (_, at) in self._last.items() if now - at > _FORGOTTEN]:
            self._store.forget(name)
        living = [
            LivingProcess(document["kind"], document["where"], document["problems"])
            for name, document in documents.items()
            if now - self._last[name][1] <= GONE
        ]
        missing = [kind for kind in self._kinds if not any(seen.kind == kind for seen in living)] if now - self._began > GONE else []
        return living, [f"no {kind} process has been seen for {GONE:.0f} s; start `watchkeeper {kind}`" for kind in missing]
