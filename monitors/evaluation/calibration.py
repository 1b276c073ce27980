"""Calibrates a monitor: how much its statistics vary between windows of the reference, in which nothing moved.

The reference is cut into the monitor's own windows. Each is compared with the reference without itself and its neighbours. The result depends on the contract and
on the monitor's definition alone, so every process that makes it makes the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
import numpy as np

from core.block import Floats, Ints
from core.contract import Contract
from core.error import Retryable
from core.monitor import Monitor
from core.segment import ALL
from core.span import Spans
from detectors import catalogue
from detectors.dispersion import ENOUGH, Dispersion, dispersion
from monitors.evaluation.plan import chunks
from monitors.evaluation.watched import columns_of, fields, groupings_of, most, segments_of, unsuited
from monitors.evidence.extent import Extent
from monitors.evidence.history import History
from monitors.evidence.kind import KINDS
from monitors.evidence.reads import Reads, Scope
from monitors.model import Model
from monitors.ports import Panes
from monitors.reference.facts import UNTIMED
from monitors.reference.window import neighbourhood, windows_of


@dataclass(frozen=True)
class Calibration:
    """What the windows of the reference tell of a monitor's statistics: their `dispersion`, (columns, segments). `all` is among the segments."""

    columns: tuple[str, ...]
    segments: tuple[str, ...]
    dispersion: Dispersion

    def of(self, column: str, segments: tuple[str, ...]) -> Dispersion:
        """The dispersion of a column: (segments,). A segment with too few windows of its own has that of `all`."""
        own = [self._places.get(segment, self._places[ALL]) for segment in segments]
        found = Dispersion(*(field[self.columns.index(column)] for field in self.dispersion))
        enough = found.windows[own] >= ENOUGH
        return Dispersion(*(np.where(enough, field[own], field[self._places[ALL]]) for field in found))

    @property
    def windows(self) -> int:
        """How many windows of the reference were compared: those with enough rows of `all`, in the column that has most."""
        return int(self.dispersion.windows[:, self._places[ALL]].max())

    @property
    def provisional(self) -> bool:
        """Whether the reference has too few windows."""
        return self.windows < ENOUGH

    @cached_property
    def _places(self) -> dict[str, int]:
        return {segment: place for place, segment in enumerate(self.segments)}


def calibrate(monitor: Monitor, model: Model, panes: Panes, history: History) -> Calibration:
    """The calibration of a monitor of a `tested` measure. Raises Retryable while the rows of the reference are not in the fact store."""
    contract = model.contract
    columns, segments = columns_of(monitor, contract), segments_of(monitor, model, ())
    windows, whole = windows_of(monitor.window, _slots(model, panes), contract.pane)
    names = tuple(name for name in columns if name)
    kept = replace(model, contract=contract.of_reference)
    scope = Scope(kept, segments, groupings_of(monitor), names, None, fields(monitor, columns))
    statistics = []
    for chunk in chunks(windows.take(whole), most(scope)):
        around = neighbourhood(windows, windows.find(chunk))
        reads, extent = Reads(panes, history, scope), Extent.of(chunk.join(around))
        statistics.append(np.stack([_statistics(monitor, reads, extent, name, chunk, around) for name in columns], axis=1))
    shape = (len(columns), len(segments))
    found = dispersion(np.concatenate(statistics)) if statistics else Dispersion.none(shape)
    return Calibration(columns, segments, found)


def _statistics(monitor: Monitor, reads: Reads, extent: Extent, column: str, windows: Spans, around: Spans) -> Floats:
    """The statistic of each window against the reference without its neighbourhood, NaN where a side has too few rows: (windows, segments)."""
    spec = catalogue.spec(monitor.measure)
    if unsuited(spec.about, reads.scope.model.contract, column):
        return np.full((len(windows), len(reads.scope.segments)), np.nan)
    kind = KINDS[spec.evidence]
    target, near = kind.read(reads, extent, column, [[windows], [around]])
    rest = kind.reference(reads.scope, column).without(near)
    law = spec.compute(target, rest, msgspec.convert(monitor.params, spec.params)).law
    few = np.minimum(target.n, rest.n) < max(monitor.min_samples, 1)
    return np.where(few | (law is None), np.nan, np.nan if law is None else law.statistic)


def _slots(model: Model, panes: Panes) -> Ints:
    """The slots of the reference's rows that have a time."""
    if model.reference is None:
        return np.zeros(0, np.int64)
    slots, _ = panes.slots(model.contract.of_reference)
    if not len(slots) and not _from_before(model.contract):
        raise Retryable("the rows of the reference are not in the fact store; if this stays, give the same reference again")
    return np.asarray(slots[slots != UNTIMED])


def _from_before(contract: Contract) -> bool:
    """Whether a contract was made by a version that did not keep the rows of references as facts."""
    return any(column.numeric and column.spread is None for column in contract.features)
