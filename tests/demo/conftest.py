"""The demo's flights."""

from __future__ import annotations

import pytest

from watchkeeper.demo.flights import Pair


@pytest.fixture(scope="session")
def flights(pairs: tuple[Pair, Pair]) -> tuple[Pair, Pair]:
    """Both models' files."""
    return pairs
