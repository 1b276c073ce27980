"""A control store on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.clock import ManualClock
from storage.control.store import ControlStore
from tests.storage.control.database import migrated_postgres, url

__all__ = ["migrated_postgres", "store", "url"]


@pytest.fixture
def store(url: str) -> Iterator[ControlStore]:
    store = ControlStore(url, ManualClock(1_000))
    store.migrate()
    yield store
    store.close()
