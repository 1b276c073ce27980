"""The messages between the stages of ingest: records of the log, batches of records, and decoded batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from core.block import Ints, Labels, Predictions
from core.contract import Contract

Topic = Literal["predictions", "labels"]
Kind = Literal["json", "ndjson"]
TOPICS: tuple[Topic, ...] = ("predictions", "labels")
PartitionKey = tuple[Topic, int]  # a topic and the number of a partition


class LogRecord(NamedTuple):
    """One record of the log: a request's body, or one event. `decoded` is set if the request was decoded when it was appended."""

    position: int
    logged: int
    kind: Kind
    body: bytes
    decoded: Any = None


class LogStretch(NamedTuple):
    """Consecutive records, and the last position that was read; a log may have positions without a record."""

    records: Sequence[LogRecord]
    last: int


@dataclass(frozen=True)
class Batch:
    """The records at positions first..last of one partition. Its token names exactly these rows, in every attempt."""

    topic: Topic
    partition: int
    first: int
    last: int
    records: Sequence[LogRecord]

    @property
    def token(self) -> str:
        """The insert token, without the table."""
        return f"log:{self.topic}:{self.partition}:{self.first}:{self.last}:1"


class Reject(NamedTuple):
    """A row that could not be used."""

    position: int
    row: int
    model: str
    field: str
    reason: str
    logged: int


class Waiting(NamedTuple):
    """An event of a model that has no contract yet: where it is in the log, and its JSON."""

    position: int
    row: int
    model: str
    body: bytes
    logged: int


@dataclass(frozen=True)
class Events:
    """A decoded batch: blocks by model, rows that could not be used, how many rows of each model were seen before, and how many came with a
    prediction or label that is none of its classes. `copies` are the rows that were seen before, by the slot of their time: slots, and how many in each.
    `waiting` are events of models without a contract, which are kept until there is one.
    """

    batch: Batch
    predictions: Sequence[tuple[Contract, Predictions]] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)
    rejects: Sequence[Reject] = ()
    duplicates: Mapping[str, int] = field(default_factory=dict)
    panes: Sequence[tuple[Contract, pa.Table]] = ()
    outside: Mapping[str, int] = field(default_factory=dict)
    copies: Mapping[str, tuple[Ints, Ints]] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()

    @property
    def rows(self) -> Counter[str]:
        """How many rows each model has."""
        found = Counter({model: len(block) for model, block in self.labels.items()})
        for contract, block in self.predictions:
            found[contract.model] += len(block)
        return found
