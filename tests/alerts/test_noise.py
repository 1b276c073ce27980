"""The noise report: counts by monitor, and the smallest change that spares people."""

from __future__ import annotations

from typing import Any

import msgspec

from alerts.noise import candidates, suggestion, tally
from core import moment
from core.episode import Cause
from core.fired import Fired
from core.monitor import Budget
from tests.alerts.sample import MONITOR, START


def fired(day: int, days: int | None = 1, **changes: Any) -> Fired:
    """An episode of daily windows that fired on the `day`-th day, and ended some days later."""
    begun = START + day * moment.DAY
    made = Fired(
        model="late",
        monitor="drift",
        column="temp",
        segment="all",
        fired_at=begun,
        ended_at=None if days is None else begun + days * moment.DAY,
        window=moment.DAY,
        cause=None if days is None else Cause.CLEARED,
    )
    return msgspec.structs.replace(made, **changes)


def tried(day: int, days: int | None = 1, column: str = "temp") -> dict[str, Any]:
    """The same of a back-test."""
    one = fired(day, days)
    ended = None if one.ended_at is None else moment.text(one.ended_at)
    return {"column": column, "segment": "all", "fired_at": moment.text(one.fired_at), "ended_at": ended}


def test_a_notice_that_told_of_several_episodes_counts_once() -> None:
    """What ended with its monitor is not brief; the monitor that cost most notices is the first."""
    rows = tally(
        [
            fired(0, notices=frozenset({"a", "b"}), useful=False),
            fired(1, 5, notices=frozenset({"b"}), acknowledged=True),
            fired(9, cause=Cause.MONITOR_DELETED),
            fired(3, None, monitor="nulls", notices=frozenset({"c", "d", "e"}), useful=True),
        ]
    )
    assert [(row.monitor, row.fired, row.told, row.notices, row.open) for row in rows] == [("nulls", 1, 1, 3, 1), ("drift", 3, 2, 2, 0)]
    assert [(row.acknowledged, row.useful, row.noise, row.brief) for row in rows] == [(0, 1, 0, 0), (1, 0, 1, 1)]


def test_changes_are_stricter_than_the_monitor_is() -> None:
    """A monitor with a budget is calibrated for its rule, so there is none for it."""
    persistent = msgspec.structs.replace(MONITOR, persist=(2, 3))
    assert [change for change, _ in candidates(MONITOR)][:2] == [{"keep_firing": 2}, {"persist": "2 of 3"}]
    assert [change for change, _ in candidates(persistent)] == [{"keep_firing": 2}, {"persist": "3 of 5"}]
    assert [changed.persist for _, changed in candidates(persistent)] == [(2, 3), (3, 5)]
    assert candidates(msgspec.structs.replace(MONITOR, warn=None, critical=None, budget=Budget(1, 30 * moment.DAY))) == []


def test_a_suggestion_spares_half_and_nothing_that_was_worth_something() -> None:
    """The first change that does; an episode is kept if one of the same column and segment falls into its time."""
    now = [tried(0), tried(3), tried(6), tried(10, 4)]
    less, least = [tried(0), tried(10, 4)], [tried(11, 3)]
    valued, noisy = fired(10, 4, useful=True), fired(0, useful=False)
    changes: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [({"keep_firing": 2}, now[:3]), ({"persist": "2 of 3"}, less)]
    found = suggestion(now, changes, [valued, noisy])
    assert found == {"change": {"persist": "2 of 3"}, "episodes": 4, "episodes_then": 2, "valued": 1}
    seen = fired(3, acknowledged=True)
    assert suggestion(now, changes, [valued, seen]) is None
    assert suggestion(now, [*changes, ({}, least)], [valued, msgspec.structs.replace(seen, useful=False)]) is not None
    assert suggestion(now, [({}, [tried(10, 4, "wind")])], [valued]) is None
    assert suggestion([], changes, []) is None
