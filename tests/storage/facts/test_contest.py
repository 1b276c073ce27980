"""An id that is in raw events several times counts once: the first in its partition, and of several partitions the first by the log's time."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from core.block import Categories, Ints
from core.contract import Contract
from storage.facts.engine import Engine
from storage.facts.outcome_store import OutcomeStore
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, labels, predictions

_NEWER = msgspec.structs.replace(CONTRACT, version=2)
_HOURS = np.arange(4) * HOUR
_FIRST = {0: (0, 0)}


def sent(engine: Engine, key: str, hour: int, partition: int, logged: int, *, contract: Contract = CONTRACT, position: int = 0) -> None:
    """One event, with its hour as its class, written twice as by a process that was thought dead."""
    block = replace(predictions([key], start=hour, position=position), logged=np.array([logged]), prediction=Categories.of([str(hour % 2)]))
    for _ in range(2):
        Writer(engine).predictions([(contract, block)], partition, None)


def counted(engine: Engine, contract: Contract = CONTRACT) -> list[tuple[str, int]]:
    """(id, hour) of the events that count."""
    block = Raw(engine).predictions(contract, _HOURS, HOUR)
    return sorted(zip(block.id.tolist(), (block.ts // HOUR).tolist(), strict=True))


def known(engine: Engine) -> list[int]:
    """Hours of the outcomes that count."""
    raw = Raw(engine)
    blocks = [raw.outcomes(contract, [], _HOURS, HOUR) for contract in (CONTRACT, _NEWER)]
    return sorted(int(hour) for block in blocks for hour in block.ts // HOUR)


def distinct(engine: Engine) -> dict[int, int]:
    """How many ids count by hour."""
    return {slot // HOUR: n for slot, (n, _) in Raw(engine).distinct("m", _HOURS, HOUR).items()}


def hours(found: Ints) -> list[int]:
    return [int(slot) // HOUR for slot in found]


def test_the_earlier_event_counts_though_it_was_read_later(engine: Engine) -> None:
    """Of two events of one id at other times the first by the log's time counts; the other one's slot is told, and both partitions' ends."""
    truth = OutcomeStore(engine)
    sent(engine, "a", 1, partition=0, logged=20)
    sent(engine, "b", 1, partition=0, logged=20, position=1)
    assert hours(truth.find_contested("m", {0: (0, 1)}, 1)) == []
    sent(engine, "a", 2, partition=1, logged=10)
    assert hours(truth.find_contested("m", {1: (0, 0)}, 2)) == [1]
    assert counted(engine) == [("a", 2), ("b", 1)]
    assert Raw(engine).distinct("m", _HOURS, HOUR) == {HOUR: (1, {0: 1}), 2 * HOUR: (1, {1: 0})}


def test_a_tie_goes_to_the_lower_partition(engine: Engine) -> None:
    """Events that the log took at the same time are told apart by partition."""
    sent(engine, "a", 1, partition=2, logged=7)
    sent(engine, "a", 3, partition=1, logged=7, position=5)
    OutcomeStore(engine).find_contested("m", {1: (5, 5), 2: (0, 0)}, 1)
    assert counted(engine) == [("a", 3)]


@pytest.mark.parametrize(("third", "holds"), [(40, 1), (20, 1), (15, 3)])
def test_of_one_partition_the_lower_position_counts_whatever_its_clock_said(engine: Engine, third: int, holds: int) -> None:
    """A later copy with an earlier time, as of a clock that was put back, neither counts nor helps its partition against another one."""
    truth = OutcomeStore(engine)
    Writer(engine).labels({"m": labels(["a"], "1")}, 0, "l")
    sent(engine, "a", 1, partition=0, logged=20, position=1)
    sent(engine, "a", 2, partition=0, logged=10, position=7)
    sent(engine, "a", 3, partition=1, logged=third)
    truth.join("m", {0: (0, 7), 1: (0, 0)}, {0: (1, 1)}, 1)
    assert hours(truth.find_contested("m", {0: (7, 7)}, 1)) == [hour for hour in (1, 2, 3) if hour != holds]
    assert counted(engine) == [("a", holds)]
    assert known(engine) == [holds]


def test_a_beaten_event_is_nobodys_under_another_contract_either(engine: Engine) -> None:
    """The event that does not count is left out of every contract version's events and of the distinct ids of its slot."""
    sent(engine, "a", 1, partition=0, logged=20, contract=CONTRACT)
    sent(engine, "a", 1, partition=1, logged=10, contract=_NEWER)
    OutcomeStore(engine).find_contested("m", {0: (0, 0), 1: (0, 0)}, 1)
    assert (counted(engine), counted(engine, _NEWER), distinct(engine)) == ([], [("a", 1)], {1: 1})


def test_a_slot_whose_only_event_was_beaten_holds_none(engine: Engine) -> None:
    """It is still told, with no ids: its panes must be made empty."""
    sent(engine, "a", 1, partition=0, logged=20)
    sent(engine, "a", 3, partition=1, logged=10)
    OutcomeStore(engine).find_contested("m", _FIRST, 1)
    assert distinct(engine) == {1: 0, 3: 1}


def labelled(engine: Engine) -> int:
    """How many outcomes hold."""
    return int(engine.query("SELECT count() AS n FROM outcomes FINAL")["n"][0].as_py())


def test_the_truth_moves_to_the_event_that_counts(engine: Engine) -> None:
    """The outcome of the beaten event is taken back, the other one's holds; an event of the same time keeps its outcome."""
    truth = OutcomeStore(engine)
    Writer(engine).labels({"m": labels(["a", "b"], "1")}, 0, "l")
    sent(engine, "a", 1, partition=0, logged=20)
    sent(engine, "b", 2, partition=0, logged=20, position=1)
    truth.join("m", {0: (0, 1)}, {0: (1, 1)}, 1)
    assert (known(engine), labelled(engine), truth.came(["m"])) == ([1, 2], 2, {"m": 2})
    sent(engine, "a", 3, partition=1, logged=10)
    sent(engine, "b", 2, partition=1, logged=10, contract=_NEWER, position=1)
    truth.join("m", {1: (0, 1)}, {}, 2)
    truth.find_contested("m", {1: (0, 1)}, 2)
    assert (known(engine), labelled(engine), truth.came(["m"])) == ([2, 3], 2, {"m": 2})
    assert hours(truth.joined("m", 2, HOUR)) == [1, 2, 3]


def test_once_beaten_always_beaten(engine: Engine) -> None:
    """Looks in any order and any number of times, and late ones of a lower generation, end in the same events."""
    truth = OutcomeStore(engine)
    for partition, (hour, logged) in enumerate([(1, 30), (2, 20), (3, 10)]):
        sent(engine, "a", hour, partition=partition, logged=logged)
        truth.find_contested("m", {partition: (0, 0)}, 9 - partition)
    truth.find_contested("m", _FIRST, 1)
    assert counted(engine) == [("a", 3)]


def test_the_highest_generation_is_told(engine: Engine) -> None:
    """Whatever was written of a model, its generation is below that of who begins later; another model's does not matter."""
    truth = OutcomeStore(engine)
    assert truth.highest("m") == 0
    Writer(engine).rebuilt(CONTRACT, [0], 41)
    sent(engine, "a", 1, partition=0, logged=20)
    sent(engine, "a", 1, partition=1, logged=10)
    truth.find_contested("m", _FIRST, 42)
    assert (truth.highest("m"), truth.highest("n")) == (42, 0)
