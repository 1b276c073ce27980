"""Each cause of an episode's end, over time: the episode says it, and who was told of the beginning is told of the end."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from alerts.engine import AlertEngine
from alerts.retire import end, resolve
from core.clock import ManualClock
from core.episode import Cause, Episode
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.sample import DESTINATION, MONITOR, reading

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def _deleted(cause: Cause) -> Callable[[ControlStore, AlertEngine, Episode], None]:
    def run(store: ControlStore, _engine: AlertEngine, _one: Episode) -> None:
        with store.retiring("ada") as change:
            end(MONITOR, "it was deleted", cause, change, change.now, "")

    return run


def _resolved(cause: Cause) -> Callable[[ControlStore, AlertEngine, Episode], None]:
    def run(store: ControlStore, _engine: AlertEngine, one: Episode) -> None:
        with store.recording() as ledger:
            assert resolve(one, "it is over", ledger, 1, "", cause)

    return run


ENDS: dict[Cause, Callable[[ControlStore, AlertEngine, Episode], object]] = {
    Cause.CLEARED: lambda _store, engine, _one: engine.observe(MONITOR, [reading(1, "ok")]),
    Cause.MONITOR_CHANGED: lambda _store, engine, _one: engine.observe(msgspec.structs.replace(MONITOR, revision=2), []),
    Cause.NEW_BASELINE: lambda _store, engine, _one: engine.observe(MONITOR, [], contract=2, version=2),
    Cause.COLUMN_GONE: lambda _store, engine, _one: engine.observe(MONITOR, [], contract=1, version=2, columns=["dewp"]),
    Cause.SEGMENT_GONE: lambda _store, engine, _one: engine.observe(MONITOR, [], contract=1, version=2, watched=lambda _: False),
    Cause.VERSION_SUPERSEDED: lambda _store, engine, _one: engine.supersede(MONITOR, "version 1 is not served any more"),
    Cause.MONITOR_DELETED: _deleted(Cause.MONITOR_DELETED),
    Cause.MODEL_DELETED: _deleted(Cause.MODEL_DELETED),
    Cause.BY_HAND: _resolved(Cause.BY_HAND),
    Cause.RETRAINED: _resolved(Cause.RETRAINED),
}


@pytest.mark.parametrize("cause", Cause)
def test_an_end_has_its_cause_and_is_told(cause: Cause, store: ControlStore, clock: ManualClock) -> None:
    """Once, to the same destination, after what was told before."""
    store.apply_monitors([MONITOR])
    store.apply_destinations([DESTINATION])
    engine = AlertEngine(store, clock, MEASURES)
    engine.observe(MONITOR, [reading(0, "critical")])
    (one,), _ = store.episodes("open")
    ENDS[cause](store, engine, one)
    (after,), _ = store.episodes()
    assert (after.id, after.cause, after.ended_at is not None, store.open_episodes()) == (one.id, cause, True, {})
    assert after.timeline[-1].cause is cause
    assert after.timeline[-1].reason
    assert [row.type for row in after.deliveries] == ["episode.fired", "episode.resolved"]
    if cause not in {Cause.BY_HAND, Cause.RETRAINED}:  # these ask for an episode that is open
        ENDS[cause](store, engine, one)
    assert len(store.episodes()[0][0].deliveries) == 2
