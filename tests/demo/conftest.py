"""The demo's flights, made once and kept in pytest's cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchkeeper.demo.flights import Pair, make


@pytest.fixture(scope="session")
def flights(pytestconfig: pytest.Config) -> tuple[Pair, Pair]:
    assert pytestconfig.cache is not None
    return make(Path(pytestconfig.cache.mkdir("flights")), say=lambda _: None)
