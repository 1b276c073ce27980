"""A monitor that is paused, and one of which only the words change."""

from __future__ import annotations

import msgspec

from core import moment
from core.clock import ManualClock
from core.episode import State
from core.monitor import Monitor
from tests.acceptance.spine import Spine, monitors
from tests.ownership.scene import START, counts, label, predict, settle


def watched(model: str) -> list[Monitor]:
    """Share of nulls, and accuracy, each in revision 1."""
    nulls, _, accuracy, _ = monitors(model)
    return [msgspec.structs.replace(nulls, segments=("all",), columns=("x",)), msgspec.structs.replace(accuracy, segments=("all",))]


def changed(of: list[Monitor], revision: int, **values: object) -> list[Monitor]:
    """The same, evaluated as in revision 1."""
    return [msgspec.structs.replace(one, revision=revision, since=1, **values) for one in of]


def test_a_paused_monitor_stands_still_and_makes_up_for_it(spine: Spine, model: str) -> None:
    """Nothing of it is evaluated, and its open episode stays. Enabled again it evaluates what came: new windows, late events and labels, kills between."""
    spine.clock = ManualClock(START + 6 * moment.DAY)
    both = spine.monitors[model] = watched(model)
    predict(spine, model, 1, 1, "a", features={"x": None, "c": "a"})
    settle(spine, model)
    before, opened = spine.readings(model), spine.control.episodes("open", model)[0]
    assert [one.state for one in opened] == [State.FIRING]
    spine.monitors[model] = changed(both, 2, enabled=False)
    for day, key in ((0, "b"), (2, "c"), (3, "d")):
        predict(spine, model, 1, 2, key, day=day)
        settle(spine, model)
    label(spine, model, "a", partition=1)
    settle(spine, model)
    assert (spine.readings(model), spine.control.episodes("open", model)[0]) == (before, opened)
    spine.kill()
    settle(spine, model)
    assert spine.readings(model) == before
    spine.monitors[model] = changed(both, 3)
    settle(spine, model)
    assert counts(spine, model) == {(0, "all"): 2, (1, "all"): 0, (2, "all"): 1, (3, "all"): 1}
    assert counts(spine, model, "accuracy", "")[0, "all"] == 1


def test_other_words_evaluate_nothing_again(spine: Spine, model: str) -> None:
    """Readings keep their place and revision, and the open episode its life."""
    spine.clock = ManualClock(START + 2 * moment.DAY)
    both = spine.monitors[model] = watched(model)
    predict(spine, model, 1, 1, "a", features={"x": None, "c": "a"})
    settle(spine, model)
    told, before = spine.owner(model).counts.readings, spine.control.episodes(model=model)
    spine.monitors[model] = changed(both, 2, owner="weather", runbook="https://wiki.example.org")
    settle(spine, model)
    spine.kill()
    settle(spine, model)
    assert (spine.owner(model).counts.readings, told) == (0, 2)
    assert spine.control.episodes(model=model) == before
