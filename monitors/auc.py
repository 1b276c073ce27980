"""ROC AUC over windows and segments: exactly from outcomes, or from score bins where a window holds very many."""

from __future__ import annotations

import numpy as np
from detectors.roc_auc import roc_auc

from core.block import Categories, Floats, Ints, Outcomes
from core.contract import Contract, Task
from core.monitor import Monitor
from core.segment import Segments
from monitors.seam import Contracts, Panes, Raw


class Auc:
    """Computes AUC by window and segment."""

    def __init__(self, raw: Raw, panes: Panes, contracts: Contracts) -> None:
        self._raw, self._panes, self._contracts = raw, panes, contracts

    def __call__(self, monitor: Monitor, contract: Contract, starts: Ints, segments: tuple[str, ...]) -> tuple[Floats, Ints]:
        """The AUC, and how many labelled rows with a score it was taken from, both (starts, segments)."""
        shape = (len(starts), len(segments))
        slots = np.concatenate([np.arange(start, start + monitor.window, contract.pane) for start in starts])
        keys, truth, scores = [], [], []
        space = Segments(contract)
        for version in self._raw.contracts(contract.model, slots, contract.pane):
            source = contract if version == contract.version else self._contracts(contract.model, version)
            if source is None:
                continue
            block = self._raw.outcomes(source, list(space.dimensions), slots, contract.pane, version=monitor.version)
            if len(block):
                key, score = _grouped(block, space, starts, monitor.window, segments), _scores(contract, block)
                keys.append(key)
                truth.append(np.tile(_truth(contract, block), (len(key), 1, 1)))
                scores.append(np.tile(score, (len(key), 1, 1)))
        if not keys:
            return np.full(shape, np.nan), np.zeros(shape, np.int64)
        return _mean(
            np.concatenate([k.ravel() for k in keys]),
            np.concatenate([t.reshape(-1, t.shape[-1]) for t in truth]),
            np.concatenate([s.reshape(-1, s.shape[-1]) for s in scores]),
            shape,
        )


def _grouped(block: Outcomes, space: Segments, starts: Ints, length: int, segments: tuple[str, ...]) -> Ints:
    """For each grouping and row the place of its (window, segment), -1 where that is not asked for: (groupings, rows)."""
    place = {segment: code for code, segment in enumerate(segments)}
    start = block.ts // length * length
    w = np.minimum(np.searchsorted(starts, start), len(starts) - 1)
    w = np.where(starts[w] == start, w, -1)
    rows = []
    for numbers in space.assign(len(block), block.dimensions):
        distinct, codes = np.unique(numbers, return_inverse=True)
        s = np.array([place.get(space.name(int(number)), -1) for number in distinct], np.int64)[codes]
        rows.append(np.where((w >= 0) & (s >= 0), w * len(segments) + s, -1))
    return np.stack(rows)


def _truth(contract: Contract, block: Outcomes) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Whether each row belongs to each class that AUC is taken of: (rows, classes)."""
    if not isinstance(block.label, Categories):
        raise TypeError("AUC is taken of classes")
    classes = (contract.positive,) if contract.task == Task.BINARY else contract.classes
    member = np.array([[text == name for name in classes] for text in block.label.texts], np.bool_).reshape(-1, len(classes))
    return member[block.label.codes]


def _scores(contract: Contract, block: Outcomes) -> Floats:
    """Each row's score for each class: (rows, classes)."""
    if contract.task == Task.BINARY:
        return block.score[:, None]
    return block.probabilities if block.probabilities is not None else np.full((len(block), len(contract.classes)), np.nan)


def _mean(key: Ints, truth: np.ndarray[tuple[int, int], np.dtype[np.bool_]], scores: Floats, shape: tuple[int, int]) -> tuple[Floats, Ints]:
    """The plain mean over the classes that have both sides."""
    scored = ~np.isnan(scores).any(axis=1) & (key >= 0)
    cells = shape[0] * shape[1]
    n = np.bincount(key[scored], minlength=cells)
    each = np.stack([roc_auc(key[scored], cells, truth[scored, place], scores[scored, place]) for place in range(truth.shape[1])])
    have = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        mean = np.where(have.any(axis=0), np.nansum(each, axis=0) / have.sum(axis=0), np.nan)
    return mean.reshape(shape), n.reshape(shape).astype(np.int64)
