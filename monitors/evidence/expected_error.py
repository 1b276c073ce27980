"""Reads the evidence `ExpectedErrors`: what trees that have learned from the reference expect of sampled raw rows, and the labels of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from core.block import Categories, Floats, Predictions
from core.contract import PREDICTION, Contract
from core.draw import folds
from core.span import Flags, Spans
from detectors.expected_error import LEAST_KNOWN, ExpectedErrors, RowErrors, sums_of
from detectors.performance import dle
from detectors.sample import FOLDS
from detectors.summary.bins import bins
from detectors.summary.inputs import values_of
from detectors.summary.signal import outside
from monitors.evidence import dense, losses
from monitors.evidence.extent import Extent
from monitors.evidence.predicted import by_chance
from monitors.evidence.raw_rows import members
from monitors.evidence.reads import PaneFields, Reads, Scope, no_fields
from monitors.evidence.sampled import drawn, each_alone, kept, places_among, sample_size

_TIMES = 3  # as many rows of the reference as of a window: they are learned from once


class _Reference(NamedTuple):
    """What trees learn from, and the numbers that the reference has in each column, ascending."""

    rows: dle.Known
    numbers: dict[str, Floats]


@dataclass(frozen=True)
class OfErrors:
    """Reads `made`, of a loss: "absolute" or "square"."""

    made: type[ExpectedErrors]
    loss: str

    def fields(self, column: str) -> PaneFields:
        """None: rows are counted beside."""
        return no_fields(column)

    def parts(self, reads: Reads, extent: Extent, windows: Spans) -> list[slice]:
        """Each window alone."""
        return each_alone(reads, extent, windows)

    def read(self, reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[ExpectedErrors]:
        """What is expected of the rows of each side, whose parts are pooled; each part is one span. Raises Retryable while the rows of the reference are not in the fact store."""
        reads.reference_stored()
        known = reads.of_reference(("known errors", self.loss), lambda: self._known(reads))
        return [self._of(reads, extent, side, known) for side in sides]

    def reference(self, scope: Scope, column: str) -> ExpectedErrors:
        """The errors of the reference itself, from its labels; no rows if there is no reference."""
        held = losses.reference(scope, column).of[self.loss]
        with np.errstate(invalid="ignore"):
            mean = held.total / held.count
        every = RowErrors(held.count, np.repeat(mean[..., None], FOLDS, axis=-1), mean, mean**2)
        return self.made(held.count, every, every, mean, 0.0, {}, LEAST_KNOWN, np.zeros(mean.shape, np.bool_))

    def _known(self, reads: Reads) -> _Reference | None:
        """The rows of the reference with an error, of those that are kept; None if there are too few."""
        contract = reads.scope.model.contract
        block, _ = kept(reads, sample_size(contract, _TIMES))
        if block is None:
            return None
        error = self._errors(block, reads.truths_of_reference(block))
        there = np.flatnonzero(np.isfinite(error))
        if len(there) < LEAST_KNOWN:
            return None
        block = block.take(there)
        numbers = {
            name: np.unique(values[~np.isnan(values)])
            for name, values in values_of(contract, block).items()
            if not isinstance(values, Categories)
        }
        return _Reference(dle.known(_encoded(contract, block, numbers), error[there], folds(block.id, FOLDS)), numbers)

    def _of(self, reads: Reads, extent: Extent, side: Sequence[Spans], known: _Reference | None) -> ExpectedErrors:
        contract, segments = reads.scope.model.contract, reads.scope.segments
        n = extent.pooled(dense.Rows(reads.predictions(extent), extent.cells, segments).total("n"), side)
        nothing, none = RowErrors.nothing(n.shape), np.full(n.shape, np.nan)
        learned, gone = 0 if known is None else len(known.rows.error), np.zeros(n.shape, np.bool_)
        if known is None:
            return self.made(n, nothing, nothing, none, 0.0, {}, learned, gone)
        block, slots, lost = drawn(reads, extent, side, sample_size(contract))
        if block is None or lost:
            return self.made(n, nothing, nothing, none, 0.0, {}, learned, gone | lost)
        found = reads.train(dle.expected, known.rows, _encoded(contract, block, known.numbers))
        error, inside = self._errors(block, reads.truths(slots, block)), members(contract, block, segments)
        there = np.isfinite(error)
        labelled = RowErrors.of(found.each[:, there], inside[there])
        with np.errstate(invalid="ignore", over="ignore"):
            realised = sums_of(error[None, there], inside[there]) / labelled.rows
        sampled, beyond, exact = RowErrors.of(found.each, inside), _outside(reads.scope, block, inside), not known.rows.error.any()
        return self.made(n, sampled, labelled, realised, found.relative, beyond, learned, gone, exact=exact)

    def _errors(self, block: Predictions, label: Floats) -> Floats:
        """The loss of each row, NaN where it has no label: (rows,)."""
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.asarray(block.prediction, np.float64) - label
            return np.abs(apart) if self.loss == "absolute" else apart**2


def _encoded(contract: Contract, block: Predictions, numbers: dict[str, Floats]) -> Floats:
    """The features and the prediction of each row as trees take them (rows, features + 1): numbers by their place among those of the reference, invalid last; texts by their bin, null as NaN."""
    held, columns = values_of(contract, block), list[Floats]()
    for column in (*contract.features, contract.column(PREDICTION)):
        values = held[column.name]
        if isinstance(values, Categories):
            place = bins(column, values)
            columns.append(np.where(place == column.null, np.nan, place))
        else:
            columns.append(places_among(values, numbers[column.name]))
    return np.column_stack(columns)


def _outside(scope: Scope, block: Predictions, inside: Flags) -> dict[str, tuple[Floats, float]]:
    """The rows of the sample with a feature, and with a prediction, where the reference has none: (1, segments) each, and the share of them by chance."""
    contract, held = scope.model.contract, values_of(scope.model.contract, block)
    columns = {"features": contract.features, "predictions": (contract.column(PREDICTION),)}
    found = dict[str, tuple[Floats, float]]()
    for name, some in columns.items():
        beyond = np.asarray(outside(some, held, len(block)) > 0, np.float64)
        found[name] = sums_of(beyond[None], inside), by_chance(scope, len(some))
    return found
