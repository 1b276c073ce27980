"""Looks at servers in a thread of its own, so that whoever asks how things are is answered at once, also when a server hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from core.error import WatchkeeperError

_log = logging.getLogger(__name__)

T = TypeVar("T")

_SLOW = 5.0  # seconds after which a look under way is told


class Probe(Generic[T]):
    """Calls `ask` every so many seconds, and sooner when somebody wants to know what holds now. A look that raises brings nothing."""

    def __init__(self, ask: Callable[[], T], first: T, every: float = 2.0) -> None:
        self._ask, self._every = ask, every
        self._answer, self._as_of = first, 0.0  # what was found, and when that look began (time.monotonic())
        self._began: float | None = None  # of the look under way
        self._wanted, self._stopped = False, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look under way is left to itself."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    @property
    def last(self) -> T:
        """What was found last."""
        return self._answer

    @property
    def slow(self) -> float:
        """For how many seconds a look has been under way, if for long; 0 if not."""
        began = self._began
        waited = 0.0 if began is None else time.monotonic() - began
        return waited if waited > _SLOW else 0.0

    def now(self, patience: float, age: float = 0.0) -> T | None:
        """What a look finds that began `age` seconds before this call or later; None if that takes longer than `patience` seconds."""
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
                answer = self._ask()
            except Exception:  # the thread's edge: if it ended, nothing that is told would ever change again
                _log.exception("a look failed; the next follows")
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
        """Those that did not answer the last time, in words."""
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
