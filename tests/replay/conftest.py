"""A server to send to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.stand import Server, listening


@pytest.fixture
def server() -> Iterator[Server]:
    with listening() as server:
        yield server
