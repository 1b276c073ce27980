"""ROC AUC over windows and segments: exactly from outcomes, or from score bins where a window holds very many."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.block import Categories, Floats, Ints, Outcomes
from core.contract import Contract
from core.monitor import Monitor
from core.segment import ALL, Segments
from detectors.roc_auc import mean_roc_auc, roc_auc_binned
from detectors.summary.score import edges_of, judged, members, scores
from monitors import dense
from monitors.history import History
from monitors.seam import Contracts, Panes, Raw

MOST = 200_000  # labelled rows of a window that are sorted


class Auc:
    """Computes AUC by window and segment, of how many labelled rows with a score, and how many are labelled: each (starts, segments)."""

    def __init__(self, raw: Raw, panes: Panes, contracts: Contracts, most: int = MOST) -> None:
        self._history, self._panes, self._most = History(raw, contracts), panes, most

    def __call__(
        self, monitor: Monitor, contract: Contract, groupings: list[str], starts: Ints, segments: tuple[str, ...]
    ) -> tuple[Floats, Ints, Ints]:
        """The AUC of these windows; NaN where no class has both sides."""
        span = (int(starts[0]), int(starts[-1]) + monitor.window)
        table = self._panes.performance(contract, ("n",), groupings, monitor.window, span, monitor.version)
        labelled = dense.Rows(table, starts, (ALL,)).total("n")[:, 0]
        each = dense.Rows(table, starts, segments).total("n").astype(np.int64)
        value = np.full((len(starts), len(segments)), np.nan)
        n = np.zeros(value.shape, np.int64)
        few = (labelled > 0) & (labelled <= self._most)
        for chunk in np.split(np.flatnonzero(few), np.flatnonzero(np.diff(np.cumsum(labelled[few]) // self._most)) + 1):
            if len(chunk):
                value[chunk], n[chunk] = self._exact(monitor, contract, starts[chunk], segments)
        many = labelled > self._most
        if many.any():
            table = self._panes.performance(contract, dense.SCORES, groupings, monitor.window, span, monitor.version)
            value[many], n[many] = _binned(contract, table, starts[many], segments)
        return value, n, each

    def _exact(self, monitor: Monitor, contract: Contract, starts: Ints, segments: tuple[str, ...]) -> tuple[Floats, Ints]:
        shape, space = (len(starts), len(segments)), Segments(contract)
        slots = np.arange(
            starts[0], starts[-1] + monitor.window, contract.pane
        )  # windows between that are not asked for are left out below
        keys, positive, score = [], [], []
        for block in self._history.outcomes(contract, slots, version=monitor.version):
            if not isinstance(block.label, Categories):
                continue
            for key in _places(block, space, starts, monitor.window, segments):
                wanted = key >= 0
                keys.append(key[wanted])
                positive.append(members(contract, block.label)[wanted])
                score.append(scores(contract, block)[wanted])
        if not keys:
            return np.full(shape, np.nan), np.zeros(shape, np.int64)
        value, n = mean_roc_auc(np.concatenate(keys), shape[0] * shape[1], np.concatenate(positive), np.concatenate(score))
        return value.reshape(shape), n.reshape(shape)


def _places(block: Outcomes, space: Segments, starts: Ints, length: int, segments: tuple[str, ...]) -> list[Ints]:
    """For each grouping the place of each row's (window, segment), -1 where that is not asked for."""
    code = {segment: place for place, segment in enumerate(segments)}
    start = block.ts // length * length
    window = np.minimum(np.searchsorted(starts, start), len(starts) - 1)
    held = starts[window] == start
    places = []
    for numbers in space.assign(len(block), block.dimensions):
        distinct, codes = np.unique(numbers, return_inverse=True)
        segment = np.array([code.get(space.name(int(number)), -1) for number in distinct], np.int64)[codes]
        places.append(np.where(held & (segment >= 0), window * len(segments) + segment, -1))
    return places


def _binned(contract: Contract, table: pa.Table, starts: Ints, segments: tuple[str, ...]) -> tuple[Floats, Ints]:
    """From score bins: the plain mean over the classes that have both sides."""
    values, n = [], dense.Rows(table, starts, segments).total("scored").astype(np.int64)
    for name, edges in zip(judged(contract), edges_of(contract), strict=True):
        held = dense.scores(table, starts, segments, name, len(edges) + 1)
        values.append(roc_auc_binned(held["positive"], held["negative"], held["positive_sum"], held["negative_sum"], np.array(edges))[0])
        # Panes from before `scored` was there have rows that every class has a score of.
        n = np.maximum(n, (held["positive"] + held["negative"]).sum(-1).astype(np.int64))
    each = np.stack(values)
    have = ~np.isnan(each)
    with np.errstate(invalid="ignore"):
        return np.where(have, each, 0.0).sum(axis=0) / have.sum(axis=0), n
