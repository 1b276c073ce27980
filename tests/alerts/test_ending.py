"""The end of an episode under a policy, which is written without reading the episode."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.episode import Cause
from core.policy import Policy
from detectors.catalogue import MEASURES
from storage.control.schema import EPISODE
from storage.control.store import ControlStore
from tests.alerts.memory import MemoryStore
from tests.alerts.sample import MONITOR, reading


def test_an_end_under_a_policy_changes_nothing_else_of_an_episode(store: ControlStore, clock: ManualClock) -> None:
    """An episode that ends is not read then. What is stored of it is what an engine keeps that reads it: ended in a step of its own or in that of its beginning, with other parts, and after it went on."""
    store.apply_policies([Policy(name="default")])
    monitor = msgspec.structs.replace(MONITOR, reopen_within=2 * moment.DAY, owner='a "state":"firing" \0 team')
    memory = MemoryStore()
    quoted: dict[str, Any] = {"segment": 'carrier="ended_at":1,é\0', "evidence": {"state": "firing", "cause": None, "x": 1e-300}}
    lives = [["warn"], ["critical"], ["ok"], ["warn", "ok"], ["ok"], ["ok", "ok", "ok", "critical"], ["ok"]]
    for place, verdicts in enumerate(lives):
        first = sum(map(len, lives[:place]))
        days = [reading(first + day, verdict, **quoted) for day, verdict in enumerate(verdicts)]
        for kept in (store, memory):
            AlertEngine(kept, clock, MEASURES).observe(monitor, days)
        found = {one.id: one.stored for one in store.episodes()[0]}
        assert found == {name: one.stored for name, one in memory.known.items()}
    assert [(one.ended_at is None, one.cause, one.reopened > 0) for one in found.values()] == [
        (False, Cause.CLEARED, False),
        (False, Cause.CLEARED, True),
    ]
    with store.read() as connection:
        columns = connection.execute(select(EPISODE.c.id, EPISODE.c.ended_at)).all()
    assert {one.id: one.ended_at for one in columns} == {name: one.ended_at for name, one in found.items()}
