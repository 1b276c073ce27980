"""A control store in a temporary folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clock import ManualClock
from storage.control.store import ControlStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/control.db"


@pytest.fixture
def store(url: str) -> Iterator[ControlStore]:
    store = ControlStore(url, ManualClock(1_000))
    store.migrate()
    yield store
    store.close()
