"""Hellinger distance."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from core.block import Floats
from detectors.drift.comparison import about, comparison, distance_spec, divergence, evidence, in_use, shares
from detectors.evidence import Counts
from detectors.spec import Result


def hellinger(target: Floats, baseline: Floats) -> Floats:
    """sqrt(sum (sqrt(p) - sqrt(q))^2 / 2) of the shares p and q of all bins as they are, in [0, 1].

    target, baseline: counts (..., bins), whose leading dimensions broadcast. Returns (...), NaN where a side is empty. Source: Hellinger 1909.
    """
    return np.asarray(np.sqrt(np.minimum(_terms(target, baseline).sum(-1) / 2, 1.0)))


def _terms(target: Floats, baseline: Floats) -> Floats:
    p, q = shares(target, baseline)
    return np.asarray((np.sqrt(p) - np.sqrt(q)) ** 2)


def _distance(target: Counts, baseline: Counts) -> Result:
    """8 H^2 / h is chi-square with a degree of freedom less than there are bins in use; see `_per_row` for h."""
    value = hellinger(target.counts, baseline.counts)
    found = divergence(
        value,
        8 * value**2,
        lambda scaled: np.minimum(np.sqrt(scaled / 8), 1.0),
        _per_row(target, baseline),
        in_use(target.counts, baseline.counts) - 1,
    )
    return replace(found, evidence=evidence(target, baseline, _terms))


def _per_row(target: Counts, baseline: Counts) -> Floats:
    """The h of the law, 1/n + 1/m, but larger where bins hold few rows, whose square roots vary more: the mean over bins in use of g(n p)/n + g(m p)/m, p the share of both sides together.

    g is 1 for many rows, 1.06 for 9, 1.8 for 1 (decision 71).
    """
    n, m = target.n[..., None], baseline.n[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = (target.counts + baseline.counts) / (n + m)
        own, other = (np.interp(rows * p, *_spreads(), right=1.0) / rows for rows in (n, m))
        return np.asarray((own + other).sum(-1) / in_use(target.counts, baseline.counts))


@lru_cache(1)
def _spreads() -> tuple[Floats, Floats]:
    """Numbers of rows x that a bin is expected to have, and g(x) = 4 E(sqrt(X) - sqrt(x))^2 of a Poisson count X with that mean, 1 to within 0.001 beyond the last."""
    root, counts = np.arange(401) / 20, np.arange(1_000)
    chance = np.exp(counts * np.log(root[1:, None] ** 2) - root[1:, None] ** 2 - gammaln(counts + 1))
    spread = 4 * (chance * (np.sqrt(counts) - root[1:, None]) ** 2).sum(-1)
    return root**2, np.concatenate([[0.0], spread])


SPEC = distance_spec(
    about("hellinger", "Hellinger distance", "sqrt(sum (sqrt(p) - sqrt(q))^2 / 2) over all bins", "Hellinger"), comparison(_distance)
)
