"""A probe goes on after its query failed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import count

import pytest

from watchkeeper.liveness.probe import Probe


def test_a_look_that_fails_is_followed_by_another(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged; the last answer holds until the next query."""
    looks: Iterator[int | Exception] = iter([7, KeyError("income"), 9])

    def ask() -> int:
        found = next(looks, 9)
        if isinstance(found, Exception):
            raise found
        return found

    lookout = Probe(ask, 0, every=0.05)
    lookout.start()
    with caplog.at_level(logging.ERROR):
        assert lookout.now(10) == 7
        assert lookout.now(10) == 9
    assert "KeyError: 'income'" in caplog.text
    lookout.stop()


def test_who_takes_an_older_answer_gets_what_was_found_last_and_causes_no_look() -> None:
    """Pages are drawn from the last look; only when it is too old a new one is made."""
    looks = count(1)
    lookout = Probe(lambda: next(looks), 0, every=3600)
    lookout.start()
    assert lookout.now(10) == 1
    assert [lookout.now(10, age=3600) for _ in range(3)] == [1, 1, 1]
    assert lookout.now(10) == 2
    lookout.stop()
