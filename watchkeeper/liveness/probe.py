"""Asks servers in a thread of its own, so that a request for the status is answered at once, also when a server hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from core.error import WatchkeeperError

_log = logging.getLogger(__name__)

T = TypeVar("T")

_SLOW = 5.0  # seconds after which a call under way is reported


class Probe(Generic[T]):
    """Calls `query` every so many seconds, and at once when somebody needs a newer answer. A call that raises gives no answer."""

    def __init__(self, query: Callable[[], T], first: T, every: float = 2.0) -> None:
        self._query, self._every = query, every
        self._answer, self._as_of = first, 0.0  # the last answer, and when that call began (time.monotonic())
        self._began: float | None = None  # of the call under way
        self._wanted, self._stopped = False, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def stop(self) -> None:
        """Stop. A call under way is not waited for."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def last(self) -> T:
        """The last answer."""
        return self._answer

    @property
    def slow(self) -> float:
        """For how many seconds a call has been under way, if for long; else 0."""
        began = self._began
        waited = 0.0 if began is None else time.monotonic() - began
        return waited if waited > _SLOW else 0.0

    def now(self, patience: float, age: float = 0.0) -> T | None:
        """An answer to a query that began at most `age` seconds before this call; None if that takes longer than `patience` seconds."""
        asked = time.monotonic() - age
        with self._changed:
            if self._as_of < asked:
                self._wanted = True
                self._changed.notify_all()
            done = self._changed.wait_for(lambda: self._as_of >= asked or self._stopped, patience)
            return self._answer if done and self._as_of >= asked else None

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted or self._stopped, self._every)
                if self._stopped:
                    return
                self._wanted = False
                began = self._began = time.monotonic()
            try:
                answer = self._query()
            except Exception:  # if this thread ended, the answer would never change again
                _log.exception("a probe failed; it is repeated")
                self._began = None
                continue
            with self._changed:
                self._answer, self._as_of, self._began = answer, began, None
                self._changed.notify_all()


class Pingable(Protocol):
    """A server that can be asked whether it is there."""

    def ping(self) -> None:
        """Raise if it does not answer."""
        ...


class ServerProbe(Probe[list[str]]):
    """Which of some servers do not answer."""

    def __init__(self, *servers: Pingable) -> None:
        super().__init__(lambda: self._away(servers), [])

    def away(self) -> list[str]:
        """Sentences about the servers that did not answer the last time."""
        return [*self.last, *([f"a store has not answered for {self.slow:.0f} s"] if self.slow else [])]

    @staticmethod
    def _away(servers: Sequence[Pingable]) -> list[str]:
        found = []
        for server in servers:
            try:
                server.ping()
            except WatchkeeperError as error:
                found.append(str(error))
        return found
