"""A control store in a temporary folder, a clock that stands still, and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import moment
from core.clock import ManualClock
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import START


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + 2 * moment.DAY)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[ControlStore]:
    store = ControlStore(f"sqlite:///{tmp_path}/control.db", clock)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
