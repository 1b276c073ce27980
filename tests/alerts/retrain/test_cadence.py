"""When a model was trained last and on what, and that people are told once if it is overdue."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from alerts.retrain.cadence import training
from core import moment
from core.document_name import OVERDUE
from core.retrain import Retrain
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.retrain.scene import DAY, hook, requests
from tests.alerts.retrain.stage import Stage
from tests.alerts.sample import START, at
from watchkeeper.reader.retraining import RetrainingReader


def _overdue(store: ControlStore) -> list[dict[str, object]]:
    return [json.loads(one.body)["data"] for one in store.deliveries()[0] if one.type == "retrain.overdue"]


def test_the_last_run_of_any_hook_counts_and_the_shortest_cadence() -> None:
    """With its window, cause, effect, what it took until it was healthy, and its cost; without a cadence nothing is overdue."""
    held = requests("late")
    effective = next(one for one in held if one.state == "effective")
    ran = msgspec.structs.replace(effective, succeeded_at=START, created=START - DAY, ended_at=START + 2 * DAY, metrics={"cost": 12.5})
    before = msgspec.structs.replace(ran, id="rt_0", succeeded_at=START - 9 * DAY)
    hooks = [hook(name="often", cadence=7 * DAY, enabled=False), hook(name="seldom", cadence=30 * DAY), hook(name="never")]
    known = training("late", hooks, [before, ran], START + 7 * DAY)
    told = known.document()
    assert (known.last, known.hook, known.due, known.overdue) == (ran, "often", START + 7 * DAY, False)
    assert (told["healthy_after_seconds"], told["cost"], told["effect"], told["cadence"]) == (3 * 86_400.0, 12.5, "effective", "7d")
    assert training("late", hooks, [before, ran], START + 7 * DAY + 1).overdue
    assert not training("late", hooks[2:], [before, ran], START + 999 * DAY).overdue
    assert training("late", [hook(cadence=DAY, since=START)], list[Retrain](), START + DAY + 1).overdue


def test_people_are_told_once_that_a_training_is_overdue(stage: Stage, receiver: Receiver) -> None:
    """Again only after a run, and by whichever process."""
    stage.store.apply_destinations([at(receiver.url)])
    stage.apply(cadence=3 * DAY, on=None, verify=None)
    defined = stage.clock.now()
    _pass(stage, DAY)
    assert _overdue(stage.store) == []
    for _ in range(3):
        _pass(stage, 2 * DAY)
    (told,) = _overdue(stage.store)
    assert (told["model"], told["hook"], told["cadence"], told["overdue"]) == ("late", "retrain", "3d", True)
    assert told["sentence"] == f"late has to be trained every 3d and no run has ended since {moment.text(defined)}"
    ran = next(one for one in requests("late") if one.state == "effective")
    with stage.store.retraining() as change:
        change.save([msgspec.structs.replace(ran, succeeded_at=stage.clock.now())])
    _pass(stage, 2 * DAY)
    assert len(_overdue(stage.store)) == 1
    _pass(stage, 2 * DAY)
    assert [one["version"] for one in _overdue(stage.store)] == ["2", None]


def test_people_are_told_again_of_a_due_time_that_comes_again(stage: Stage, receiver: Receiver) -> None:
    """Where a cadence is changed and changed back, and where a model was deleted and defined again; and what is told of other models does not wait for it."""
    stage.store.apply_destinations([at(receiver.url)])
    ran = next(one for one in requests("late") if one.state == "effective")
    with stage.store.retraining() as change:
        change.save([msgspec.structs.replace(ran, succeeded_at=stage.clock.now())])
    for told, days in enumerate((3, 5, 3), 1):
        stage.apply(cadence=days * DAY, on=None, verify=None)
        _pass(stage, 9 * DAY)
        assert len(_overdue(stage.store)) == told
    with stage.store.retiring() as change:
        change.forget(OVERDUE + "late")
    _pass(stage, DAY)
    assert [one["cadence"] for one in _overdue(stage.store)] == ["3d", "3d", "5d", "3d"]


def test_a_model_that_is_not_there_has_no_training(stage: Stage) -> None:
    """One with a hook has, and one with a request alone."""
    reader = RetrainingReader(cast("Any", SimpleNamespace(stores=SimpleNamespace(control=stage.store))))
    assert (reader.trainings("late"), reader.trainings()) == ([], [])
    stage.apply()
    assert [one.model for one in (*reader.trainings("late"), *reader.trainings())] == ["late", "late"]
    with stage.store.retraining() as change:
        change.save([msgspec.structs.replace(requests("late")[0], model="other")])
    assert ([one.model for one in reader.trainings("other")], reader.trainings("none")) == (["other"], [])


def _pass(stage: Stage, time: int) -> None:
    """Some time later two processes look."""
    stage.clock.advance(time)
    stage.watch.look()
    stage.another().look()
