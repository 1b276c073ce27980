"""Population stability index, in natural logs, and its one-sided part: the Kullback-Leibler divergence of the same groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from detectors.contribution import documents, group_names
from detectors.documents import Documents
from detectors.drift.comparison import Terms, about, comparison, distance_spec, divergence, per_row
from detectors.evidence import Counts
from detectors.spec import Places, Result

PRIOR = 0.5


def psi(target: Floats, baseline: Floats, groups: Ints) -> Floats:
    """PSI = sum (p - q) ln(p / q) over merged groups; p and q are the shares after 0.5 is added to every group that is left.

    target, baseline: counts (..., bins), whose leading dimensions broadcast; groups: (bins,), see `detectors.groups`. Returns (...),
    NaN where a side is empty. Source: Siddiqi 2006 for the index; merging and the added 0.5 are our own (docs/measures.md).
    """
    return _summed(_psi_terms, _both(target, baseline, groups), target, baseline)


def kl(target: Floats, baseline: Floats, groups: Ints) -> Floats:
    """KL = sum p ln(p / q) over the groups and shares of PSI, in nats: how far the target is from what the baseline leads to expect.

    Shapes are those of `psi`. Source: Kullback and Leibler 1951; equals `scipy.stats.entropy(p, q)`.
    """
    return _summed(_kl_terms, _both(target, baseline, groups), target, baseline)


def merged(target: Floats, baseline: Floats, groups: Ints) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Counts of both sides by group after small groups are merged, and which groups are left: each (..., groups + 1), the pool last; groups: (bins,) or (..., bins).

    A group with `min(n, m) * (c + r) / (n + m) < 1` goes to the pool; a pool that is still under 1 joins the smallest other group
    (by c + r, the first of equals).
    """
    member = (groups[..., None] == np.arange(groups.max() + 1)).astype(np.float64)
    c, r = np.broadcast_arrays(
        *(side @ member if groups.ndim == 1 else (side[..., None, :] @ member)[..., 0, :] for side in (target, baseline))
    )
    n, m = c.sum(-1, keepdims=True), r.sum(-1, keepdims=True)
    small = np.minimum(n, m) * (c + r) < n + m
    pool_c, pool_r = (np.where(small, side, 0.0).sum(-1, keepdims=True) for side in (c, r))
    stands = np.minimum(n, m) * (pool_c + pool_r) >= n + m
    joined = np.argmin(np.where(small, np.inf, c + r), axis=-1)[..., None] == np.arange(c.shape[-1])
    joined &= ~stands
    c, r = np.where(joined, c + pool_c, c), np.where(joined, r + pool_r, r)
    return (
        np.concatenate([c, pool_c], axis=-1),
        np.concatenate([r, pool_r], axis=-1),
        np.concatenate([~small, stands & small.any(-1, keepdims=True)], axis=-1),
    )


def _shares(counts: Floats, left: npt.NDArray[np.bool_]) -> Floats:
    """Shares of the groups that are left, with 0.5 added."""
    padded = np.where(left, counts + PRIOR, 0.0)
    return np.asarray(padded / padded.sum(-1, keepdims=True))


def _psi_terms(p: Floats, q: Floats) -> Floats:
    return np.asarray((p - q) * np.log(p / q))


def _kl_terms(p: Floats, q: Floats) -> Floats:
    """P ln(p / q) - p + q, which is never negative; the last two add up to nothing."""
    return np.asarray(p * np.log(p / q) - p + q)


class _Groups(NamedTuple):
    """Shares of both sides by group, 1 where none is left, and which are left: each (..., groups + 1)."""

    p: Floats
    q: Floats
    left: npt.NDArray[np.bool_]


def _both(target: Floats, baseline: Floats, groups: Ints) -> _Groups:
    with np.errstate(invalid="ignore", divide="ignore"):
        c, r, left = merged(target, baseline, groups)
        return _Groups(np.where(left, _shares(c, left), 1.0), np.where(left, _shares(r, left), 1.0), left)


def _summed(terms: Terms, both: _Groups, target: Floats, baseline: Floats) -> Floats:
    """The sum of the terms of all groups that are left (...), NaN where a side is empty."""
    empty = (np.sum(target, axis=-1) == 0) | (np.sum(baseline, axis=-1) == 0)
    return np.where(empty, np.nan, terms(both.p, both.q).sum(axis=-1))


def _distance(terms: Terms, factor: float) -> Callable[[Counts, Counts], Result]:
    """`factor` times the sum, by h, is chi-square with a degree of freedom less than there are groups left."""

    def distance(target: Counts, baseline: Counts) -> Result:
        both = _both(target.counts, baseline.counts, target.groups)
        value = _summed(terms, both, target.counts, baseline.counts)
        degrees = both.left.sum(-1).astype(np.float64) - 1
        found = divergence(value, factor * value, lambda scaled: scaled / factor, per_row(target, baseline), degrees)

        def evidence(places: Places) -> Documents:
            p, q = both.p[places], both.q[places]
            names = group_names(target.column, target.groups)
            return documents(target.column, names, p, q, np.where(both.left[places], terms(p, q), 0.0))

        return replace(found, evidence=evidence)

    return distance


SPEC = distance_spec(
    about(
        "psi", "Population stability index", "sum (p - q) ln(p / q) over merged groups of bins", "PSI", unit="nats", usual=True, excess=True
    ),
    comparison(_distance(_psi_terms, 1.0)),
)
KL = distance_spec(
    about("kl", "Kullback-Leibler divergence", "sum p ln(p / q) over merged groups of bins", "KL", unit="nats"),
    comparison(_distance(_kl_terms, 2.0)),
)
