"""A requested rebuild makes every pane again from raw events, and changes no reading."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.contract import Column, Dimension, Kind
from monitors.ownership import rebuild_progress as requested
from monitors.ownership.rebuild import _portions
from monitors.ownership.rebuild_progress import RebuildProgress
from tests.acceptance.backend import Backend, Killed, contract, monitors
from tests.ownership.scene import START, label, predict, settle

_PANES = {"nulls", "psi", "auc", "coverage", "to date"}  # one of each table and of each length: what is rebuilt, the others read too


def spoil(backend: Backend, model: str) -> None:
    """Change the panes as if an earlier version had written them: the counts are right, and moments and losses are missing."""
    where = "WHERE model = {m:String} SETTINGS mutations_sync = 1"
    backend.engine.command(f"ALTER TABLE panes UPDATE measured = 0, absolute = 99 {where}", {"m": model})
    backend.engine.command(f"ALTER TABLE performance_panes UPDATE scored = 0 {where}", {"m": model})


def measured(backend: Backend, model: str) -> list[dict[str, float]]:
    """By slot the current panes of x: rows, rows with moments, and a moment."""
    sql = (
        "SELECT toInt64(n) AS n, toInt64(measured) AS measured, absolute FROM panes FINAL WHERE model = {m:String} AND column = 'x' AND grouping = '' AND (slot, generation)"
        " IN (SELECT slot, max(generation) FROM rebuilds WHERE model = {m:String} GROUP BY slot) ORDER BY slot"
    )
    found: list[dict[str, float]] = backend.engine.query(sql, {"m": model}).to_pylist()
    return found


@pytest.fixture
def portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two events a step."""
    monkeypatch.setattr(requested, "_ROWS", 2)


def history(backend: Backend, model: str, days: range) -> None:
    """Two events a day, one of them labelled."""
    for day in days:
        predict(backend, model, 1, 5, f"{day}a", day=day, features={"x": -2, "c": "a"})
        predict(backend, model, 2, 5, f"{day}b", day=day, features={"x": 3, "c": "b"})
        label(backend, model, f"{day}a", partition=1)


@pytest.mark.parametrize("write", range(1, 16, 2))
@pytest.mark.usefixtures("portions")
def test_every_pane_is_made_again_whatever_comes_and_dies_meanwhile(backend: Backend, model: str, write: int) -> None:
    """Killed at any write, it goes on where it was. Events that come meanwhile count once, and the readings stay the same."""
    backend.monitors[model] = [one for one in monitors(model) if one.name in _PANES]
    history(backend, model, range(5))
    settle(backend, model)
    held = backend.readings(model)
    spoil(backend, model)
    assert backend.control.ask_rebuild(model)
    assert not backend.control.ask_rebuild(model)
    assert backend.control.rebuilding(model).state == "waiting"
    backend.fuse.arm(write, "before" if write % 4 == 1 else "after")
    try:
        while backend.evaluate(model, silent=False):
            pass
    except Killed:
        backend.kill()
    assert backend.control.rebuilding(model).state in {"waiting", "running", "done"}
    history(backend, model, range(2))  # again
    settle_all(backend, model)
    found = backend.control.rebuilding(model)
    assert (found.state, found.done, found.slots) == ("done", 5, 5)
    assert measured(backend, model) == [{"n": 2, "measured": 2, "absolute": 5.0}] * 5
    assert backend.readings(model) == held
    assert backend.twice(model) == (0, 0)
    history(backend, model, range(5, 6))
    settle(backend, model)
    assert len(backend.readings(model)) > len(held)
    assert backend.control.ask_rebuild(model)


def test_missing_panes_come_and_those_without_events_go(backend: Backend, model: str) -> None:
    """Panes follow raw events: lost panes are made again, and panes without events no longer count. Outcomes of an earlier version get what was predicted."""
    history(backend, model, range(3))
    settle(backend, model)
    held = backend.readings(model)
    where = "WHERE model = {m:String} AND slot %s fromUnixTimestamp64Micro({t:Int64}, 'UTC') SETTINGS mutations_sync = 1"
    backend.engine.command(f"ALTER TABLE panes DELETE {where % '='}", {"m": model, "t": START + moment.DAY})
    backend.engine.command(
        "INSERT INTO panes SELECT * REPLACE (slot + INTERVAL 9 DAY AS slot) FROM panes WHERE model = {m:String}"
        " AND slot = fromUnixTimestamp64Micro({t:Int64}, 'UTC')",
        {"m": model, "t": START},
    )
    backend.engine.command(
        "ALTER TABLE outcomes UPDATE class = '', filled = 0 WHERE model = {m:String} SETTINGS mutations_sync = 1", {"m": model}
    )
    backend.control.ask_rebuild(model)
    settle_all(backend, model)
    assert backend.control.rebuilding(model).state == "done"
    assert backend.readings(model) == held
    outcomes = "SELECT toString(class) AS class, filled FROM outcomes FINAL WHERE model = {m:String}"
    assert backend.engine.query(outcomes, {"m": model}).to_pylist() == [{"class": "1", "filled": 1}] * 3
    assert backend.twice(model) == (0, 0)


def settle_all(backend: Backend, model: str) -> None:
    """Take steps until there is nothing left to do, however many portions that takes."""
    backend.ingest(1_000_000)
    assert any(not backend.evaluate(model, silent=True) for _ in range(30))


def test_a_model_without_events_is_done_at_once(backend: Backend, model: str) -> None:
    """The owner's next step finishes it, because labels alone make no pane."""
    label(backend, model)
    settle(backend, model)
    backend.control.ask_rebuild(model)
    settle(backend, model)
    assert (backend.control.rebuilding(model).state, backend.control.rebuilding("another").state) == ("done", "none")
    backend.control.forget(f"rebuild:{model}")  # the model is deleted, and made again
    assert backend.control.ask_rebuild(model)
    settle(backend, model)
    assert backend.control.rebuilding(model).state == "done"


@pytest.mark.parametrize(("columns", "dimensions", "most"), [(10, 1, 60_000), (1_000, 1, 18_000), (10, 100, 24_000)])
def test_few_events_are_rebuilt_at_a_time_where_they_are_wide_or_in_many_panes(columns: int, dimensions: int, most: int) -> None:
    """Ten slots of 6,000 events each."""
    features = tuple(Column(name=f"f{place}", kind=Kind.NUMERIC) for place in range(columns))
    values = tuple(str(place) for place in range(100))
    held = msgspec.structs.replace(
        contract("m"), features=features, dimensions=tuple(Dimension(name=f"d{place}", values=values) for place in range(dimensions))
    )
    portions = list(_portions(held, {slot * moment.HOUR: 6_000 for slot in range(10)}))
    assert np.concatenate(portions).tolist() == [slot * moment.HOUR for slot in range(10)]
    assert max(map(len, portions)) * 6_000 == most


@given(rows=st.lists(st.integers(1, 9), max_size=12), frozen=st.integers(-1, 12), most=st.integers(1, 20))
def test_portions_hold_every_slot_once(rows: list[int], frozen: int, most: int) -> None:
    """Every slot that retention has not reached comes once, in order, with about the allowed number of events a step; later slots are not waited for."""
    slots, seen = np.arange(len(rows)) * moment.HOUR, list[int]()
    at = RebuildProgress.of(None, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requested, "_ROWS", most)
        for step in range(100):
            later = np.arange(len(rows) + step) * moment.HOUR
            part, at = at.portion(later, np.array([*rows, *[1] * step]), frozen * moment.HOUR)
            assert sum(rows[int(slot // moment.HOUR)] for slot in part[:-1]) < most
            seen += part.tolist()
            if at.finished:
                break
    assert seen == [slot for slot in slots.tolist() if slot > frozen * moment.HOUR]
    assert (at.done, at.slots, RebuildProgress.of({"number": 1}, 1).finished) == (len(seen), len(seen), True)
