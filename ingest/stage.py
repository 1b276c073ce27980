"""A stage of ingest takes batches, works on them, and hands them on.

A consumer's thread calls them. `submit` accepts a message, or raises `Backpressure` and has changed nothing; an accepted message need not be done.
`poll` moves on what waits. `close` says that no more messages come. `join` waits for work under way, and `abandon` drops it. Only the last stage
commits positions of the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

T_contra = TypeVar("T_contra", contravariant=True)
T = TypeVar("T")
U = TypeVar("U")


class Backpressure(Exception):
    """The stage is full; submit again after `poll`."""


class Stage(Protocol[T_contra]):
    """A stage, by its five methods."""

    def submit(self, message: T_contra) -> None:
        """Accept a message, or raise Backpressure."""
        ...

    def poll(self) -> None:
        """Move on what waits."""
        ...

    def close(self) -> None:
        """Nothing more will be submitted."""
        ...

    def join(self, seconds: float) -> None:
        """Wait until what was accepted is done, at most so long."""
        ...

    def abandon(self) -> None:
        """Drop what is not done."""
        ...


class FunctionStage(Generic[T, U]):
    """A stage that is a function. It holds one result that the next stage has not accepted yet."""

    def __init__(self, function: Callable[[T], U], following: Stage[U]) -> None:
        self._function = function
        self._next = following
        self._held: list[U] = []

    def submit(self, message: T) -> None:
        """Work on the message at once, unless a result still waits. If a following stage raises, `poll` raises it, because this message is accepted."""
        self._forward()
        if self._held:
            raise Backpressure
        self._held.append(self._function(message))
        with suppress(Exception):
            self._forward()

    def poll(self) -> None:
        """Move on the result that waits."""
        self._next.poll()
        self._forward()

    def close(self) -> None:
        """Close the stage that follows, once it has accepted the waiting result."""
        self._forward()
        self._next.close()

    def join(self, seconds: float) -> None:
        """Wait for the stages that follow."""
        until = time.monotonic() + seconds
        self._next.join(seconds)
        self._forward()
        self._next.join(max(0.0, until - time.monotonic()))

    def abandon(self) -> None:
        """Drop the waiting result, and the work of the stages that follow."""
        self._held.clear()
        self._next.abandon()

    def _forward(self) -> None:
        if self._held:
            try:
                self._next.submit(self._held[0])
            except Backpressure:
                return
            self._held.clear()
