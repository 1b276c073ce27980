"""An episode that ended and goes on, and one that was ended by hand."""

from __future__ import annotations

import msgspec
import pytest

from alerts import retire
from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.episode import Cause
from core.handling import Act
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.sample import DESTINATION, MONITOR, reading

PERSISTENT = msgspec.structs.replace(MONITOR, persist=(2, 3), reopen_within=5 * moment.DAY)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(reading(0, "ok").window_end)


@pytest.fixture
def engine(store: ControlStore, clock: ManualClock) -> AlertEngine:
    return AlertEngine(store, clock, MEASURES)


def test_an_episode_that_goes_on_with_the_window_that_fired_it_is_told_again(store: ControlStore, engine: AlertEngine) -> None:
    """A later window that came early has ended it; when that is corrected, the notices have ids of their own."""
    store.apply_destinations([DESTINATION])
    monitor = msgspec.structs.replace(MONITOR, reopen_within=5 * moment.DAY)
    engine.observe(monitor, [reading(0, "warn")])
    engine.observe(monitor, [reading(0, "ok", revision=2)])
    engine.observe(monitor, [reading(0, "warn", revision=3)])
    engine.observe(monitor, [reading(1, "ok")])
    engine.observe(monitor, [reading(1, "warn", revision=2)])
    engine.observe(monitor, [reading(1, "ok", revision=3)])
    ((one,), _) = store.episodes()
    assert [row.type for row in one.deliveries] == ["episode.fired", "episode.resolved"] * 3
    assert len({row.id for row in one.deliveries}) == 6


def test_two_ends_at_one_window_have_two_ids(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """It ends with a window, goes on with a late correction of an earlier one, and is ended by hand: at that window again."""
    store.apply_destinations([DESTINATION])
    engine.observe(PERSISTENT, [reading(0, "warn"), reading(1, "warn")])
    engine.observe(PERSISTENT, [reading(2, "ok"), reading(3, "ok")])
    engine.observe(PERSISTENT, [reading(2, "warn", revision=2)])
    ((one,), _) = store.episodes("open")
    with store.retiring("ada") as change:
        assert retire.resolve(one, "known", change, clock.now(), "")
    ((one,), _) = store.episodes()
    assert [row.type for row in one.deliveries] == ["episode.fired", "episode.resolved"] * 2
    assert len({row.id for row in one.deliveries}) == 4


def test_an_end_by_hand_holds_until_later_windows_fire(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """Of three windows two breach; a good window does not bring it back, nor does one window that breaches, nor an old one that is corrected."""
    store.apply_destinations([DESTINATION])
    engine.observe(PERSISTENT, [reading(0, "warn"), reading(1, "warn")])
    ((one,), _) = store.episodes("open")
    with store.retiring("ada") as change:
        assert retire.resolve(one, "known", change, clock.now(), "")
    engine.observe(PERSISTENT, [reading(2, "ok")])
    engine.observe(PERSISTENT, [reading(3, "warn"), reading(1, "critical", revision=2)])
    assert store.episodes("open")[0] == []
    engine.observe(PERSISTENT, [reading(4, "warn")])
    ((again,), _) = store.episodes("open")
    assert again.id != one.id
    ended = store.episode(one.id)
    assert ended is not None
    assert ended.cause is Cause.BY_HAND


def test_what_was_acknowledged_before_it_went_on_is_to_be_seen_again(store: ControlStore, engine: AlertEngine, clock: ManualClock) -> None:
    """So with a snooze; whose it is stays, and so do the acts."""
    monitor = msgspec.structs.replace(MONITOR, reopen_within=5 * moment.DAY)
    engine.observe(monitor, [reading(0, "warn")])
    ((one,), _) = store.episodes()
    until = clock.now() + 30 * moment.DAY
    for action, changes in (("acknowledge", {}), ("snooze", {"until": until}), ("assign", {"to": "ada"})):
        store.add_act(msgspec.structs.replace(Act(episode=one.id, at=clock.now(), actor="ada", action=action), **changes))
    clock.advance(moment.DAY)
    engine.observe(monitor, [reading(1, "ok")])
    clock.advance(moment.DAY)
    engine.observe(monitor, [reading(2, "warn")])
    found = store.episode(one.id)
    assert found is not None
    assert (found.ended_at, found.handling.acknowledged_by, found.handling.snoozed_until) == (None, None, None)
    assert (found.handling.assigned_to, len(found.handling.acts)) == ("ada", 3)
    clock.advance(1)
    store.add_act(Act(episode=one.id, at=clock.now(), actor="eve", action="acknowledge"))
    found = store.episode(one.id)
    assert found is not None
    assert found.handling.acknowledged_by == "eve"
