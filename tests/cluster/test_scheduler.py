"""The scheduler of owners: which models it steps, and that one model's failure does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from threading import Event, current_thread
from types import SimpleNamespace
from typing import cast

import pytest

from core.contract import Column, Contract, Kind, Task
from core.destination import Destination
from core.error import Fenced
from core.monitor import ModelBudget, Monitor
from monitors.evaluation.work_done import WorkDone
from monitors.model import Model
from monitors.ownership.owner import Owner
from monitors.ports import Committed
from storage.facts.progress import Progress
from watchkeeper.scheduling.scheduler import Scheduler, StepDone

MODELS = ("a", "b")


class Steady:
    """An owner that records its steps, raises the given errors, and waits while its gate is closed."""

    def __init__(self, name: str, steps: list[str], faults: dict[str, Exception], gate: Event) -> None:
        self._name, self._steps, self._faults, self._gate = name, steps, faults, gate
        self.counts, self.fence, self.first, self.waiting = WorkDone(), None, None, False

    def close(self) -> None:
        self._steps.append(f"{self._name} closed")

    def idle(
        self, contract: Contract, monitors: Sequence[Monitor], committed: Committed, *, silent: bool, rebuild: int, listening: object
    ) -> bool:
        return False

    def step(self, model: Model, monitors: Sequence[Monitor], committed: Committed, *, silent: bool) -> bool:
        self._steps.append(self._name)
        assert self._gate.wait(300)
        if (fault := self._faults.get(self._name)) is not None:
            raise fault
        return False


class Definitions:
    """Contracts without references and monitors."""

    def change_count(self) -> int:
        return 2

    def contracts(self) -> list[Contract]:
        return [Contract(model=name, version=1, task=Task.BINARY, features=(Column(name="km", kind=Kind.NUMERIC),)) for name in MODELS]

    def reference(self, model: str, version: int) -> bytes | None:
        return None

    def monitors(self) -> list[Monitor]:
        return []

    def budgets(self) -> list[ModelBudget]:
        return []

    def rebuilds(self) -> dict[str, int]:
        return {}

    def destinations(self) -> list[Destination]:
        return []

    def referenced(self) -> set[tuple[str, int]]:
        return set()


class Facts:
    """One event of each model, and no late writes."""

    def mark(self) -> object:
        return 1

    def progress(self, models: Collection[str] | None = None) -> dict[str, Progress]:
        return {name: Progress(predictions={0: 1}) for name in MODELS if models is None or name in models}

    def written(self, first: Mapping[str, int]) -> Mapping[str, object]:
        return {}


class Scene:
    """A scheduler of two models; `ours` are those that it owns, `faults` what an owner raises, `gates` what it waits for."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.made: list[str] = []
        self.faults: dict[str, Exception] = {}
        self.gates = {name: Event() for name in MODELS}
        for gate in self.gates.values():
            gate.set()
        self.ours: dict[str, bool | None] = dict.fromkeys(MODELS, True)
        self.told: list[StepDone] = []
        self.fences = 0
        self.scheduler = Scheduler(
            Definitions(),
            Facts(),
            self._owner,
            lambda: True,
            debounce=0.0,
            owns=self.ours.get,
            on_step=self.told.append,
            on_fenced=self._fenced,
        )

    def _owner(self, name: str) -> Owner:
        self.made.append(name)
        return cast("Owner", Steady(name, self.steps, self.faults, self.gates[name]))

    def _fenced(self) -> None:
        self.fences += 1

    def until(self, holds: Callable[[], bool]) -> None:
        wait(holds)

    def rounds(self, name: str, count: int = 2) -> None:
        """Wait for so many steps more of a model."""
        before = self.steps.count(name)

        def enough() -> bool:
            self.scheduler.call()
            return self.steps.count(name) >= before + count

        self.until(enough)


def wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def scene() -> Iterator[Scene]:
    found = Scene()
    found.scheduler.start()
    yield found
    found.scheduler.stop()


def test_every_model_of_ours_is_stepped_and_told(scene: Scene) -> None:
    """Once a second without a call; a whole round in silence without work is quiet."""
    scene.rounds("b")
    assert {step.model for step in scene.told} == set(MODELS)
    scene.until(lambda: scene.scheduler.quiet)


def test_a_call_for_one_model_steps_that_one(scene: Scene) -> None:
    """The others wait for the sweep."""
    scene.rounds("b")
    before = scene.steps.count("b")
    for _ in range(20):
        calls = scene.steps.count("a")
        scene.scheduler.call("a")
        scene.until(lambda calls=calls: scene.steps.count("a") > calls)  # type: ignore[misc]
    assert scene.steps.count("b") - before <= 10


def test_a_model_whose_step_takes_long_holds_up_no_other(scene: Scene) -> None:
    """The model's next step follows that one and never runs at the same time; while it runs, the process is not quiet."""
    scene.rounds("a")
    scene.gates["a"].clear()
    scene.until(lambda: len(scene.told) < len(scene.steps))
    steps = scene.steps.count("a")
    scene.rounds("b", 5)
    assert scene.steps.count("a") == steps
    assert not scene.scheduler.quiet
    scene.gates["a"].set()
    scene.until(lambda: scene.steps.count("a") > steps)
    scene.until(lambda: scene.scheduler.quiet)


def test_a_model_that_goes_to_another_process_is_let_go(scene: Scene) -> None:
    """While the owning process is unknown, the model is kept and not stepped; when it comes back, it gets a new owner."""
    scene.rounds("a")
    scene.ours["a"] = None
    scene.rounds("b")
    steps = scene.steps.count("a")
    scene.rounds("b")
    assert (scene.steps.count("a"), scene.made.count("a"), "a" in scene.scheduler.owners) == (steps, 1, True)
    scene.ours["a"] = False
    scene.until(lambda: "a" not in scene.scheduler.owners)
    scene.ours["a"] = True
    scene.rounds("a")
    assert (scene.made.count("a"), scene.steps.count("a closed")) == (2, 1)


def test_an_owner_that_was_replaced_is_dropped_and_told_and_not_taken_at_once(scene: Scene) -> None:
    """The others go on."""
    scene.rounds("a")
    scene.faults["a"] = Fenced("`owner:a` is not owned")
    scene.until(lambda: "a" not in scene.scheduler.owners and scene.fences == 1)
    del scene.faults["a"]
    scene.rounds("b", 3)
    assert (scene.made.count("a"), scene.steps.count("a closed"), scene.fences, scene.scheduler.problems()) == (1, 1, 1, [])
    assert not scene.scheduler.quiet
    scene.rounds("a")
    assert scene.made.count("a") == 2


def test_a_model_that_fails_is_named_and_spoils_no_other(scene: Scene) -> None:
    """And is no problem any more when it goes again."""
    scene.faults["a"] = ValueError("odd")
    scene.rounds("b", 3)
    assert scene.scheduler.obstacles() == ["evaluation of a: ValueError: odd"]
    del scene.faults["a"]
    scene.until(lambda: not scene.scheduler.obstacles())


def test_a_question_that_fails_costs_no_thread(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """If ownership cannot be read when a step begins, the model is named among the problems, and the threads go on."""

    def owns(name: str) -> bool:
        if name == "a" and current_thread().name != "evaluate":
            raise ValueError("odd")
        return True

    monkeypatch.setattr(scene.scheduler, "_owns", owns)
    scene.until(lambda: scene.scheduler.obstacles() == ["evaluation of a: ValueError: odd"])
    scene.rounds("b", 3)
    assert scene.scheduler.running


def test_a_tick_is_heeded_in_a_round_over_all_models_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """While events come such a round does not ask about all models again, and asks about that of the tick."""
    monkeypatch.setattr("watchkeeper.scheduling.commit_tracker._POLL_UNREPORTED", 3_600.0)
    position, seen = {"a": 1, "b": 1}, dict[str, int]()

    class Placed(Facts):
        def progress(self, models: Collection[str] | None = None) -> dict[str, Progress]:
            return {name: Progress(predictions={0: at}) for name, at in position.items() if models is None or name in models}

    def owner(name: str) -> Owner:
        def step(_model: Model, _monitors: Sequence[Monitor], committed: Committed, *, silent: bool) -> bool:
            seen[name] = committed.predictions[0]
            return silent

        def idle(
            _contract: Contract, _monitors: Sequence[Monitor], committed: Committed, *, silent: bool, rebuild: int, listening: object
        ) -> bool:
            return seen.get(name) == committed.predictions[0] and not silent

        return cast("Owner", SimpleNamespace(step=step, idle=idle, first=None, fence=None, counts=WorkDone(), waiting=False))

    host = Scheduler(Definitions(), Placed(), owner, lambda: False, debounce=0.2)
    host.start()
    try:
        wait(lambda: seen == {"a": 1, "b": 1})
        for at in (2, 3):
            position["a"] = at
            host.call("a")
            host.call()
            wait(lambda at=at: seen == {"a": at, "b": 1})  # type: ignore[misc]
    finally:
        host.stop()


def test_the_first_call_after_a_rest_waits_for_nothing() -> None:
    """However long later ones are gathered."""
    steps, gate = list[str](), Event()
    gate.set()
    host = Scheduler(Definitions(), Facts(), lambda name: cast("Owner", Steady(name, steps, {}, gate)), lambda: True, debounce=60.0)
    host.start()
    try:
        wait(lambda: {*steps} == {"a", "b"})
        before, began = steps.count("a"), time.monotonic()
        host.call("a")
        wait(lambda: steps.count("a") > before)
        assert time.monotonic() - began < 30
    finally:
        host.stop()
