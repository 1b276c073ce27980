"""The ports of monitors: what the owner needs of the stores and of the alerts. Times are microseconds, ranges half-open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core import moment
from core.block import Categories, Floats, Ints, Outcomes, Predictions
from core.contract import Contract
from core.monitor import Monitor
from core.pane import HeldPanes
from core.reading import Reading
from core.span import Spans

Contracts = Callable[[str, int], Contract | None]


Ranges = Mapping[int, tuple[int, int]]
"""Positions first..last of partitions."""

Topic = Literal["predictions", "labels"]

NO_LIMIT = 1_000_000  # values of a column that are counted at most


class Committed(NamedTuple):
    """What ingest has committed of a model: the last position of each partition by topic, and times in microseconds.

    Windows close `lateness` behind the watermark. If nothing of the model has come for a while although all that the log took before `silent_until` is committed,
    they close as far behind that time. Retention may have removed raw events of slots up to `frozen`: their panes stay as they are.
    """

    predictions: dict[int, int]
    labels: dict[int, int]
    watermark: int
    logged: int
    frozen: int
    lateness: int = 0
    silent_until: int = moment.EARLIEST


class Raw(Protocol):
    """Raw events, as blocks."""

    def touched(self, model: str, positions: Ranges, pane: int) -> Ints:
        """The slots of the events at these positions."""
        ...

    def slots(self, model: str, pane: int) -> Ints:
        """All slots that have events."""
        ...

    def distinct(self, model: str, values: Ints, pane: int) -> dict[int, tuple[int, dict[int, int]]]:
        """For each slot how many distinct ids count there, and by partition its highest position."""
        ...

    def traces(self, model: str, pane: int) -> tuple[Ints, Ints]:
        """The slots that have events, ascending, and numbers of each (slots, numbers), of which one changes whenever its labelled rows may have."""
        ...

    def portion(self, model: str, positions: Ranges, most: int) -> dict[int, int]:
        """For each partition the position up to which its batches hold about `most` events of the model; partitions without events are left out."""
        ...

    def contracts(self, model: str, values: Ints, pane: int) -> list[int]:
        """The contract versions under which the events of these slots came."""
        ...

    def predictions(
        self,
        contract: Contract,
        values: Ints,
        pane: int,
        *,
        most: int | None = None,
        version: str | None = None,
        role: str | None = None,
        vectors: bool = True,
        only: Collection[str] | None = None,
    ) -> Predictions:
        """The distinct events of these slots that count and came under `contract`; of one version of the model, or of all, and of one role, or of all.

        With `most`, only so many, which a hash of their ids draws, in its order (`core.draw`). Without `vectors` the block has none. With `only`, other columns are null.
        """
        ...

    def unseen(
        self,
        contract: Contract,
        columns: Sequence[str],
        values: Ints,
        most: int,
        *,
        version: str | None = None,
        role: str | None = None,
        sources: Sequence[Contract] = (),
    ) -> dict[str, list[tuple[str, int]]]:
        """Of categorical columns in these slots the values that the reference does not have, and how many distinct events have each; of each column the most frequent first. `sources` are the contracts under which the events came, by default `contract`."""
        ...

    def outcomes(
        self,
        contract: Contract,
        dimensions: Sequence[str],
        values: Ints,
        pane: int,
        *,
        version: str | None = None,
        role: str | None = None,
        regions_of: Contract | None = None,
        columns: Sequence[str] = (),
        weights: bool = False,
        keys: bool = False,
        due: int | None = None,
    ) -> Outcomes:
        """The labelled events among these; `regions_of`: with their prediction intervals or sets, as this contract reads them; with the features and tags `columns`, with the labels' weights, and with the events' ids and requests (`keys`).

        With `due` their labels are those that held at that time after the end of their slot.
        """
        ...

    def truths(
        self, model: str, values: Ints, pane: int, last: str, *, version: str | None = None, role: str | None = None
    ) -> tuple[npt.NDArray[np.object_], Ints, Floats, Categories]:
        """The labels of events of these slots, with ids and times, as numbers and as texts: of those that a hash of their ids draws before the id `last`, and of that; of one version of the model, or of all."""
        ...


class OutcomeStore(Protocol):
    """Outcomes: predictions joined with their labels."""

    def join(self, model: str, predictions: Ranges, labels: Ranges, generation: int) -> None:
        """Join the new events at these positions of each partition."""
        ...

    def fill(self, model: str, slots: Ints, pane: int) -> None:
        """Write losses beside the outcomes of these slots that an earlier version wrote."""
        ...

    def find_contested(self, model: str, predictions: Ranges, generation: int) -> Ints:
        """Find the events that do not count, of ids that came at these positions. Returns their times."""
        ...

    def highest(self, model: str) -> int:
        """The highest generation under which an owner has written anything."""
        ...

    def joined(self, model: str, generation: int, pane: int) -> Ints:
        """The slots of the outcomes that were joined under this generation."""
        ...

    def slots(self, model: str, pane: int) -> Ints:
        """All slots with outcomes."""
        ...


class Panes(Protocol):
    """Panes, summed over windows."""

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
        *,
        bounds: Ints | None = None,
        role: str | None = None,
        segments: Sequence[str] = (),
    ) -> pa.Table:
        """Input panes, merged over windows that begin at `phase` modulo `length`, or at `bounds` if these are given: start, column, segment, and the fields `names`."""
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
        *,
        bounds: Ints | None = None,
        role: str | None = None,
        segments: Sequence[str] = (),
    ) -> pa.Table:
        """Sums of performance panes: start, segment, and the sums and lists of `detectors.summary.performance` that `columns` names."""
        ...

    def held(self, contract: Contract) -> HeldPanes:
        """Slots, segments and versions with predictions."""
        ...

    def slots(self, contract: Contract, version: str | None = None) -> tuple[Ints, Ints]:
        """Slots with predictions of a version, or of all, and how many each holds."""
        ...

    def versions(self, contract: Contract) -> list[tuple[str, int, int]]:
        """The versions of the model that have predictions, each with its first slot and how many there are; the one that came last is behind."""
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


class Stream(Protocol):
    """How events came, by cells of `length` that begin at `phase` modulo `length`, or at `bounds` if these are given: start, segment (`all`), n and counts."""

    def late(
        self, model: str, after: tuple[int, ...], length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None
    ) -> pa.Table:
        """Predictions that count, and how many the log took more than each of `after` microseconds after their time (late0, late1 and so on)."""
        ...

    def unknown(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """Predictions with a column that the contract does not have: start, segment, name, n."""
        ...

    def orphans(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """Ids with a label, by the label's time, and how many of them have no prediction (orphans)."""
        ...

    def copies(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """Predictions that came again, by their own time (n)."""
        ...

    def copy_slots(self, model: str, positions: Ranges | None) -> Ints:
        """The slots of the times of the copies in the batches that end at these positions; None: in all."""
        ...

    def rejects(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """Rows by the log's time, without copies that were dropped (n), and how many could not be used (rejected)."""
        ...

    def arrival_slots(self, model: str, predictions: Ranges | None, labels: Ranges | None, pane: int) -> Ints:
        """The slots of the log's time of the rows at these positions, also of those that could not be used; None: of all."""
        ...

    def latest(self, model: str, slots: Ints, pane: int) -> dict[int, int]:
        """The time of the last event that counts in each of these slots; slots without any are left out."""
        ...

    def label_slots(self, model: str, predictions: Ranges, labels: Ranges, pane: int) -> Ints:
        """The slots of the times of all labels of the ids that came at these positions."""
        ...

    def every_label_slot(self, model: str, pane: int) -> Ints:
        """The slots of the times of all labels."""
        ...


class Readings(Protocol):
    """Stored readings."""

    def newest(self, model: str, monitors: Mapping[str, int], span: tuple[int, int]) -> dict[str, pa.Table]:
        """By monitor (given with its `evaluated_revision`) the readings that hold, also withdrawn ones, of windows that start in the span."""
        ...

    def evaluated(self, model: str, monitors: Mapping[str, int], contract: int) -> dict[str, tuple[Spans, Ints]]:
        """By monitor (given with its `evaluated_revision`) the windows that have readings, and how many each has."""
        ...

    def below(self, model: str, generation: int) -> int:
        """How many readings of the model are below a generation."""
        ...


class FactWriter(Protocol):
    """The facts that the owner writes."""

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


class Admission(Protocol):
    """Events that came before their model had a contract, and wait."""

    always: bool  # whether events may begin to wait at any time

    def portion(self, model: str, committed: Mapping[Topic, Mapping[int, int]]) -> Mapping[Topic, Ranges]:
        """By topic the positions of events that are to be admitted next, up to those that are committed."""
        ...

    def admit(self, contract: Contract, portion: Mapping[Topic, Ranges], check: Callable[[], None]) -> None:
        """Write the events of a portion, unless they are there. `check` is called before each write."""
        ...

    def forget(self, model: str, portion: Mapping[Topic, Ranges]) -> None:
        """Let the events of a portion wait no more."""
        ...


class Cursors(Protocol):
    """Cursors and epochs of owners. An owner that was replaced gets Fenced."""

    def take(self, name: str, least: int = 1) -> int:
        """Become the owner. Returns the new epoch, which is not below `least`."""
        ...

    def holds(self, name: str, epoch: int) -> None:
        """Raise Fenced unless this epoch is the current one."""
        ...

    def cursor(self, name: str) -> dict[str, Any] | None:
        """The document that was saved last."""
        ...

    def save_cursor(self, name: str, payload: dict[str, Any], epoch: int) -> None:
        """Save a document. Raises Fenced unless this epoch is the current one."""
        ...


class Takes(Protocol):
    """Makes the next version of a contract in which values are segments of their own that the reference does not have."""

    def take_up(self, contract: Contract, fence: tuple[str, int]) -> object:
        """Save a contract with other new values as the next version, unless its version is not the newest any more. Raises Fenced as the cursors do."""
        ...


class TrustStates(Protocol):
    """Takes note of whether a model may be trusted, after what may have changed that is stored."""

    def look(self, model: str, monitors: Sequence[Monitor], contract: int, fence: tuple[str, int]) -> object:
        """Tell what has changed since the last call of any owner. Raises Fenced as the cursors do."""
        ...


class Alerts(Protocol):
    """Takes new readings. It is also called for each monitor without readings, so that episodes of its earlier revisions, and of earlier contracts, are closed."""

    def observe(
        self,
        monitor: Monitor,
        readings: Sequence[Reading],
        fence: tuple[str, int],
        *,
        contract: int = 0,
        columns: Sequence[str] | None = None,
        version: int = 0,
        watched: Callable[[str], bool] | None = None,
    ) -> object:
        """Advance the rules; the same readings again change nothing. Raises Fenced as the cursors do.

        `contract` is the version of the model's contract that brought its reference and `columns` those that it has for the monitor; `watched` tells whether its newest
        `version` can have a segment: episodes that they overtake are closed.
        """
        ...

    def observe_all(
        self, given: Sequence[tuple[Monitor, Sequence[Reading]]], fence: tuple[str, int], came: Sequence[tuple[str, int]] = ()
    ) -> object:
        """As `observe`, for readings of several monitors of a model in one transaction. Those that are `core.reading.Bare` get their evidence where it is needed.

        `came` are the versions of the model that came after its first one, each with its first slot.
        """
        ...

    def supersede(self, monitor: Monitor, reason: str, fence: tuple[str, int]) -> object:
        """End the open episodes of a monitor, whose version of the model is not served any more."""
        ...
