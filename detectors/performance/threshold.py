"""Another threshold: the score is judged in place of the prediction that was sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract, Task
from core.error import ConfigError
from detectors.documents import Documents, joined
from detectors.evidence import ConfusionMatrix
from detectors.ranked import Ranked
from detectors.spec import Places, Result, Spec


class Threshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Params of a measure of predictions: with `threshold` a row of a binary model is predicted positive if its score is that or more."""

    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


P = TypeVar("P", bound=Threshold)


def at_threshold(target: Ranked, threshold: float) -> tuple[ConfusionMatrix, Floats]:
    """The confusion table of the rows with a score, and the largest share of them that is on an unknown side of the threshold: in the score bin that it cuts. (...)."""
    (cells,) = target.cells
    shape, size = target.n.shape, target.n.size
    width = np.where(cells.exact, 1.0, cells.high - cells.low)
    part = np.where(cells.exact, cells.low >= threshold, np.clip((cells.high - threshold) / width, 0.0, 1.0))
    cut = ((part > 0) & (part < 1)) | (~cells.exact & (cells.high == 1) & (threshold == 1))  # the last bin holds its upper edge
    tp, fp, p, n = (
        cells.total(rows, size).reshape(shape) for rows in (cells.positive * part, cells.negative * part, cells.positive, cells.negative)
    )
    other = np.stack([n - fp, p - tp], axis=-1)  # rows that are not predicted positive, by label
    table = np.stack([other, np.stack([fp, tp], axis=-1)], axis=-2)
    right = np.stack([n - fp, tp], axis=-1)
    found = ConfusionMatrix(target.n, target.names, right, table.sum(-1), table.sum(-2), 1, known=target.names, cells=table)
    with np.errstate(invalid="ignore", divide="ignore"):
        return found, cells.total(np.where(cut, cells.positive + cells.negative, 0.0), size).reshape(shape) / target.n


def thresholded(spec: Spec[Any, P]) -> Spec[Any, P]:
    """The measure of confusion tables, which with a threshold is made from scores."""

    def compute(target: Any, _baseline: Any, params: P) -> Result:
        if params.threshold is None or not isinstance(target, Ranked):
            return spec.compute(target, None, params)
        table, bound = at_threshold(target, params.threshold)
        found = spec.compute(table, None, params)
        return replace(found, evidence=with_bound(found.evidence, bound))

    def settle(params: P, contract: Contract) -> P:
        if params.threshold is not None and (contract.task != Task.BINARY or not contract.scored):
            raise ConfigError("`params.threshold` is for a binary model with scores", remedy="leave it out")
        return spec.settle(params, contract)

    return replace(spec, compute=compute, settle=settle, of_scores=Ranked)


Evidence = Callable[[Places], Sequence[dict[str, Any]]]


def with_bound(evidence: Evidence | None, bound: Floats) -> Evidence:
    """Evidence that says which share of the rows may be on the other side."""

    def found(places: Places) -> Sequence[dict[str, Any]]:
        own = Documents(len(places[0]), bound=[one or None for one in bound[places].tolist()])
        return own if evidence is None else joined(evidence(places), own)

    return found
