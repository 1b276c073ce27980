"""A control store on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.clock import ManualClock
from storage.control.store import ControlStore


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    return f"sqlite:///{tmp_path}/control.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[ControlStore]:
    store = ControlStore(url, ManualClock(1_000))
    store.migrate()
    yield store
    store.close()
