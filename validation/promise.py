"""Promised coverage on made streams: how often `uncertainty.adaptive_coverage` alarms where the promise is kept, and how soon where it breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from core.block import Floats
from detectors import catalogue
from detectors.certainty import Coverages
from detectors.uncertainty.adaptive import AdaptiveParams
from validation.stream import Generator

PROMISE, BROKEN, ALPHA = 0.9, 0.8, 0.05
ROWS = 100  # labels a window
_CHUNK = 500  # streams at a time


class Kept(NamedTuple):
    """Streams of one kind: how many there were, how many alarmed though the promise was kept, and after how many windows of a break each alarmed, infinite if not within as many as a break may be old."""

    name: str
    streams: int
    alarmed: int
    delays: tuple[float, ...]

    @property
    def p(self) -> float:
        """The chance of so many false alarms or more, if each stream has one with the chance that is promised: exact, binomial."""
        return float(stats.binomtest(self.alarmed, self.streams, ALPHA, alternative="greater").pvalue)


def kinds() -> Iterator[tuple[str, float, float, AdaptiveParams]]:
    """Streams by name: the coverage to expect while the promise is kept, how much windows differ (standard deviation), and how it is judged."""
    apart, together = AdaptiveParams(promise=PROMISE), AdaptiveParams(promise=PROMISE, together=1)
    yield "independent rows, `together: 1`", PROMISE, 0.0, together
    yield "independent rows at the edge of the tolerance, `together: 1`", PROMISE - together.tolerance, 0.0, together
    yield "independent rows", PROMISE, 0.0, apart
    yield "windows that differ by 0.03", PROMISE, 0.03, apart
    yield "windows that differ by 0.03, at the edge of the tolerance", PROMISE - apart.tolerance, 0.03, apart


def measured(rng: Generator, streams: int) -> list[Kept]:
    """Every kind, with so many streams; each is looked at after each of N windows that follow N - 1 others, and breaks after these."""
    found = []
    for name, share, spread, params in kinds():
        alarmed, delays = 0, list[float]()
        for begin in range(0, streams, _CHUNK):
            many = min(_CHUNK, streams - begin)
            before = _held(rng, share, spread, (params.windows - 1, many))
            alarmed += int(np.isfinite(_first(np.concatenate([before, _held(rng, share, spread, (params.windows, many))]), params)).sum())
            delays += _first(np.concatenate([before, _held(rng, BROKEN, spread, (params.windows, many))]), params).tolist()
        found.append(Kept(name, streams, alarmed, tuple(delays)))
    return found


def _held(rng: Generator, share: float, spread: float, shape: tuple[int, int]) -> Floats:
    """How many of a window's labels are held: (windows, streams)."""
    if spread:
        size = share * (1 - share) / spread**2 - 1  # of the beta law with this spread
        chance = rng.beta(share * size, (1 - share) * size, shape)
    else:
        chance = np.full(shape, share)
    return rng.binomial(ROWS, chance).astype(np.float64)


def _first(held: Floats, params: AdaptiveParams) -> Floats:
    """After how many windows each stream alarms first, of the last N: (streams,), infinite if not."""
    n, rows = params.windows, np.full(held[params.windows - 1 :].shape, float(ROWS))
    sides = [Coverages(rows, held[n - 1 - back : len(held) - back], rows) for back in range(n)]
    value = catalogue.spec("uncertainty.adaptive_coverage").compute(replace(sides[0], earlier=tuple(sides[1:])), None, params).value
    alarm = value >= 1 / ALPHA
    return np.where(alarm.any(0), alarm.argmax(0) + 1.0, np.inf)
