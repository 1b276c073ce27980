"""What the owner's loop needs of the stores and of the alerts. Times are microseconds, ranges half-open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from core.block import Ints, Outcomes, Predictions
from core.contract import Contract
from core.monitor import Monitor
from core.reading import Reading
from core.span import Spans

Contracts = Callable[[str, int], Contract | None]


Ranges = Mapping[int, tuple[int, int]]
"""Positions first..last of partitions."""


class Committed(NamedTuple):
    """What ingest has committed of a model: the last position of each partition by topic, and times in microseconds.

    Windows close `lateness` behind the watermark. Of slots up to `frozen` raw events may be gone by retention: their panes stay as they are.
    """

    predictions: dict[int, int]
    labels: dict[int, int]
    watermark: int
    logged: int
    frozen: int
    lateness: int = 0


class Raw(Protocol):
    """Raw events, as blocks."""

    def touched(self, model: str, positions: Ranges, pane: int) -> Ints:
        """Slots of the events at these positions."""
        ...

    def slots(self, model: str, pane: int) -> Ints:
        """All slots with events."""
        ...

    def distinct(self, model: str, values: Ints, pane: int) -> dict[int, tuple[int, dict[int, int]]]:
        """For each slot: how many distinct ids count there, and the highest position by partition."""
        ...

    def portion(self, model: str, positions: Ranges, most: int) -> dict[int, int]:
        """For each partition the position at which its batches hold about `most` events of the model; none for one without events there."""
        ...

    def contracts(self, model: str, values: Ints, pane: int) -> list[int]:
        """Contract versions of the events of these slots."""
        ...

    def predictions(self, contract: Contract, values: Ints, pane: int) -> Predictions:
        """The distinct events of these slots that count, taken under `contract`."""
        ...

    def outcomes(self, contract: Contract, dimensions: Sequence[str], values: Ints, pane: int, *, version: str | None = None) -> Outcomes:
        """The labelled ones among them."""
        ...


class OutcomeStore(Protocol):
    """Outcomes: predictions joined with their labels."""

    def join(self, model: str, predictions: Ranges, labels: Ranges, generation: int) -> None:
        """Join what is new in these positions of each partition."""
        ...

    def find_contested(self, model: str, predictions: Ranges, generation: int) -> Ints:
        """Find the events that do not count, for ids that came in these positions; their times."""
        ...

    def highest(self, model: str) -> int:
        """The highest generation under which an owner has written anything."""
        ...

    def joined(self, model: str, generation: int, pane: int) -> Ints:
        """Slots of what was joined."""
        ...

    def slots(self, model: str, pane: int) -> Ints:
        """All slots with outcomes."""
        ...


class Panes(Protocol):
    """Panes, composed into windows."""

    def inputs(
        self,
        contract: Contract,
        columns: Sequence[str],
        names: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
        phase: int = 0,
    ) -> pa.Table:
        """Input panes, merged over windows that begin at `phase` modulo `length`: start, column, segment, and what is asked for by name."""
        ...

    def performance(
        self,
        contract: Contract,
        columns: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
        phase: int = 0,
    ) -> pa.Table:
        """Sums of performance panes: start, segment, and the asked for sums and lists of `detectors.summary.performance`."""
        ...

    def slots(self, contract: Contract) -> tuple[Ints, Ints]:
        """Slots with predictions, and how many each holds."""
        ...

    def segments(self, contract: Contract) -> list[str]:
        """Segments with predictions."""
        ...

    def rebuilds(self, contract: Contract, before: int) -> tuple[int, int]:
        """What was rebuilt below a generation, as two numbers that change when an earlier owner writes late."""
        ...

    def rebuilt(self, contract: Contract, before: int) -> Ints:
        """The slots whose newest rebuild is below a generation."""
        ...


class Readings(Protocol):
    """Readings that were stored before."""

    def newest(self, model: str, monitors: Mapping[str, int], span: tuple[int, int]) -> dict[str, pa.Table]:
        """By monitor (given with the version of its definition) the readings that hold, withdrawn ones too, windows starting in the span."""
        ...

    def evaluated(self, model: str, monitors: Mapping[str, int], contract: int) -> dict[str, tuple[Spans, Ints]]:
        """By monitor (given with the version of its definition) the windows that have readings, and how many each has."""
        ...

    def below(self, model: str, generation: int) -> int:
        """How many readings there are below a generation."""
        ...


class FactWriter(Protocol):
    """What the owner writes."""

    def panes(self, summaries: Sequence[tuple[Contract, pa.Table]], token: str | None, generation: int = 0) -> None:
        """Input panes."""
        ...

    def rebuilt(self, contract: Contract, slots: Sequence[int], generation: int) -> None:
        """From now on these slots' panes are those of `generation`."""
        ...

    def performance_panes(self, contract: Contract, table: pa.Table, generation: int) -> None:
        """Performance panes."""
        ...

    def readings(self, tables: Sequence[pa.Table]) -> None:
        """Readings, in one insert."""
        ...


class Cursors(Protocol):
    """Who owns a model, and where the owner stands. An owner that another one has followed gets Fenced."""

    def take(self, name: str, least: int = 1) -> int:
        """Become the owner; the new epoch, which is not below `least`."""
        ...

    def holds(self, name: str, epoch: int) -> None:
        """Raise Fenced unless this epoch is the current one."""
        ...

    def cursor(self, name: str) -> dict[str, Any] | None:
        """What was saved last."""
        ...

    def save_cursor(self, name: str, payload: dict[str, Any], epoch: int) -> None:
        """Save."""
        ...


class Alerts(Protocol):
    """Takes the readings that are new, and hears of each monitor without any: what earlier revisions of it left open ends."""

    def observe(self, monitor: Monitor, readings: Sequence[Reading], fence: tuple[str, int]) -> object:
        """Advance the rules; the same readings again change nothing. Raises Fenced as the cursors do."""
        ...
