"""A partition with nothing but rejected rows halts, and goes on by itself."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from core.contract import Contract
from core.error import Retryable
from ingest.decoding import Decode
from ingest.halt import Halt
from ingest.record import Batch, Events, LogRecord
from tests.ingest.decode.events import CONTRACTS, NOW, event


def batch(good: int, bad: int, first: int = 0, contracts: Callable[[str], Contract | None] = CONTRACTS.get) -> Events:
    """A decoded batch of so many rows; the bad ones are of a model without a contract."""
    bodies = [event(prediction_id=str(i), model="b" if i < good else "new") for i in range(good + bad)]
    records = [LogRecord(first + i, NOW, "json", json.dumps(body).encode()) for i, body in enumerate(bodies)]
    return Decode(contracts)(Batch("predictions", 0, first, first + len(records) - 1, records))


def test_a_few_rejects_pass() -> None:
    """A share below the limit is what dead letters are for; the batch comes out as it went in."""
    halt, events = Halt(share=0.5, of=10), batch(10, 9)
    assert halt(events) is events


def test_few_rows_say_nothing() -> None:
    """As long as fewer than `of` rows were seen, everything passes."""
    halt = Halt(share=0.5, of=10)
    halt(batch(0, 5))
    halt(batch(0, 4))
    with pytest.raises(Retryable):
        halt(batch(0, 1))


def test_a_batch_that_goes_over_the_limit_is_held_and_told() -> None:
    """The words say how many, why, where, and what to do; the wait is 30 s."""
    halt = Halt(share=0.5, of=10)
    with pytest.raises(
        Retryable, match=r"11 of the last 20 rows .* no model 'new'.* before position 7 .* raise ingest\.dead_letters\.share"
    ) as caught:
        halt(batch(9, 11, first=7))
    assert caught.value.after == 30


def test_a_held_batch_is_not_counted_twice() -> None:
    """However often it is tried, the share stays; a decode under the new contract passes."""
    halt = Halt(share=0.5, of=10)
    halt(batch(10, 0))
    for _ in range(5):
        with pytest.raises(Retryable, match="11 of the last 11 rows"):
            halt(batch(0, 11))
    known = {**CONTRACTS, "new": CONTRACTS["b"]}
    fixed = batch(0, 11, contracts=lambda model: known[model])
    assert halt(fixed) is fixed


def test_only_the_last_rows_count() -> None:
    """A good past does not hide a bad present, and a bad past that was let through does not hold a good present."""
    halt = Halt(share=0.5, of=10)
    for _ in range(100):
        halt(batch(10, 0))
    halt(batch(0, 5))
    with pytest.raises(Retryable):
        halt(batch(0, 11))
    good = batch(5, 0)
    assert [halt(good) is good for _ in range(3)] == [True] * 3


def test_a_share_of_one_never_holds() -> None:
    """That is how it is turned off."""
    halt, bad = Halt(share=1.0, of=10), batch(0, 20)
    assert [halt(bad) is bad for _ in range(3)] == [True] * 3


def test_a_batch_without_rejects_always_passes() -> None:
    """Also right after others were let through."""
    halt = Halt(share=0.5, of=10)
    halt(batch(0, 9))
    good = batch(1, 0)
    assert halt(good) is good
