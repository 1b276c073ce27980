"""Values that the reference does not have become segments of their own once they come often."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from core import moment
from core.error import Retryable
from core.monitor import AutoSegments, Monitor
from core.window.tumbling import Tumbling
from monitors.ownership.new_values import Wanted, taken, wanted_of
from monitors.ports import Committed
from tests.acceptance.backend import Backend, Killed, contract
from tests.ownership.scene import START, predict, settle

# Days, each with how often a value comes. The contract has a and b.
STREAM = [{"a": 6, "x": 3, "z": 1}, {"a": 4, "x": 1, "y": 4, "z": 1}, {"b": 5, "w": 5, "z": 1, "null": 2}]


def watch(model: str, most: int = 2, **changed: object) -> list[Monitor]:
    """A monitor that finds its segments: a value comes often with a fifth of the events of a day, and two at least."""
    auto = AutoSegments(columns=("c",), min_share=0.2, most=most)
    shared = Monitor(
        name="nulls", model=model, measure="quality.null_rate", columns=("x",), segments=("all", "c"), auto=auto, min_samples=2,
        window=Tumbling(moment.DAY),
    )  # fmt: skip
    return [msgspec.structs.replace(shared, **changed)]


def send(backend: Backend, model: str, order: Sequence[int]) -> None:
    """The events of the stream in an order."""
    events = [(day, value, at) for day, values in enumerate(STREAM) for value, n in values.items() for at in range(n)]
    for logged, place in enumerate(order):
        day, value, at = events[place % len(events)]
        features = {"x": 1, "c": None if value == "null" else value}
        predict(backend, model, place % 3, logged, f"{day}-{value}-{at}", day=day, hour=at, features=features)


def counts(backend: Backend, model: str) -> dict[tuple[int, str], int]:
    """n_target of each reading under the newest contract, by day and segment."""
    found = backend.readings_as_of(model, moment.LATEST)
    return {((start - START) // moment.DAY, segment): dict(reading)["n_target"] for (_, _, segment, start, _), reading in found.items()}


def test_what_comes_often_is_a_segment_of_its_own(backend: Backend, model: str) -> None:
    """Those of the earliest days, two at most; what comes later or seldom stays in `other`, and nothing is lost."""
    backend.monitors[model] = watch(model)
    send(backend, model, range(37))
    settle(backend, model)
    held = backend.contracts[model]
    assert (held.dimensions[0].new, held.version, held.based_on) == (("x", "y"), 2, 1)
    done = backend.owner(model)._runner._done
    assert {contract for _, _, contract in done} == {held.evaluated_as}  # what was done under others is forgotten
    found = counts(backend, model)
    assert {key: n for key, n in found.items() if key[0] == 0 and n} == {(0, "all"): 10, (0, "c=a"): 6, (0, "c=x"): 3, (0, "c=other"): 1}
    assert {key: n for key, n in found.items() if key[0] == 1 and n} == {
        (1, "all"): 10, (1, "c=a"): 4, (1, "c=x"): 1, (1, "c=y"): 4, (1, "c=other"): 1,
    }  # fmt: skip
    assert (found[2, "c=other"], found[2, "c=y"]) == (6, 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_copies_and_kills_change_nothing(backend: Backend, model: str, seed: int) -> None:
    """Events in any order, some twice, with steps between and a process that ends: the same contract and readings as in order."""
    orderly = f"{model} in order"
    backend.add(orderly)
    backend.monitors |= {model: watch(model), orderly: watch(orderly)}
    send(backend, orderly, range(37))
    settle(backend, orderly)
    rng = random.Random(seed)
    order = [*range(37), *rng.choices(range(37), k=20)]
    rng.shuffle(order)
    for part in (order[:20], order[20:40], order[40:]):
        send(backend, model, part)
        backend.ingest(1_000)
        backend.evaluate(model, silent=True)
        backend.fuse.arm(rng.randint(1, 6), "after")
        with suppress(Killed):
            backend.evaluate(model, silent=True)
        backend.kill()
    settle(backend, model)
    assert set(backend.contracts[model].dimensions[0].new) == {"x", "y"}
    assert counts(backend, model) == counts(backend, orderly)


def test_a_day_that_has_not_closed_takes_up_nothing(backend: Backend, model: str) -> None:
    """What is a fifth of the events so far may be less when the day is over."""
    backend.monitors[model] = watch(model)
    send(backend, model, range(5, 10))
    backend.ingest(1_000_000)
    for _ in range(4):
        backend.evaluate(model, silent=False)
    assert backend.contracts[model].version == 1
    settle(backend, model)
    assert backend.contracts[model].dimensions[0].new == ("x",)


def test_a_day_that_silence_had_closed_keeps_its_values_after_a_restart(backend: Backend, model: str) -> None:
    """Until it has closed again: else each restart made the panes of the whole history twice."""
    backend.monitors[model] = watch(model, most=3)
    send(backend, model, range(37))
    settle(backend, model)
    held = backend.contracts[model]
    assert set(held.dimensions[0].new) == {"x", "y", "w"}  # w comes on the last day only
    backend.kill()
    for _ in range(4):
        backend.evaluate(model, silent=False)
    assert backend.contracts[model] == held


def test_late_events_make_a_share_too_small(backend: Backend, model: str) -> None:
    """The value is given up, and the next one takes its place."""
    backend.monitors[model] = watch(model)
    send(backend, model, range(37))
    settle(backend, model)
    for late in range(10):
        predict(backend, model, 0, 100, f"late-{late}", features={"x": 1, "c": "a"})
    settle(backend, model)
    assert set(backend.contracts[model].dimensions[0].new) == {"y", "w"}


def test_nothing_is_taken_up_once_retention_has_removed_events(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of the contract would have no panes of the time before."""
    committed = backend.committed

    def frozen(name: str) -> Committed | None:
        found = committed(name)
        return None if found is None else found._replace(frozen=START - moment.DAY)

    monkeypatch.setattr(backend, "committed", frozen)
    backend.monitors[model] = watch(model)
    send(backend, model, range(37))
    settle(backend, model)
    assert backend.contracts[model].version == 1


def test_a_failed_look_leaves_the_step_as_it_is(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings stay, the owner goes on with its lease, the monitor's problem is told, and a minute later the values are taken up."""
    refusals, take_up, refusing = [], backend.take_up, [True]

    def sometimes(*given: Any) -> None:
        if refusing:
            refusals.append(given)
            raise Retryable("the view could not be made")
        take_up(*given)

    monkeypatch.setattr(backend, "take_up", sometimes)
    backend.monitors[model] = watch(model)
    send(backend, model, range(37))
    settle(backend, model)
    owner, now = backend.owner(model), [backend.clock.now()]
    monkeypatch.setattr(owner._clock, "now", lambda: now[0])
    assert (len(refusals), owner.fence is None, owner.counts.failed) == (1, False, {})
    assert "the view could not be made; tried again in a minute" in owner.counts.problems["nulls"]
    assert counts(backend, model)[0, "c=other"] == 4
    refusing.clear()
    settle(backend, model)
    assert (backend.contracts[model].version, [*owner.counts.problems]) == (1, ["nulls"])
    now[0] += moment.MINUTE
    settle(backend, model)
    assert (backend.contracts[model].dimensions[0].new, owner.counts.problems) == (("x", "y"), {})


def test_nothing_is_taken_up_unless_a_monitor_finds_its_segments(backend: Backend, model: str) -> None:
    """A monitor that names the dimension gets every value that the contract has, and a paused one asks for none."""
    backend.monitors[model] = watch(model, auto=None)
    send(backend, model, range(37))
    settle(backend, model)
    assert backend.contracts[model].version == 1
    assert wanted_of(backend.contracts[model], watch(model, enabled=False)) == {}


def test_the_mildest_of_what_monitors_ask_for_counts() -> None:
    """Of share, rows and number; columns that are no dimensions are left out."""
    monitors = [
        *watch("m", min_samples=50),
        *watch("m", auto=AutoSegments(columns=("c", "gone"), min_share=0.1, most=5), min_samples=0),
    ]
    assert wanted_of(contract("m"), monitors) == {"c": Wanted(0.1, 1, 5)}


def test_the_earliest_days_go_first() -> None:
    """On one day the more frequent values, then by name."""
    days = {20: {("c", "p"): 9, ("c", "q"): 9, ("d", "r"): 99}, 10: {("c", "s"): 1}, 30: {("c", "t"): 50, ("c", "s"): 50}}
    assert taken(days, "c", 9) == ("s", "p", "q", "t")
    assert taken(days, "c", 2) == ("s", "p")
