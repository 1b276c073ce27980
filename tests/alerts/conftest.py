"""A control store on each database, a clock that stands still, and a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core import moment
from core.clock import ManualClock
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import START
from tests.storage.control.database import migrated_postgres, url

__all__ = ["clock", "migrated_postgres", "receiver", "store", "url"]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START + 2 * moment.DAY)


@pytest.fixture
def store(url: str, clock: ManualClock) -> Iterator[ControlStore]:
    store = ControlStore(url, clock)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver
