"""A monitor that is deleted leaves nothing open."""

from __future__ import annotations

import msgspec

from alerts.engine import AlertEngine
from alerts.retire import end
from core.clock import ManualClock
from core.episode import Cause, DeliveryState, State
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.sample import DESTINATION, MONITOR, reading


def test_its_episodes_end_with_that_reason_and_who_was_told_is_told_once(store: ControlStore, clock: ManualClock) -> None:
    """In one transaction; readings that come late open nothing, and the name defined again has an episode of its own."""
    engine = AlertEngine(store, clock, MEASURES)
    store.apply_monitors([MONITOR])
    store.apply_destinations([DESTINATION])
    engine.observe(MONITOR, [reading(0, "warn")])
    for _ in range(2):
        with store.retiring("ada") as change:
            if (monitor := change.monitor(MONITOR.model, MONITOR.name)) is not None:
                end(monitor, "Monitor drift was deleted", Cause.MONITOR_DELETED, change, change.now, "http://127.0.0.1:8650")
    (episode,), _ = store.episodes()
    assert (episode.state, episode.ended_at) == (State.RESOLVED, reading(0, "warn").window_end)
    assert [(row.type, row.state) for row in episode.deliveries] == [
        ("episode.fired", DeliveryState.PENDING),
        ("episode.resolved", DeliveryState.PENDING),
    ]
    assert [one.reason for one in store.transitions(episode.id)][1:] == ["Monitor drift was deleted"]
    for late in (engine, AlertEngine(store, clock, MEASURES)):
        assert late.observe(MONITOR, [reading(1, "critical"), reading(2, "critical", column="dewp")]) == []
    store.apply_monitors([MONITOR])
    (again,) = store.monitors()
    engine.observe(again, [reading(0, "warn")])
    found, _ = store.episodes()
    assert sorted(one.state for one in found) == [State.FIRING, State.RESOLVED]
    assert msgspec.structs.replace(again, revision=1) == MONITOR
