"""The ports of ingest: what it needs of the log and of the fact store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.block import Labels, Predictions
from core.contract import Contract
from ingest.record import LogStretch, Topic


class CommittedPosition(NamedTuple):
    """What is committed of a partition: the next position to write, and the intent.

    The intent is the last position of a batch that was begun and may be written in part.
    """

    next: int
    intent: int | None


class Log(Protocol):
    """A log of records in partitions, each record at a growing position."""

    def committed(self, topic: Topic, partition: int) -> CommittedPosition:
        """The committed position of this partition."""
        ...

    def commit(self, topic: Topic, partition: int, committed: CommittedPosition) -> None:
        """Make the position durable. Raises Retryable if that did not succeed."""
        ...

    def read(self, topic: Topic, partition: int, start: int, *, until: int | None, most: int) -> LogStretch:
        """The records from position `start` on, up to position `until` at most: about `most` bytes, and at least one record if there is any."""
        ...

    def wait(self, topic: Topic, partition: int, position: int, seconds: float) -> bool:
        """Wait until the log has reached `position`, at most so many seconds; whether it has."""
        ...


class Store(Protocol):
    """Writes blocks; an insert under a token that was used before changes nothing."""

    def predictions(self, blocks: Sequence[tuple[Contract, Predictions]], partition: int, token: str | None) -> None:
        """Raw predictions."""
        ...

    def labels(self, blocks: Mapping[str, Labels], partition: int, token: str | None) -> None:
        """Raw labels."""
        ...

    def panes(self, summaries: Sequence[tuple[Contract, pa.Table]], token: str | None, generation: int = 0) -> None:
        """Input panes."""
        ...

    def dead_letters(self, rows: Sequence[Mapping[str, str | int]]) -> None:
        """Rows that could not be used; the same rows again change nothing."""
        ...

    def waiting(self, rows: Sequence[Mapping[str, str | int | bytes]]) -> None:
        """Events of models without a contract; the same rows again change nothing."""
        ...

    def batches(self, rows: Sequence[Mapping[str, str | int | list[int]]]) -> None:
        """A summary of the batch, a row a model. It is inserted last; the same rows again change nothing."""
        ...


class KnownIds(Protocol):
    """Which ids a partition already has."""

    def known(self, model: str, partition: int, since: int, before: int, ids: Sequence[str]) -> set[str]:
        """Which of `ids` are at a position from `since` on that is lower than `before`."""
        ...

    def batches(self, partition: int, before: int) -> Iterator[tuple[int, int]]:
        """The batches of predictions below a position, the newest first: where each begins, and how many ids it has; none without any."""
        ...

    def ids(self, partition: int, first: int, last: int) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """The ids at positions first..last, by model."""
        ...


class WrittenRows(KnownIds, Protocol):
    """Which events a partition already has."""

    def rows_at(self, topic: Topic, partition: int, first: int, last: int, model: str | None = None) -> set[tuple[int, int]]:
        """(position, row) of the rows at positions first..last that are in the store, of one model, or of all."""
        ...

    def finished(self, topic: Topic, partition: int, last: int) -> bool:
        """Whether `batches` has the batch that ends at this position; then all of the batch is written."""
        ...
