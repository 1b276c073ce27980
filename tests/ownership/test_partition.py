"""An id that comes in through several partitions is counted once, wherever and whenever it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ingest.memory import MOST
from tests.acceptance.backend import Backend, Killed
from tests.ownership.scene import counts, label, predict, settle


@pytest.fixture
def forgetful(backend: Backend) -> Iterator[Backend]:
    """The backend, with an ingest that remembers no id from one batch to the next."""
    backend.memory = 0
    backend.kill()
    yield backend
    backend.memory = MOST
    backend.kill()


def test_an_event_at_position_0_is_an_event(backend: Backend, model: str) -> None:
    """The first event of a log that begins at 0, as Kafka's does, is evaluated, and so is its label."""
    predict(backend, model, 0, 0)
    label(backend, model)
    settle(backend, model)
    assert counts(backend, model) == {(0, "all"): 1, (0, "c=a"): 1}
    assert counts(backend, model, "accuracy", "") == {(0, "all"): 1, (0, "c=a"): 1}


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_same_event_in_two_partitions_counts_once(backend: Backend, model: str, order: tuple[int, int]) -> None:
    """It counts once in panes, performance and readings, and the slot is shown as repaired."""
    label(backend, model)
    for partition in order:
        predict(backend, model, partition, partition)
        settle(backend, model)
    assert counts(backend, model) == counts(backend, model, "accuracy", "") == {(0, "all"): 1, (0, "c=a"): 1}
    assert backend.twice(model) == (0, 0)
    assert backend.owner(model).counts.repaired >= 1


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_other_content_the_first_by_the_logs_time_counts(backend: Backend, model: str, order: tuple[int, int]) -> None:
    """If the events of an id differ in value, segment and class, the readings are those of the event that the log took first."""
    sent = {1: {"logged": 1, "prediction": 0, "features": {"x": None, "c": "b"}}, 2: {"logged": 2}}
    label(backend, model)
    for partition in order:
        predict(backend, model, partition, **sent[partition])  # type: ignore[arg-type]
        settle(backend, model)
    values = {key[0]: dict(reading)["value"] for key, reading in backend.readings(model).items() if key[1:3] in {("x", "all"), ("", "all")}}
    assert (values["nulls"], values["accuracy"]) == (1.0, 0.0)
    assert counts(backend, model) == {(0, "all"): 1, (0, "c=b"): 1}


def test_a_window_and_a_segment_that_lost_their_only_event_are_no_more(backend: Backend, model: str) -> None:
    """Readings of an event that does not count, at another time and in another segment, are withdrawn, with the empty windows in between."""
    label(backend, model)
    predict(backend, model, 1, 2, day=0, features={"x": 1, "c": "new"})
    predict(backend, model, 1, 2, "b", day=4)
    settle(backend, model)
    assert counts(backend, model)[0, "c=other"] == 1
    predict(backend, model, 2, 1, day=3)
    settle(backend, model)
    assert counts(backend, model) == {(day, segment): 1 for day in (3, 4) for segment in ("all", "c=a")}
    assert counts(backend, model, "accuracy", "") == {(3, "all"): 1, (3, "c=a"): 1, (4, "all"): 0, (4, "c=a"): 0}
    predict(backend, model, 0, 3, "c", day=0)
    settle(backend, model)
    assert counts(backend, model)[0, "all"] == 1


@pytest.mark.parametrize("changed", [{}, {"prediction": 0}, {"day": 2, "features": {"x": None, "c": "b"}}])
def test_an_id_that_ingest_has_forgotten_counts_once(forgetful: Backend, model: str, changed: dict[str, Any]) -> None:
    """Also with another content or another time, in the only partition: the first event counts, and the slot is shown as repaired."""
    label(forgetful, model)
    for logged, content in ((1, {}), (2, changed)):
        predict(forgetful, model, 1, logged, **content)
        settle(forgetful, model)
    beaten = forgetful.engine.query("SELECT count() AS n FROM contested WHERE model = {model:String}", {"model": model})
    assert beaten["n"].to_pylist() == [1]
    assert counts(forgetful, model) == counts(forgetful, model, "accuracy", "") == {(0, "all"): 1, (0, "c=a"): 1}
    assert {dict(reading)["value"] for key, reading in forgetful.readings(model).items() if key[0] == "accuracy"} == {1.0}
    assert forgetful.twice(model) == (0, 0)
    assert forgetful.owner(model).counts.repaired == 1


def test_an_event_that_is_not_committed_is_looked_at_again(backend: Backend, model: str) -> None:
    """If one of two partitions was interrupted between its raw events and the end of its batch, nothing is missed once the batch ends."""
    label(backend, model)
    predict(backend, model, 1, 2)
    backend.ingest(1_000_000, [1, 0])
    predict(backend, model, 2, 1, hour=3, prediction=0)
    predict(backend, model, 2, 1, "b")
    backend.fuse.arm(2, "after")  # the intent, the raw events
    with pytest.raises(Killed):
        backend.ingest(1_000_000, [2])
    backend.kill()
    for _ in range(4):
        backend.evaluate(model, silent=False)
    settle(backend, model)
    assert counts(backend, model)[0, "all"] == 2
    assert counts(backend, model, "accuracy", "")[0, "all"] == 1
    assert backend.twice(model) == (0, 0)
