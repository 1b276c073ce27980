"""Reads the evidence `Separation`: how well a classifier tells sampled raw rows of windows from those of their baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.block import Categories, Floats, Predictions
from core.contract import PREDICTION, Column, Contract
from core.draw import folds
from core.span import Spans
from detectors.drift.domain_classifier import separate
from detectors.sample import FOLDS, LEAST, Separated, Separation
from detectors.summary.bins import bins
from detectors.summary.inputs import values_of
from monitors.evidence import dense
from monitors.evidence.extent import Extent
from monitors.evidence.raw_rows import members
from monitors.evidence.reads import Reads, Scope, no_fields
from monitors.evidence.sampled import drawn, each_alone, kept, sample_size

fields, parts = no_fields, each_alone


def read(reads: Reads, extent: Extent, _column: str, sides: Sequence[Sequence[Spans]]) -> list[Separation]:
    """How well the rows of the first side, the target, are told from those of the second, or from the reference's; of the second side how many rows there are.

    Each part of a side is one span. Raises Retryable while the rows of the reference are not in the fact store.
    """
    contract, segments = reads.scope.model.contract, reads.scope.segments
    most = sample_size(contract)
    counted = [extent.pooled(dense.Rows(reads.predictions(extent), extent.cells, segments).total("n"), side) for side in sides]
    own, _, gone = drawn(reads, extent, sides[0], most)
    if len(sides) > 1:
        others, _, lost = drawn(reads, extent, sides[1], most)
    else:
        others, lost = kept(reads, most)
    held = [members(contract, block, segments) for block in (own, others)]
    size = [one.sum(0, keepdims=True).astype(np.float64) for one in held]
    found = [Separated.nothing(len(contract.features))] * len(segments)
    if own is not None and others is not None and not (gone or lost):
        x = np.column_stack([_encoded(column, own, others, contract) for column in contract.features])
        moved, fold = np.arange(len(x)) < len(own), folds(np.concatenate([own.id, others.id]), FOLDS)
        for place, member in enumerate(np.concatenate(held).T):
            if min(one[0, place] for one in size) >= LEAST:
                found[place] = reads.train(separate, x[member], moved[member], fold[member])
    target = Separation(
        n=counted[0],
        rows=size[0],
        baseline_rows=size[1],
        auc=np.array([[one.auc for one in found]]),
        importance=np.array([[one.importance for one in found]]),
        gone=np.array([[gone or lost]]),
        columns=tuple(column.name for column in contract.features),
    )
    return [target, *(Separation.counted(n) for n in counted[1:])]


def reference(scope: Scope, _column: str) -> Separation:
    """How many rows the reference has; none if there is no reference."""
    table, extent, side = dense.inputs(scope, PREDICTION)
    return Separation.counted(extent.pooled(dense.Rows(table, extent.cells, scope.segments).total("n"), side))


def _encoded(column: Column, own: Predictions, others: Predictions, contract: Contract) -> Floats:
    """The values of a feature on both sides, one after the other, in a form that trees split alike: numbers by their rank among all, invalid last; texts by their bin, null as NaN."""
    parts = [values_of(contract, block)[column.name] for block in (own, others)]
    numbers = [part for part in parts if not isinstance(part, Categories)]
    if numbers:
        values = np.concatenate(numbers)
        return np.where(np.isnan(values), np.nan, np.unique(values, return_inverse=True)[1])
    places = np.concatenate([bins(column, part) for part in parts])
    return np.where(places == column.null, np.nan, places)
