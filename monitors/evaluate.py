"""Evaluates a monitor over many windows at once: panes to dense blocks, blocks to readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from core.block import Floats, Ints
from core.contract import LABEL, Column, Contract
from core.measure import Family, Measure, measure
from core.monitor import Monitor
from core.segment import grouping_of
from detectors import catalogue
from detectors.groups import groups
from monitors import dense
from monitors.auc import Auc
from monitors.frame import NONE, Frame
from monitors.reference import Reference
from monitors.seam import Contracts, Panes, Raw
from monitors.verdict import judge

_NO_SCORE = "no labelled prediction has a score"
_CELLS = 2_000_000  # of a dense block, of which there is one a thread


@dataclass(frozen=True)
class Model:
    """What evaluation knows of a model: its contract and its reference (None for a declared contract)."""

    contract: Contract
    reference: Reference | None


class Evaluate:
    """Computes readings; it reads panes and outcomes, and writes nothing."""

    def __init__(self, panes: Panes, raw: Raw, contracts: Contracts) -> None:
        self._panes = panes
        self._auc = Auc(raw, panes, contracts)

    def __call__(self, monitor: Monitor, model: Model, windows: Ints, segments: Sequence[str]) -> Frame:
        """The readings of these windows (ascending starts) for all columns and these segments."""
        what = measure(monitor.measure)
        columns = columns_of(monitor, model.contract)
        names = tuple(segments)
        if what.columns:
            parts = [self._column(monitor, model, model.contract.column(name), windows, names) for name in columns]
            value, base, n, n_base = (np.stack(arrays, axis=1) for arrays in zip(*parts, strict=True))
            rows = n
        else:
            value, base, n, n_base, rows = (array[:, None, :] for array in self._model(monitor, what, model, windows, names))
        verdict, reason = judge(monitor, what, value, base, n, n_base, catalogue.REASONS[monitor.measure])
        reason[(n == 0) & (rows > 0)] = _NO_SCORE
        return Frame(monitor, model.contract.version, windows, columns, names, value, base, n, n_base, verdict, reason)

    def most(self, monitor: Monitor, model: Model, segments: int) -> int:
        """How many windows to evaluate at a time."""
        bins = max((column.bins for column in model.contract.watched), default=1)
        return max(1, _CELLS // max(1, bins * segments))

    def _column(
        self, monitor: Monitor, model: Model, column: Column, windows: Ints, segments: tuple[str, ...]
    ) -> tuple[Floats, Floats, Ints, Ints]:
        """value, baseline_value, n_target, n_baseline of one column, each (windows, segments)."""
        starts = _with_previous(monitor, windows)
        counts = self._counts(monitor, model.contract, column, starts, segments)
        target = counts[np.searchsorted(starts, windows)]
        baseline = None
        if monitor.baseline == "previous":
            baseline = counts[np.searchsorted(starts, windows - monitor.window)]
        elif monitor.baseline == "reference":
            baseline = _reference_counts(model, column, segments)[None]
        binning = catalogue.Binning(column, groups(column, _whole(model, column)))
        compute = catalogue.COLUMN[monitor.measure]
        shape = target.shape[:-1]
        value = np.broadcast_to(compute(target, baseline, binning), shape)
        n = target.sum(-1).astype(np.int64)
        if baseline is None:
            return value, np.full(shape, np.nan), n, np.full(shape, NONE)
        base = (
            np.full(shape, np.nan)
            if measure(monitor.measure).family == Family.DRIFT
            else compute(np.broadcast_to(baseline, target.shape), None, binning)
        )
        return value, base, n, np.broadcast_to(baseline.sum(-1).astype(np.int64), shape)

    def _counts(self, monitor: Monitor, contract: Contract, column: Column, starts: Ints, segments: tuple[str, ...]) -> Floats:
        """Counts by bin, (starts, segments, bins)."""
        span = (int(starts[0]), int(starts[-1]) + monitor.window)
        if column.name == LABEL:
            held = ("label_bin", "label_count")
            table = self._panes.performance(contract, held, groupings_of(monitor), monitor.window, span, monitor.version)
            return dense.Rows(table, starts, segments).counts(*held, column.bins)
        table = self._panes.counts(contract, [column.name], groupings_of(monitor), monitor.window, span, monitor.version)
        return dense.Rows(table, starts, segments).counts("bin", "count", column.bins)

    def _model(
        self, monitor: Monitor, what: Measure, model: Model, windows: Ints, segments: tuple[str, ...]
    ) -> tuple[Floats, Floats, Ints, Ints, Ints]:
        """value, baseline_value, n_target, n_baseline of the whole model, and the number of labelled rows; each (windows, segments)."""
        starts = _with_previous(monitor, windows)
        if what.name == "performance.roc_auc":
            values, counts, rows = self._auc(monitor, model.contract, groupings_of(monitor), starts, segments)
            reference = None if model.reference is None else model.reference.auc
            kept = [(np.nan, 0) if reference is None else reference.get(segment, (np.nan, 0)) for segment in segments]
            reference_value, reference_n = np.array([v for v, _ in kept]), np.array([n for _, n in kept], np.int64)
        else:
            span = (int(starts[0]), int(starts[-1]) + monitor.window)
            wanted = dense.needed(model.contract)
            table = self._panes.performance(model.contract, wanted, groupings_of(monitor), monitor.window, span, monitor.version)
            blocks = dense.in_parts(model.contract, table, starts, segments, _CELLS)
            found = [(catalogue.MODEL[what.name](block), block.n.astype(np.int64)) for block in blocks]
            values, counts = (np.concatenate(parts) for parts in zip(*found, strict=True))
            rows = counts
            reference_value, reference_n = np.full(len(segments), np.nan), np.zeros(len(segments), np.int64)
            if model.reference is not None and monitor.baseline == "reference":
                held = model.reference.performance.to_columns()
                held = held.set_column(held.schema.get_field_index("slot"), "start", held["slot"].cast(pa.int64()))
                block = dense.performance(model.contract, held, np.zeros(1, np.int64), segments)
                reference_value, reference_n = catalogue.MODEL[what.name](block)[0], block.n[0].astype(np.int64)
        at = np.searchsorted(starts, windows)
        shape = (len(windows), len(segments))
        if monitor.baseline == "previous":
            before = np.searchsorted(starts, windows - monitor.window)
            return values[at], values[before], counts[at], counts[before], rows[at]
        if monitor.baseline == "reference":
            return values[at], np.broadcast_to(reference_value, shape), counts[at], np.broadcast_to(reference_n, shape), rows[at]
        return values[at], np.full(shape, np.nan), counts[at], np.full(shape, NONE), rows[at]


def columns_of(monitor: Monitor, contract: Contract) -> tuple[str, ...]:
    """The columns that a monitor watches, as far as the contract has them; ("",) for a measure of the whole model."""
    if not measure(monitor.measure).columns:
        return ("",)
    there = {column.name for column in (*contract.features, *contract.outputs)}
    return tuple(name for name in monitor.columns if name in there) or tuple(column.name for column in contract.features)


def missing(monitor: Monitor, contract: Contract) -> list[str]:
    """The columns that a monitor names and the contract has not, as after a new reference."""
    there = {column.name for column in (*contract.features, *contract.outputs)}
    return [name for name in monitor.columns if name not in there]


def groupings_of(monitor: Monitor) -> list[str]:
    """The groupings of a monitor as panes name them: "" is `all`."""
    return list(dict.fromkeys("" if name == "all" else name for name in ("all", *monitor.segments)))


def segments_of(monitor: Monitor, model: Model, found: Sequence[str]) -> list[str]:
    """The segments of a monitor: of its groupings, all values that are in the reference or in raw."""
    wanted = set(groupings_of(monitor))
    every = {"all", *found, *(model.reference.segments if model.reference else ())}
    return sorted(segment for segment in every if "*".join(grouping_of(segment)) in wanted)


def _with_previous(monitor: Monitor, windows: Ints) -> Ints:
    """The windows, and where they are the baseline the windows before them."""
    return np.union1d(windows, windows - monitor.window) if monitor.baseline == "previous" else windows


def _reference_counts(model: Model, column: Column, segments: tuple[str, ...]) -> Floats:
    """Counts by bin of the reference, (segments, bins)."""
    held = model.reference.counts(column.name) if model.reference else {}
    nothing = np.zeros(column.bins)
    return np.array([held.get(segment, nothing) for segment in segments], np.float64)


def _whole(model: Model, column: Column) -> Floats:
    """Counts by bin of the whole reference."""
    counts: Floats = _reference_counts(model, column, ("all",))[0]
    return counts
