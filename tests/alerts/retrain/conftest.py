"""The way to the APIs of targets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.exchange import Exchange


@pytest.fixture(scope="module")
def wire() -> Iterator[Exchange]:
    exchange = Exchange(seconds=5.0)
    yield exchange
    exchange.close()
