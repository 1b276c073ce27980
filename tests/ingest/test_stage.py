"""Steps accept or refuse, hold one result, and lose nothing."""

from __future__ import annotations

import pytest

from ingest.stage import Backpressure, FunctionStage


class Narrow:
    """A last stage that takes one message at a time."""

    def __init__(self) -> None:
        self.busy: list[int] = []
        self.done: list[int] = []

    def submit(self, message: int) -> None:
        if self.busy:
            raise Backpressure
        self.busy.append(message)

    def poll(self) -> None:
        self.done += self.busy
        self.busy.clear()

    def close(self) -> None:
        self.closed = True

    def join(self, seconds: float) -> None:
        self.poll()

    def abandon(self) -> None:
        self.busy.clear()


def test_a_full_chain_refuses_and_has_changed_nothing() -> None:
    """Two stages hold one result each; the fourth message is refused, and taken after a poll."""
    last = Narrow()
    calls: list[int] = []

    def double(x: int) -> int:
        calls.append(x)
        return 2 * x

    chain: FunctionStage[int, int] = FunctionStage(double, FunctionStage(lambda x: x + 1, last))
    for message in (1, 2, 3):
        chain.submit(message)
    with pytest.raises(Backpressure):
        chain.submit(4)
    assert calls == [1, 2, 3]
    chain.poll()
    chain.submit(4)
    for _ in range(4):
        chain.poll()
    assert last.done == [3, 5, 7, 9]


def test_join_finishes_what_was_accepted() -> None:
    """After close and join everything that was accepted is done."""
    last = Narrow()
    chain: FunctionStage[int, int] = FunctionStage(lambda x: x, last)
    chain.submit(1)
    chain.submit(2)
    chain.close()
    chain.join(300)
    assert last.done == [1, 2]


def test_a_step_that_fails_is_tried_again_with_the_same_message() -> None:
    """What a following stage raises comes out of poll, and the message goes through once when the fault is over."""
    last, faults = Narrow(), [OSError("away"), OSError("away")]

    def shaky(x: int) -> int:
        if faults:
            raise faults.pop()
        return x

    chain: FunctionStage[int, int] = FunctionStage(lambda x: x, FunctionStage(shaky, last))
    chain.submit(1)
    with pytest.raises(OSError, match="away"):
        chain.poll()
    chain.poll()
    chain.poll()
    assert last.done == [1]
