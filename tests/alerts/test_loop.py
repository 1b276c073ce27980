"""The loop in a thread of its own: it takes turns when it is woken, goes on after a fault, and ends."""

from __future__ import annotations

from queue import Queue

from alerts.loop import Loop
from core.error import Retryable

LONG = 300.0  # seconds: nothing here waits for a poll


def test_a_turn_is_taken_at_once_and_whenever_it_is_woken() -> None:
    """A wake during a turn is not lost; after the end no turn is taken."""
    turns: Queue[int] = Queue()
    loop = Loop("test", lambda: turns.put(1), LONG, "it cannot go on")
    loop.start()
    turns.get(timeout=LONG)
    loop.wake()
    turns.get(timeout=LONG)
    loop.stop(LONG)
    loop.wake()
    assert (turns.empty(), loop.stopping) == (True, True)


def test_a_turn_that_fails_is_taken_again() -> None:
    """Both when a store says how long it is away and when an error was not foreseen."""
    turns: Queue[int] = Queue()
    faults = [Retryable("the store is away", after=0.01), ValueError("a bug")]

    def turn() -> None:
        turns.put(1)
        if faults:
            raise faults.pop(0)

    loop = Loop("test", turn, 0.01, "it cannot go on")
    loop.start()
    assert [turns.get(timeout=LONG) for _ in range(3)] == [1, 1, 1]
    loop.stop(LONG)


def test_a_loop_that_never_began_stops_and_one_that_waits_first_takes_no_turn() -> None:
    """`at_once=False` waits for the first poll or wake."""
    turns: Queue[int] = Queue()
    Loop("test", lambda: turns.put(1), LONG, "it cannot go on").stop(LONG)
    patient = Loop("test", lambda: turns.put(2), LONG, "it cannot go on", at_once=False)
    patient.start()
    patient.stop(LONG)
    assert turns.empty()
