"""Reads the rows of a window and of its baseline, of which causes are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.block import Categories, Floats, Ints, Outcomes, Predictions
from core.contract import Contract, Kind, Task
from core.span import Spans
from core.text import NULL
from detectors.cause.rows import Axis, Flags
from detectors.summary.inputs import values_of
from monitors.evidence.reads import Reads

MOST = 60_000  # rows of a side
_VALUES = 6_000_000  # of all columns of a side: of a model with more than 100 fewer rows are drawn


@dataclass(frozen=True)
class Side:
    """The rows of a side, drawn where they are more than `most`; their labels, `null` or NaN where they are not known."""

    contract: Contract
    block: Predictions
    label: Categories | Floats

    def __len__(self) -> int:
        return len(self.block)

    @cached_property
    def labelled(self) -> Ints:
        """The places of the rows with a label (labelled,)."""
        if isinstance(self.label, Categories):
            known = np.array([text != NULL for text in self.label.texts], np.bool_)
            return np.flatnonzero(known[self.label.codes]) if len(known) else np.zeros(0, np.int64)
        return np.flatnonzero(~np.isnan(self.label))

    @cached_property
    def outcomes(self) -> Outcomes:
        """The labelled rows."""
        at, block = self.labelled, self.block.take(self.labelled)
        label = self.label.take(at) if isinstance(self.label, Categories) else self.label[at]
        return Outcomes(block.ts, block.version, block.role, {}, block.prediction, label, block.score, block.probabilities)

    def spread(self, values: Floats) -> Floats:
        """Values of the labelled rows as values of all rows (n,), NaN without a label."""
        found = np.full(len(self), np.nan)
        found[self.labelled] = values
        return found

    def codes(self, every: Sequence[Axis]) -> Ints:
        """The code of each row on each axis (axes, n)."""
        held = values_of(self.contract, self.block)
        return np.stack([axis.codes(self.contract, held[axis.name]) for axis in every]) if every else np.zeros((0, len(self)), np.int64)

    def take(self, where: Flags) -> Side:
        """The rows of a mask."""
        at = np.flatnonzero(where)
        label = self.label.take(at) if isinstance(self.label, Categories) else self.label[at]
        return Side(self.contract, self.block.take(at), label)


def most(contract: Contract) -> int:
    """How many rows of a side are read at most."""
    vectors = 0 if _only(contract) is not None else sum(column.embedding.size for column in contract.columns if column.embedding)
    return min(MOST, _VALUES // max(1, len(contract.kept) + vectors))


def of_spans(reads: Reads, side: Sequence[Spans], *, labels: bool) -> Side | None:
    """The rows of spans that are pooled; None if there are none. Without `labels` none are read."""
    contract, slots = reads.scope.model.contract, reads.slots_of(side)
    if (block := reads.sample(slots, most(contract), _only(contract))) is None:
        return None
    if not labels:
        return Side(contract, block, _unknown(contract, len(block)))
    return Side(contract, block, reads.truths(slots, block) if contract.task is Task.REGRESSION else reads.classes(slots, block))


def of_reference(reads: Reads, *, labels: bool) -> Side | None:
    """The rows of the reference that are kept; None if there are none. Raises Retryable while they are not in the fact store."""
    contract = reads.scope.model.contract
    reads.reference_stored()
    if (block := reads.sample_of_reference(most(contract), _only(contract))) is None:
        return None
    if not labels:
        return Side(contract, block, _unknown(contract, len(block)))
    return Side(
        contract, block, reads.truths_of_reference(block) if contract.task is Task.REGRESSION else reads.classes_of_reference(block)
    )


def _only(contract: Contract) -> tuple[str, ...] | None:
    """The columns that are read; None, all that an event holds, for probabilities."""
    if contract.task is Task.MULTICLASS and contract.scored:
        return None
    return tuple(column.name for column in contract.kept if column.kind in (Kind.NUMERIC, Kind.CATEGORICAL))


def _unknown(contract: Contract, rows: int) -> Categories | Floats:
    return np.full(rows, np.nan) if contract.task is Task.REGRESSION else Categories(np.zeros(rows, np.int32), [NULL])
