"""The application over in-memory services, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from core.clock import ManualClock
from tests.api.twin import Twin
from watchkeeper.api.app import create_api

NOW = 1_700_000_000_000_000


@pytest.fixture
def twin() -> Twin:
    return Twin()


@pytest.fixture
async def http(twin: Twin) -> AsyncIterator[httpx.AsyncClient]:
    app = create_api(twin, address="http://127.0.0.1:8650", clock=ManualClock(NOW))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8650") as client:
        yield client
