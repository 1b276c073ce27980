"""The commit tracker finds the models with new events, and how many queries that takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from storage.facts.progress import Progress
from watchkeeper.scheduling.commit_tracker import CommitTracker


class Facts:
    """Two models at `position`; `asked` notes the questions."""

    def __init__(self) -> None:
        self.position, self.late, self.asked = 1, 0, list[str]()

    def mark(self) -> object:
        self.asked.append("mark")
        return self.position

    def progress(self, models: Collection[str] | None = None) -> dict[str, Progress]:
        self.asked.append("all" if models is None else ",".join(models))
        return {name: Progress(predictions={0: self.position}) for name in ("a", "b") if models is None or name in models}

    def written(self, first: Mapping[str, int]) -> Mapping[str, object]:
        self.asked.append("written")
        return {"b": self.late}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr("watchkeeper.scheduling.commit_tracker.time.monotonic", lambda: clock.now)
    return clock


def at(found: Mapping[str, Progress]) -> dict[str, int]:
    return {name: of.predictions[0] for name, of in found.items()}


@pytest.mark.usefixtures("clock")
def test_in_silence_each_look_sees_what_was_committed_and_asks_once_where_nothing_was() -> None:
    """However soon they follow one another."""
    facts = Facts()
    looks = CommitTracker(facts)
    assert [at(looks.all(silent=True)) for _ in range(2)] == [{"a": 1, "b": 1}] * 2
    assert facts.asked == ["mark", "all", "mark"]
    facts.position = 2
    assert at(looks.all(silent=True)) == {"a": 2, "b": 2}


def test_while_events_come_a_model_without_a_tick_is_seen_after_some_seconds(clock: SimpleNamespace) -> None:
    """One with a tick at once; in silence all at once."""
    facts = Facts()
    looks = CommitTracker(facts)
    looks.all(silent=False)
    facts.position = 2
    assert at(looks.some({"a"})) == {"a": 2, "b": 1}
    assert at(looks.all(silent=False)) == {"a": 2, "b": 1}
    clock.now += 5
    assert at(looks.all(silent=False)) == {"a": 2, "b": 2}
    facts.position = 3
    assert at(looks.all(silent=True)) == {"a": 3, "b": 3}


def test_a_late_write_is_told_once_and_looked_for_less_often_when_owners_are_old(clock: SimpleNamespace) -> None:
    """In each round for ten minutes after a model was taken, then every ten seconds; an owner that begins is no late write."""
    facts = Facts()
    looks = CommitTracker(facts)
    owners = cast("Any", {"a": SimpleNamespace(first=5), "b": SimpleNamespace(first=5), "none": SimpleNamespace(first=None)})
    assert looks.late(owners) == set()
    facts.late = 1
    assert [looks.late(owners), looks.late(owners)] == [{"b"}, set()]
    clock.now += 600
    looks.late(owners)
    facts.late = 2
    assert looks.late(owners) == set()
    clock.now += 10
    assert looks.late(owners) == {"b"}
