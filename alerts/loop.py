"""A loop in a thread of its own: it begins, is woken, and ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from core.error import Retryable

_LOG = logging.getLogger(__name__)
_PAUSE = 1.0  # seconds after a fault that no error names


class Loop:
    """Calls `turn` between `start` and `stop`: every `poll` seconds at least, and at once when it is woken. A turn that fails is made again.

    `name` is the thread's; `fails` says in the log what cannot be done. `turn` may return how many seconds it is not called again at least, which are part of `poll`.
    """

    def __init__(self, name: str, turn: Callable[[], float | None], poll: float, fails: str, *, at_once: bool = True) -> None:
        self._name, self._turn, self._poll, self._fails, self._at_once = name, turn, poll, fails, at_once
        self._woken, self._stopping = Event(), Event()
        self._thread: Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread = Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Take a turn now, or after the one under way."""
        self._woken.set()

    def rest(self, seconds: float) -> bool:
        """Wait, unless it stops. Returns whether it stops."""
        return self._stopping.wait(seconds)

    def stop(self, grace: float) -> None:
        """Begin no further turn, and wait so many seconds for the one under way."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(grace)

    def _run(self) -> None:
        if not self._at_once:
            self._wait()
        while not self._stopping.is_set():
            pause: float | None = None
            try:
                if pause := self._turn():
                    self._stopping.wait(pause)
            except Retryable as error:
                _LOG.warning("%s: %s", self._fails, error)
                self._stopping.wait(error.after)
            except Exception:  # top of the thread: a store that fails now may answer later
                _LOG.exception("%s", self._fails)
                self._stopping.wait(_PAUSE)
            self._wait(pause or 0.0)

    def _wait(self, waited: float = 0.0) -> None:
        self._woken.wait(max(0.0, self._poll - waited))
        self._woken.clear()
