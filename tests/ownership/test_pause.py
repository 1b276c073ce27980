"""A paused monitor, and a monitor of which only owner, description or runbook change."""

from __future__ import annotations

import msgspec

from core import moment
from core.clock import ManualClock
from core.episode import State
from core.monitor import Monitor
from tests.acceptance.backend import Backend, monitors
from tests.ownership.scene import START, counts, label, predict, settle


def watched(model: str) -> list[Monitor]:
    """A monitor of the null rate and one of accuracy, each in revision 1."""
    nulls, _, accuracy, *_ = monitors(model)
    return [msgspec.structs.replace(nulls, segments=("all",), columns=("x",)), msgspec.structs.replace(accuracy, segments=("all",))]


def changed(of: list[Monitor], revision: int, **values: object) -> list[Monitor]:
    """The monitor in this revision, evaluated as in revision 1."""
    return [msgspec.structs.replace(one, revision=revision, since=1, **values) for one in of]


def test_a_paused_monitor_stands_still_and_makes_up_for_it(backend: Backend, model: str) -> None:
    """While paused it is not evaluated, and its open episode stays. Enabled again, also after kills, it evaluates new windows, late events and labels."""
    backend.clock = ManualClock(START + 6 * moment.DAY)
    both = backend.monitors[model] = watched(model)
    predict(backend, model, 1, 1, "a", features={"x": None, "c": "a"})
    settle(backend, model)
    before, opened = backend.readings(model), backend.control.episodes("open", model)[0]
    assert [one.state for one in opened] == [State.FIRING]
    backend.monitors[model] = changed(both, 2, enabled=False)
    for day, key in ((0, "b"), (2, "c"), (3, "d")):
        predict(backend, model, 1, 2, key, day=day)
        settle(backend, model)
    label(backend, model, "a", partition=1)
    settle(backend, model)
    assert (backend.readings(model), backend.control.episodes("open", model)[0]) == (before, opened)
    backend.kill()
    settle(backend, model)
    assert backend.readings(model) == before
    backend.monitors[model] = changed(both, 3)
    settle(backend, model)
    assert counts(backend, model) == {(0, "all"): 2, (1, "all"): 0, (2, "all"): 1, (3, "all"): 1}
    assert counts(backend, model, "accuracy", "")[0, "all"] == 1


def test_other_words_evaluate_nothing_again(backend: Backend, model: str) -> None:
    """Readings keep their generation and revision, and the episode stays open."""
    backend.clock = ManualClock(START + 2 * moment.DAY)
    both = backend.monitors[model] = watched(model)
    predict(backend, model, 1, 1, "a", features={"x": None, "c": "a"})
    settle(backend, model)
    told, before = backend.owner(model).counts.readings, backend.control.episodes(model=model)
    backend.monitors[model] = changed(both, 2, owner="weather", runbook="https://wiki.example.org")
    settle(backend, model)
    backend.kill()
    settle(backend, model)
    assert (backend.owner(model).counts.readings, told) == (0, 2)
    assert backend.control.episodes(model=model) == before
