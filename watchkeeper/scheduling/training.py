"""Trees are trained in a process of their own: one at a time, on one core, at a low priority.

So they take no time from the threads of this process, which share one interpreter. The process begins with the first trees and ends with this one, however this one ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple

from core.error import ConfigError, Retryable, WatchkeeperError
from detectors.sample import P, Shared, T

_HELD = 4  # shared data that the process keeps
_NICE = 5  # about a third of the share of a usual process: at the lowest priority a busy machine would never let a stream become quiet


class Training:
    """Calls functions in a process of its own (`detectors.sample.Train`), for all threads of this one. Raises Retryable if that process ends, as when memory is short; the next call starts another one."""

    def __init__(self) -> None:
        self._lock, self._closed = threading.Lock(), False
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._there: list[bytes] = []  # digests of the shared data that the process has, those that were used last at the end

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function, once those that were asked for before are done."""
        with self._lock:
            connection = self._started()
            try:
                connection.send((work, tuple(map(self._sent, args)), kwargs))
                found: T | Exception = connection.recv()
            except (EOFError, OSError) as error:
                self._close()
                raise Retryable("the process that trains trees has ended; memory may be short") from error
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        """End the process, also while it trains; there will be no other."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._close()

    def _started(self) -> Connection:
        if self._closed:
            raise Retryable("this process is about to end")
        if self._connection is None or self._process is None or not self._process.is_alive():
            self._close()
            context = multiprocessing.get_context("spawn")  # a process with chDB must not fork
            ours, theirs = context.Pipe()
            process = context.Process(target=_train, args=(theirs,), name="train", daemon=True)
            try:
                process.start()
            except OSError as error:
                ours.close()
                raise Retryable(f"the process that trains trees does not start: {error}; memory may be short") from error
            finally:
                theirs.close()  # so that each side sees when the other ends
            self._connection, self._process, self._there = ours, process, []
        return self._connection

    def _sent(self, given: object) -> object:
        """What is sent of an argument: nothing but the digest of shared data that the process has."""
        if not isinstance(given, Shared):
            return given
        there = given.digest in self._there
        self._there = [*(one for one in self._there if one != given.digest), given.digest][-_HELD:]
        return _Sent(given.digest, None if there else given, tuple(self._there))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


class _Sent(NamedTuple):
    """Shared data; None if they were sent before. Of all that were sent, those with the digests `kept` are kept."""

    digest: bytes
    data: Shared | None
    kept: tuple[bytes, ...]


class _Received:
    """The shared data that were sent."""

    def __init__(self) -> None:
        self._held: dict[bytes, Shared] = {}

    def __call__(self, given: object) -> Any:
        """An argument as it was before it was sent."""
        if not isinstance(given, _Sent):
            return given
        if given.data is not None:
            self._held[given.digest] = given.data
        self._held = {digest: data for digest, data in self._held.items() if digest in given.kept}
        return self._held[given.digest]


def _train(connection: Connection) -> None:
    """Answer until the other side ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; this one ends with the other
    os.nice(_NICE)
    received = _Received()
    with suppress(EOFError, OSError):
        while True:
            work, args, kwargs = connection.recv()
            connection.send(_answer(work, tuple(map(received, args)), kwargs))


def _answer(work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T | Exception:
    try:
        return work(*args, **kwargs)
    except ConfigError as error:
        return ConfigError(str(error))
    except Exception as error:  # the other side raises it
        return WatchkeeperError(f"{type(error).__name__}: {error}")
