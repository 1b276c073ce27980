"""The way to the APIs of targets, and the stage of requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from alerts.exchange import Exchange
from core.clock import ManualClock
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.retrain.stage import Stage


@pytest.fixture(scope="module")
def wire() -> Iterator[Exchange]:
    exchange = Exchange(seconds=5.0)
    yield exchange
    exchange.close()


@pytest.fixture
def stage(store: ControlStore, clock: ManualClock, receiver: Receiver) -> Stage:
    return Stage(store, clock, receiver)
