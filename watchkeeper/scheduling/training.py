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
from typing import Any

from core.error import ConfigError, Retryable, WatchkeeperError
from detectors.sample import P, T

_NICE = 5  # about a third of the share of a usual process: at the lowest priority a busy machine would never let a stream become quiet


class Training:
    """Calls functions in a process of its own (`detectors.sample.Train`), for all threads of this one. Raises Retryable if that process ends, as when memory is short; the next call starts another one."""

    def __init__(self) -> None:
        self._lock, self._closed = threading.Lock(), False
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function, once those that were asked for before are done."""
        with self._lock:
            connection = self._started()
            try:
                connection.send((work, args, kwargs))
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
            self._connection, self._process = ours, process
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _train(connection: Connection) -> None:
    """Answer until the other side ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; this one ends with the other
    os.nice(_NICE)
    with suppress(EOFError, OSError):
        while True:
            connection.send(_answer(*connection.recv()))


def _answer(work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T | Exception:
    try:
        return work(*args, **kwargs)
    except ConfigError as error:
        return ConfigError(str(error))
    except Exception as error:  # the other side raises it
        return WatchkeeperError(f"{type(error).__name__}: {error}")
