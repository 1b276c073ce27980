"""The reads of a step from panes and outcomes: each query is run once, however many measures need its answer."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, Generic, NoReturn, TypeVar

import numpy as np
import pyarrow as pa

from core import moment
from core.baseline.rows import Role, Version
from core.block import Categories, Floats, Ints, Outcomes, Predictions
from core.contract import PREDICTION, Kind
from core.error import ConfigError, Retryable
from core.segment import ALL
from core.span import Spans
from detectors.sample import Train, here
from monitors.evidence.extent import Extent
from monitors.evidence.history import History
from monitors.model import Model
from monitors.ports import Panes, Stream
from monitors.reference.facts import NOT_STORED

T = TypeVar("T")
_KNOWN = 5_000  # known values that one query names
_BETWEEN = 8  # slots that are read along between two ranges
_A_WINDOW = 16  # what is kept of a window beside its segments, in the size of a segment


@dataclass(frozen=True)
class PaneFields:
    """The names of the fields that are read from input panes and from performance panes."""

    inputs: frozenset[str] = frozenset()
    performance: frozenset[str] = frozenset()

    def __or__(self, other: PaneFields) -> PaneFields:
        """The fields of both."""
        return PaneFields(self.inputs | other.inputs, self.performance | other.performance)


COUNT = PaneFields(inputs=frozenset({"n"}))


@dataclass(frozen=True)
class Scope:
    """The rows of which evidence is read: a model, its segments and their groupings ("" is `all`), one version of the model or all, one role or all, and the columns.

    `fields` are those that all monitors of the scope need; the first query reads all of them. With `only` no panes of other segments than these are read.
    """

    model: Model
    segments: tuple[str, ...]
    groupings: tuple[str, ...]
    columns: tuple[str, ...]
    version: str | None = None
    fields: PaneFields = PaneFields()
    role: str | None = None
    only: tuple[str, ...] = ()


class _Answers(Generic[T]):
    """The answers to one question about cells. Threads that ask for the same cells ask the store once."""

    def __init__(self) -> None:
        self._held: list[tuple[Extent, T]] = []
        self._lock = Lock()
        self._failed: tuple[float, str] = -inf, ""  # when the store failed last, and how

    def covers(self, extent: Extent) -> bool:
        """Whether an answer that covers an extent is held."""
        return self._find(extent) is not None

    def of(self, extent: Extent, ask: Callable[[], T]) -> T:
        """The answer that covers an extent; if none is held, it is asked for. Raises Retryable."""
        began = monotonic()
        with self._lock:
            if (found := self._find(extent)) is not None:
                return found
            if began < self._failed[0]:  # it failed meanwhile: a store that is away is not waited for in turn
                raise Retryable(self._failed[1])
            try:
                self._held.append((extent, ask()))
            except Retryable as error:
                self._failed = monotonic(), str(error)
                raise
            return self._held[-1][1]

    def _find(self, extent: Extent) -> T | None:
        return next((answer for known, answer in self._held if known is extent or known.covers(extent)), None)


class Reads:
    """The answers to the queries of one scope, kept while some windows are evaluated."""

    def __init__(
        self, panes: Panes, history: History, stream: Stream, scope: Scope, train: Train = here, held: tuple[Ints, Ints] | None = None
    ) -> None:
        self._panes, self._history, self._stream, self.scope, self.train = panes, history, stream, scope, train
        self._held = held  # all slots with predictions, and how many each holds, once known
        self._inputs: defaultdict[tuple[str, ...], _Answers[dict[str, pa.Table]]] = defaultdict(_Answers)
        self._performance: defaultdict[tuple[str, ...], _Answers[pa.Table]] = defaultdict(_Answers)
        self._streams: defaultdict[str, _Answers[pa.Table]] = defaultdict(_Answers)
        self._predictions = _Answers[pa.Table]()
        self._made: dict[tuple[object, ...], Any] = {}

    def within(self, segments: tuple[str, ...]) -> Reads:
        """The reads of other segments of the scope's groupings: the same answers."""
        return self.once(("within", segments), lambda: self._with(replace(self.scope, segments=segments)))

    def of(self, others: Version | Role) -> Reads:
        """The reads of the same segments of a version of the model, or of one role."""
        version, role = (others.version, None) if isinstance(others, Version) else (None, others.role)
        scope = replace(self.scope, version=version, role=role)
        return self.once(("of", version, role), lambda: Reads(self._panes, self._history, self._stream, scope, self.train, self._held))

    def whole(self) -> Reads:
        """The reads of all segments together, from the panes of `all` alone."""
        scope = replace(self.scope, segments=(ALL,), groupings=("",), fields=PaneFields(), only=())
        return self.once(("whole",), lambda: Reads(self._panes, self._history, self._stream, scope, self.train, self._held))

    def apart(self) -> Reads:
        """The same answers of panes, which threads may share, and nothing else of what is kept."""
        return self._with(self.scope)

    def _with(self, scope: Scope) -> Reads:
        other = copy(self)
        other.scope, other._made = scope, {}  # noqa: SLF001 - of this class
        return other

    def inputs(self, extent: Extent, column: str, names: Collection[str]) -> pa.Table:
        """The input panes of a column, one row a cell and segment with rows: start, segment, and the fields `names`.

        More cells than those of the extent may come.
        """
        contract, scope, asked = self.scope.model.contract, self.scope, _together(names, self.scope.fields.inputs)

        def ask(span: tuple[int, int]) -> pa.Table:
            return self._panes.inputs(
                contract, scope.columns, asked, scope.groupings, extent.step, span, scope.version, extent.phase, **_more(scope, extent)
            )

        held = self._inputs[asked].of(extent, lambda: _by_column(self._asked(extent, ask)))
        return held.get(column, next(iter(held.values())).slice(0, 0))

    def performance(self, extent: Extent, names: Collection[str]) -> pa.Table:
        """The performance panes, one row a cell and segment with rows: start, segment, and the fields `names`. More cells than those of the extent may come."""
        contract, scope, asked = self.scope.model.contract, self.scope, _together(names, self.scope.fields.performance)

        def ask(span: tuple[int, int]) -> pa.Table:
            return self._panes.performance(
                contract, asked, scope.groupings, extent.step, span, scope.version, extent.phase, **_more(scope, extent)
            )

        return self._performance[asked].of(extent, lambda: self._asked(extent, ask))

    def predictions(self, extent: Extent) -> pa.Table:
        """How many predictions there are, one row a cell and segment with rows: start, segment, n. More cells than those of the extent may come."""
        contract, scope = self.scope.model.contract, self.scope
        with_columns = PREDICTION in scope.columns and self._inputs[_together(("n",), scope.fields.inputs)].covers(extent)
        if with_columns:  # else they are asked for alone: a baseline may be of many more cells
            return self.inputs(extent, PREDICTION, ("n",))

        def ask(span: tuple[int, int]) -> pa.Table:
            return self._panes.inputs(
                contract, (PREDICTION,), ("n",), scope.groupings, extent.step, span, scope.version, extent.phase, **_more(scope, extent)
            )

        return self._predictions.of(extent, lambda: self._asked(extent, ask))

    def stream(self, extent: Extent, name: str, ask: Callable[[Stream, str, tuple[Any, ...]], pa.Table]) -> pa.Table:
        """An answer about how events came, one row a cell with rows; it is asked once by its `name`. `ask` gets the model and the length, span, phase and bounds of cells."""
        model = self.scope.model.contract.model
        cells = (extent.phase, *(() if extent.bounds is None else (extent.bounds,)))
        return self._streams[name].of(
            extent, lambda: _concat(extent.runs, lambda span: ask(self._stream, model, (extent.step, span, *cells)))
        )

    def reference_rows(self) -> pa.Table:
        """How many rows the reference has, one row a slot and segment: start, segment, n. Raises Retryable while they are not in the fact store."""
        contract = self.scope.model.contract
        span = (moment.EARLIEST, moment.LATEST)
        found = self._panes.inputs(contract.of_reference, (PREDICTION,), ("n",), self.scope.groupings, contract.pane, span)
        if contract.facts and not found.num_rows:
            raise Retryable(NOT_STORED)
        return found

    def reference_stored(self) -> None:
        """Raise Retryable while the rows of the reference are not in the fact store in whole."""
        self.once(("reference is stored",), self.reference_rows)

    def of_reference(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result of `make`, which depends on `key` and on the rows of the reference alone. The last ones are held for later windows too."""
        return self._history.of_reference(self.scope.model.contract, key, make)

    @property
    def slots(self) -> Ints:
        """All slots with predictions, ascending."""
        return self._slots[0]

    @cached_property
    def slots_of_version(self) -> Ints:
        """Those with predictions of the scope's version, or of any if it has none."""
        version = self.scope.version
        return self.slots if version is None else self._panes.slots(self.scope.model.contract, version)[0]

    @property
    def rows(self) -> Ints:
        """How many predictions each of `slots` holds, of all versions."""
        return self._slots[1]

    @property
    def _slots(self) -> tuple[Ints, Ints]:
        self._held = self._held or self._panes.slots(self.scope.model.contract)
        return self._held

    def of_windows(
        self, what: tuple[object, ...], windows: Spans, make: Callable[[list[int]], list[T]], before: Sequence[int] | None = None
    ) -> list[T]:
        """What is made of the labelled rows of each window by `what`, which is kept from one step to the next: see `Kept`. It must be the same for the same rows of the window, and of the window `before` it, -1 for none."""
        contract, scope = self.scope.model.contract, self.scope
        slots, numbers = self._traces
        first, after = (np.searchsorted(slots, one).tolist() for one in (windows.start, windows.end))
        own = [_digest(slots[low:high], numbers[low:high]) for low, high in zip(first, after, strict=True)]
        marks = own if before is None else [(one, own[place] if place >= 0 else b"") for one, place in zip(own, before, strict=True)]
        named = (*what, contract.model, contract.evaluated_as, scope.segments, scope.version, scope.role)
        return self._history.windows(named, windows.pairs(), marks, make, _A_WINDOW + len(scope.segments))

    def marked_as(self, other: Reads) -> None:
        """Take the marks of rows that reads of the same model have: they are a scan of all its events, which monitors of a step then share. Rows must not have been read."""
        self._made[("traces",)] = other._traces

    @property
    def raw_rows(self) -> Ints:
        """How many rows of raw events of all versions each of `slots` has, repeated ones too."""
        slots, numbers = self._traces
        place = np.minimum(np.searchsorted(slots, self.slots), max(len(slots) - 1, 0))
        return np.where(slots[place] == self.slots, numbers[place, 0], 0) if len(slots) else np.zeros(len(self.slots), np.int64)

    @property
    def _traces(self) -> tuple[Ints, Ints]:
        return self.once(("traces",), lambda: self._history.traces(self.scope.model.contract))

    def slots_of(self, side: Sequence[Spans]) -> Ints:
        """The slots of the spans of a side, ascending; of a span from the beginning of time, those from the first event on."""
        spans = side[0].join(*side[1:])
        if len(spans) and int(spans.start[0]) <= moment.EARLIEST and len(self.slots):
            first = int(self.slots[0])
            spans = Spans(np.maximum(spans.start, first), np.maximum(spans.end, first))
        return Extent(self.scope.model.contract.pane, spans.start).part(spans).cells

    def latest(self, slots: Ints) -> dict[int, int]:
        """The time of the last event of each of these slots; slots without any are left out."""
        contract = self.scope.model.contract
        return self._stream.latest(contract.model, slots, contract.pane)

    def _asked(self, extent: Extent, ask: Callable[[tuple[int, int]], pa.Table]) -> pa.Table:
        """What panes hold of an extent."""
        return _concat(extent.runs if self._held is None else _joined(extent.runs, self._held[0]), ask)

    def once(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result of `make`, which is called once for a key."""
        if key not in self._made:
            self._made[key] = make()
        found: T = self._made[key]
        return found

    def sample(self, slots: Ints, most: int, only: Collection[str] | None = None) -> Predictions | None:
        """At most so many predictions of slots, drawn by a hash of their ids, in its order, which are not kept; None if there are none. With `only`, no other columns need be there."""
        return self._history.sample(self.scope.model.contract, slots, most, version=self.scope.version, **_role(self.scope), only=only)

    def sample_of_reference(self, most: int, only: Collection[str] | None = None) -> Predictions | None:
        """At most so many rows of the reference, drawn in the same way; None if there are none. Raises Retryable while they are not in the fact store."""
        contract = self.scope.model.contract
        found = self._history.kept(contract, most, only)
        if found is None and contract.facts:
            raise Retryable(NOT_STORED)
        return found

    def truths(self, slots: Ints, sample: Predictions) -> Floats:
        """The labels of a sample of predictions of slots, NaN where they are not known; the model is a regression."""
        return self._history.truths(self.scope.model.contract, slots, sample, version=self.scope.version, **_role(self.scope))

    def truths_of_reference(self, sample: Predictions) -> Floats:
        """The labels of a sample of the reference."""
        return self._history.kept_truths(self.scope.model.contract, sample)

    def classes(self, slots: Ints, sample: Predictions) -> Categories:
        """As `truths`, of a model of classes; `null` where a label is not known."""
        return self._history.classes(self.scope.model.contract, slots, sample, version=self.scope.version, **_role(self.scope))

    def classes_of_reference(self, sample: Predictions) -> Categories:
        """The labels of a sample of the reference of a model of classes."""
        return self._history.kept_classes(self.scope.model.contract, sample)

    def unseen(self, column: str, slots: Ints, most: int) -> list[tuple[str, int]]:
        """The most frequent values of a categorical column in slots that its reference does not have, and how many predictions have each."""
        together = self._asked_together(column)
        try:
            return self.once(("unseen", together, slots.tobytes(), most), lambda: self._unseen(together, slots, most))[column]
        except Retryable:  # perhaps because of another column, as of one with millions of values
            return self.once(("unseen", (column,), slots.tobytes(), most), lambda: self._unseen((column,), slots, most))[column]

    def _unseen(self, columns: tuple[str, ...], slots: Ints, most: int) -> dict[str, list[tuple[str, int]]]:
        return self._history.unseen(self.scope.model.contract, columns, slots, most, version=self.scope.version, **_role(self.scope))

    def _asked_together(self, column: str) -> tuple[str, ...]:
        """The columns of texts of the scope that one query reads together with this one: so many that the query stays short."""
        contract, scope = self.scope.model.contract, frozenset(self.scope.columns)
        texts = [one for one in contract.kept if one.kind is Kind.CATEGORICAL and (one.name in scope or one.name == column)]
        known = np.cumsum([len(one.categories) + len(one.others) for one in texts]) // _KNOWN
        at = next(index for index, one in enumerate(texts) if one.name == column)
        return tuple(one.name for one, portion in zip(texts, known.tolist(), strict=True) if portion == known[at])

    def outcomes(
        self, slots: Ints, *, columns: Sequence[str] = (), weights: bool = False, keys: bool = False, due: int | None = None
    ) -> Iterator[Outcomes]:
        """The labelled events of slots, in blocks, which are not kept; with these features and tags, the labels' weights, and the events' ids and requests (`keys`)."""
        contract, scope = self.scope.model.contract, self.scope
        more = _role(scope) | ({"keys": True} if keys else {}) | ({} if due is None else {"due": due})
        return self._history.outcomes(contract, slots, version=scope.version, **more, columns=columns, weights=weights)

    def outcomes_of_reference(self, *, columns: Sequence[str] = (), weights: bool = False) -> Iterator[Outcomes]:
        """The labelled rows of the reference that are kept, in blocks. Raises Retryable while they are not in the fact store."""
        if not self.scope.model.contract.is_reference:
            self.once(("reference is stored",), self.reference_rows)
        return self._history.kept_outcomes(self.scope.model.contract, columns=columns, weights=weights)


def _digest(*arrays: Ints) -> bytes:
    """A mark of arrays: a window may have thousands of slots."""
    return hashlib.blake2b(b"".join(one.tobytes() for one in arrays), digest_size=16).digest()


def _more(scope: Scope, extent: Extent) -> dict[str, Any]:
    """What only some reads of panes ask for."""
    bounds = {} if extent.bounds is None else {"bounds": extent.bounds}
    return bounds | _role(scope) | ({"segments": scope.only} if scope.only else {})


def _role(scope: Scope) -> dict[str, Any]:
    return {} if scope.role is None else {"role": scope.role}


def at_once(_reads: Reads, _extent: Extent, windows: Spans) -> list[slice]:
    """All windows at once: a `parts` for kinds of evidence of which a step's windows always fit into memory."""
    return [slice(0, len(windows))]


def no_fields(_column: str) -> PaneFields:
    """A `fields` for kinds of evidence that are not read from panes."""
    return PaneFields()


def no_reference() -> NoReturn:
    """For kinds of evidence that a reference does not have. The grammar refuses it as their baseline."""
    raise ConfigError("the reference does not say how events came", remedy="write `previous`, or `{prior: 7d}`")


def _together(names: Collection[str], shared: frozenset[str]) -> tuple[str, ...]:
    """The fields to query if `names` are needed: the shared ones, if these are among them."""
    return tuple(sorted(shared if shared.issuperset(names) else names))


def _concat(runs: Sequence[tuple[int, int]], ask: Callable[[tuple[int, int]], pa.Table]) -> pa.Table:
    return pa.concat_tables([ask(span) for span in runs])


def _joined(runs: Sequence[tuple[int, int]], slots: Ints) -> list[tuple[int, int]]:
    """The ranges, as one where few of the `slots` with panes are between them: a query costs more than these."""
    found = list(runs[:1])
    for low, high in runs[1:]:
        first, after = np.searchsorted(slots, (found[-1][1], low))
        if after - first <= _BETWEEN:
            found[-1] = (found[-1][0], high)
        else:
            found.append((low, high))
    return found


def _by_column(table: pa.Table) -> dict[str, pa.Table]:
    """The parts of a table by the value of `column`."""
    found = table["column"].cast(pa.string()).combine_chunks().dictionary_encode()
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    codes = found.indices.to_numpy(zero_copy_only=False)
    names = found.dictionary.to_pylist()
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(names)))]).tolist()
    if (np.diff(codes) < 0).any():  # several answers; in one of them the rows of a column are together
        table = table.take(pa.array(np.argsort(codes, kind="stable")))
    return {name: table.slice(low, high - low) for name, low, high in zip(names, bounds[:-1], bounds[1:], strict=True)} or {"": table}
