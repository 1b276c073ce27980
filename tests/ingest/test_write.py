"""The last stage: what it reports if the log refuses a commit, and for a batch of which no row can be used."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.error import Retryable
from ingest.decoding import Decode
from ingest.embedded_log import EmbeddedLog
from ingest.ports import CommittedPosition
from ingest.record import Batch, Events, LogRecord, Topic
from ingest.write import Write
from storage.facts.chdb import Chdb
from storage.facts.progress import Batches
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.ingest.decode.events import CONTRACTS, NOW


class Refusing(EmbeddedLog):
    """A log that acknowledges nothing while it is `away`; intents it takes."""

    away = False

    def commit(self, topic: Topic, partition: int, committed: CommittedPosition) -> None:
        """Commit, or refuse."""
        if self.away and committed.intent is None:
            raise Retryable("a rebalance is under way")
        super().commit(topic, partition, committed)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Refusing]:
    log = Refusing(tmp_path / "log.sqlite")
    yield log
    log.close()


@pytest.fixture
def write(log: Refusing, engine: Chdb) -> Iterator[Write]:
    start = log.committed("predictions", 0)
    write = Write(log, Writer(engine), Raw(engine), "predictions", 0, start, written=lambda _: None, dead=lambda _: None)
    yield write
    write.abandon()


def test_a_place_that_was_refused_is_no_problem_any_more_once_it_is_taken(log: Refusing, write: Write) -> None:
    """Though no batch has come since."""
    log.away = True
    write.submit(Events(Batch("predictions", 0, 1, 3, [])))
    until_settled(write)
    assert (write.problem, log.committed("predictions", 0)) == ("a rebalance is under way", CommittedPosition(1, 3))
    log.away = False
    write.poll()
    assert (write.problem, log.committed("predictions", 0)) == (None, CommittedPosition(4, None))


def test_a_batch_of_nothing_but_rubbish_is_told_and_is_no_models(write: Write, engine: Chdb) -> None:
    """Its rejected rows are counted, it is known to be finished, and no model has it."""
    records = [LogRecord(position, NOW, "json", b"{broken") for position in (1, 2, 3)]
    write.submit(Decode(CONTRACTS.get)(Batch("predictions", 0, 1, 3, records)))
    until_settled(write)
    batches = Batches(engine)
    assert batches.totals() == {"predictions": {"rows": 0, "duplicates": 0, "rejected": 3}}
    assert batches.progress(NOW) == {}
    assert Raw(engine).finished("predictions", 0, 3)


def until_settled(write: Write) -> None:
    """Wait until nothing is under way."""
    end = time.monotonic() + 300
    while not write.idle:
        assert time.monotonic() < end, "it is still being written"
        write.poll()
        time.sleep(0.01)
