"""Whoever looks goes on looking."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from watchkeeper.cluster.lookout import Lookout


def test_a_look_that_fails_is_followed_by_another(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody expected is in the log; what was found before holds until the next look."""
    looks: Iterator[int | Exception] = iter([7, KeyError("income"), 9])

    def ask() -> int:
        found = next(looks, 9)
        if isinstance(found, Exception):
            raise found
        return found

    lookout = Lookout(ask, 0, every=0.05)
    lookout.start()
    with caplog.at_level(logging.ERROR):
        assert lookout.now(10) == 7
        assert lookout.now(10) == 9
    assert "KeyError: 'income'" in caplog.text
    lookout.stop()
