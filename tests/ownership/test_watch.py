"""What an owner tells the alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from core import moment
from core.clock import ManualClock
from core.episode import DeliveryState, State
from core.monitor import Monitor
from core.reading import Reading
from monitors import watch
from tests.acceptance.spine import Spine, monitors
from tests.alerts.sample import DESTINATION
from tests.ownership.scene import START, predict, settle


class Ear:
    """The alerts behind it, and how many readings each call brought."""

    def __init__(self, alerts: Any) -> None:
        self.alerts, self.portions = alerts, list[int]()

    def observe(self, monitor: Monitor, readings: Sequence[Reading], fence: tuple[str, int]) -> object:
        """Pass it on."""
        self.portions.append(len(readings))
        return self.alerts.observe(monitor, readings, fence)


def told(spine: Spine, model: str) -> list[tuple[Any, ...]]:
    """The episodes of a model and their timelines, without what differs between models."""
    found = []
    for episode in spine.control.episodes(model=model)[0]:
        timeline = tuple((entry.at, entry.after, entry.level, entry.reason) for entry in spine.control.transitions(episode.id))
        found.append((episode.monitor, episode.column, episode.segment, episode.started_at, episode.ended_at, episode.state, timeline))
    return sorted(found, key=str)


def test_alerts_take_readings_in_portions(spine: Spine, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever they are cut, episodes and timelines are those of one portion: of many windows at once, and of some that are taken back."""
    other = f"{model}-whole"
    spine.add(other)
    ears = {}
    for name, portion in ((other, 10_000), (model, 3)):
        monkeypatch.setattr(watch, "_PORTION", portion)
        ears[name] = Ear(spine.owner(name)._watch._alerts)
        monkeypatch.setattr(spine.owner(name)._watch, "_alerts", ears[name])
        monkeypatch.setattr(spine.owner(name)._audit, "_clock", float)  # looks take no time, so that both take as many steps
        for day in range(8):
            for key in "ab" if day in {2, 5} else "a":
                predict(spine, name, 1, 10, f"{day}{key}", day=day, features={"x": None if day % 3 else 1, "c": key})
        settle(spine, name)
        for day in (2, 5):  # nothing is left of the segment c=b
            predict(spine, name, 2, 1, f"{day}b", day=day, features={"x": 1, "c": "a"})
        settle(spine, name)
    assert max(ears[other].portions) > 3 == max(ears[model].portions)
    assert sum(ears[other].portions) == sum(ears[model].portions)
    assert told(spine, model) == told(spine, other) != []


@pytest.mark.parametrize("limit", [None, 0.9])
def test_an_episode_ends_with_the_definition_that_opened_it(spine: Spine, model: str, limit: float | None) -> None:
    """Whether the new one has another limit or none, and though no event comes: who was told of the firing is told of the end, once."""
    spine.clock = ManualClock(START + 2 * moment.DAY)
    spine.control.apply_destinations([msgspec.structs.replace(DESTINATION, models=(model,))])
    nulls = msgspec.structs.replace(monitors(model)[0], segments=("all",), columns=("x",))
    spine.monitors[model] = [nulls]
    for key, value in {"a": None, "b": 1}.items():
        predict(spine, model, 1, 1, key, features={"x": value, "c": "a"})
    settle(spine, model)
    assert [episode.state for episode in spine.control.episodes(model=model)[0]] == [State.FIRING]
    spine.monitors[model] = [msgspec.structs.replace(nulls, revision=2, warn=limit)]
    for _ in range(2):
        settle(spine, model)
        spine.kill()
    ((episode,), _) = spine.control.episodes(model=model)
    assert (episode.state, episode.ended_at) == (State.RESOLVED, START + moment.DAY)
    assert [(sent.type, sent.state) for sent in episode.deliveries] == [
        ("episode.fired", DeliveryState.PENDING),
        ("episode.resolved", DeliveryState.PENDING),
    ]
