"""Predictions by score: for each judged class, how many predictions name it and how many do not, by the bin of their score for it.

A prediction falls into one term of each class. So panes hold what is needed to estimate performance before labels come (`detectors.performance.cbpe`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Ints, Predictions
from core.contract import Contract
from detectors.summary.lookup import place
from detectors.summary.panes import PaneRows
from detectors.summary.score import edges_of, judged, members, scores
from detectors.summary.tally import Tally, joined

UNKNOWN = "panes hold no scores by bin: the model sends no scores, or for too many classes"
_MOST = 1 << 16  # terms are 16-bit numbers


def begins(contract: Contract) -> Ints:
    """Where the terms of each judged class begin, and the number of all terms: (classes + 1,).

    With B score bins, the first B terms of a class count predictions of other classes, the next B those of the class, and the last one rows without a score for it.
    """
    return np.cumsum([0, *(2 * (len(edges) + 1) + 1 for edges in edges_of(contract))])


def kept(contract: Contract) -> bool:
    """Whether panes hold predictions by score: the model sends scores, for not too many classes."""
    return contract.scored and bool(judged(contract)) and int(begins(contract)[-1]) <= _MOST


def tally(panes: PaneRows, contract: Contract, prediction: Categories, block: Predictions) -> Tally:
    """Counts by pane and term; `prediction` (n,) are the classes that the predictions of the block mean."""
    held, said = scores(contract, block), members(contract, prediction)
    parts = []
    for k, (begin, edges) in enumerate(zip(begins(contract)[:-1], edges_of(contract), strict=True)):
        found = panes.tally(
            _terms(held[:, k], said[:, k], edges), 2 * (len(edges) + 1) + 1
        )  # by its own width, which is narrow enough for a table
        parts.append(replace(found, bin=found.bin + begin))
    return joined(parts, len(panes))


def _terms(score: Floats, said: npt.NDArray[np.bool_], edges: tuple[float, ...]) -> Ints:
    """The term of each row among those of a class."""
    bins = len(edges) + 1
    return np.where(np.isnan(score), 2 * bins, place(edges, score) + bins * said)
