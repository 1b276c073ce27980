"""Verdicts of comparisons are told once, by an id that stays, whatever is evaluated again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from alerts.deliver import Deliverer
from alerts.destination.kind import kind
from alerts.destination.notice import notice
from alerts.engine import AlertEngine
from core import moment
from core.baseline.rows import Role
from core.clock import ManualClock
from core.monitor import Monitor
from core.reading import Bare, Reading
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import at, reading

_PARAMS = {"of": "performance.accuracy", "margin": 0.01}
_MONITOR = Monitor(
    name="shadow", model="late", measure="compare.difference", params=_PARAMS, baseline=Role("champion"), other=Role("challenger")
)


def _told(day: int, verdict: str, revision: int = 1, **changes: Any) -> Reading:
    evidence = {
        "a": {"role": "champion"},
        "b": {"role": "challenger"},
        "better": 0.01,
        "better_upper": 0.03,
        "rows_a": 1_000,
        "rows_b": 900,
    }
    same: dict[str, Any] = {"monitor": "shadow", "measure": "compare.difference", "column": "", "params": _PARAMS, "evidence": evidence}
    return reading(day, verdict, revision, **{**same, "value": 0.02, "threshold": {"margin": 0.01}, **changes})


def test_a_verdict_is_told_once_through_restarts(store: ControlStore, clock: ManualClock, receiver: Receiver) -> None:
    """Of the newest window only: `keep_waiting` between, windows that are evaluated again, and a new engine tell nothing; the other verdict is told, and then the first one again."""
    store.apply_destinations(
        [at(receiver.url, events=("comparison",)), msgspec.structs.replace(at(receiver.url), name="episodes", enabled=False)]
    )
    for given in (
        [_told(0, "keep_waiting")],
        [_told(1, "ready")],
        [_told(2, "ready"), _told(0, "worse", 2)],
        [_told(3, "keep_waiting")],
        [_told(4, "ready"), _told(4, "ready", 2)],
        [_told(5, "worse")],
        [_told(6, "ready"), _told(7, "ready")],
    ):
        for _ in range(2):
            AlertEngine(store, clock, MEASURES, address="http://127.0.0.1:8650").observe(_MONITOR, given)
        clock.advance(moment.DAY)
        Deliverer(store, clock).deliver_due()
    bodies = [json.loads(call.body) for call in receiver.calls]
    assert [(one["type"], one["data"]["window_start"][:10]) for one in bodies] == [
        ("comparison.ready", "2013-07-02"),
        ("comparison.worse", "2013-07-06"),
        ("comparison.ready", "2013-07-07"),
    ]
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 3
    data = bodies[0]["data"]
    assert {name: data[name] for name in ("comparison", "verdict", "a", "b", "better", "rows_b", "url")} == {
        "comparison": "shadow",
        "verdict": "ready",
        "a": {"role": "champion"},
        "b": {"role": "challenger"},
        "better": 0.01,
        "rows_b": 900,
        "url": "http://127.0.0.1:8650/ui/models/late/compare",
    }
    assert data["sentence"].startswith("Role challenger may take the place of role champion: in performance.accuracy")


def test_a_window_whose_verdict_comes_and_goes_is_told_each_time(store: ControlStore, clock: ManualClock) -> None:
    """Late labels turn the newest window, and turn it back: three notifications with ids of their own, and later windows are judged."""
    store.apply_destinations([at("http://127.0.0.1:9/", events=("comparison",))])
    engine = AlertEngine(store, clock, MEASURES)
    for revision, verdict in enumerate(("ready", "worse", "ready"), 1):
        engine.observe(_MONITOR, [_told(1, verdict, revision)])
    engine.observe(_MONITOR, [_told(2, "worse")])
    sent = store.deliveries()[0][::-1]
    assert [one.type.partition(".")[2] for one in sent] == ["ready", "worse", "ready", "worse"]
    assert len({one.id for one in sent}) == 4


def test_an_id_is_that_of_the_window(store: ControlStore, clock: ManualClock) -> None:
    """The same in another store."""
    store.apply_destinations([at("http://127.0.0.1:9/", events=("comparison",))])
    engine = AlertEngine(store, clock, MEASURES)
    engine.observe(_MONITOR, [_told(1, "ready")])
    (one,) = store.due(clock.now())
    assert one.id == "msg_b03285e1c0f6e13c7494771f"
    assert notice(one).title == "Comparison ready: late, shadow"
    assert "may take the place" in kind("slack").render({"url": "http://x"}, one, clock.now()).body


def test_who_does_not_ask_and_what_is_old_is_not_told(store: ControlStore, clock: ManualClock) -> None:
    """A verdict of a window within the horizon is told when it comes, though an older one had it."""
    others = at("http://127.0.0.1:9/", events=("comparison",), models=("tip",))
    store.apply_destinations([at("http://127.0.0.1:9/"), msgspec.structs.replace(others, name="tips")])
    engine = AlertEngine(store, clock, MEASURES)
    engine.observe(_MONITOR, [_told(1, "ready")])
    assert store.due(clock.now()) == []
    store.apply_destinations([at("http://127.0.0.1:9/", events=("comparison",))])
    fresh = msgspec.structs.replace(_MONITOR, name="again")
    clock.advance(20 * moment.DAY)
    engine.observe(fresh, [_told(1, "ready", monitor="again")])
    assert store.due(clock.now()) == []
    engine.observe(fresh, [_told(20, "ready", monitor="again")])
    assert [one.type for one in store.due(clock.now())] == ["comparison.ready"]


def test_evidence_is_made_for_verdicts_that_are_told(store: ControlStore, clock: ManualClock) -> None:
    """Readings come without it, and of those told it is asked for."""
    store.apply_destinations([at("http://127.0.0.1:9/", events=("comparison",))])
    asked = list[list[str]]()

    def whole(readings: Sequence[Reading]) -> list[Reading]:
        asked.append([moment.text(one.window_start)[:10] for one in readings])
        return [msgspec.structs.replace(one, evidence=_told(0, "ready").evidence) for one in readings]

    given = [_told(day, verdict, evidence={}) for day, verdict in enumerate(("keep_waiting", "ready", "ready"))]
    AlertEngine(store, clock, MEASURES).observe(_MONITOR, Bare(given, whole))
    (one,) = store.due(clock.now())
    assert json.loads(one.body)["data"]["rows_a"] == 1_000
    assert asked == [["2013-07-02"]]
