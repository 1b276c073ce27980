"""Population stability index, in natural logs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.baseline.reference import Reference
from core.block import Floats, Ints
from core.measure import Measure, Subject
from detectors.drift.comparison import comparison
from detectors.evidence import Counts
from detectors.spec import Spec

PRIOR = 0.5


def psi(target: Floats, baseline: Floats, groups: Ints) -> Floats:
    """PSI = sum (p - q) ln(p / q) over merged groups; p and q are the shares after 0.5 is added to every group that is left.

    target, baseline: counts (..., bins), whose leading dimensions broadcast; groups: (bins,), see `detectors.groups`. Returns (...),
    NaN where a side is empty. Source: Siddiqi 2006 for the index; merging and the added 0.5 are our own (docs/measures.md).
    """
    c, r, left = merged(target, baseline, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        p, q = _shares(c, left), _shares(r, left)
        terms = np.where(left, (p - q) * np.log(np.where(left, p / q, 1.0)), 0.0)
    empty = (np.sum(target, axis=-1) == 0) | (np.sum(baseline, axis=-1) == 0)
    return np.where(empty, np.nan, terms.sum(axis=-1))


def merged(target: Floats, baseline: Floats, groups: Ints) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Counts of both sides by group after small groups are merged, and which groups are left: each (..., groups + 1), the pool last.

    A group with `min(n, m) * (c + r) / (n + m) < 1` goes to the pool; a pool that is still under 1 joins the smallest other group
    (by c + r, the first of equals).
    """
    member = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)
    c, r = np.broadcast_arrays(target @ member, baseline @ member)
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


SPEC = Spec(
    about=Measure(
        name="drift.psi",
        title="Population stability index",
        formula="sum (p - q) ln(p / q) over merged groups of bins",
        brief="PSI",
        unit="nats",
        subject=Subject.COLUMN,
        better=-1,
        compares=True,
        usual_baseline=Reference(),
        usual=True,
    ),
    evidence=Counts,
    compute=comparison(lambda target, baseline: psi(target.counts, baseline.counts, target.groups)),
    no_value="one side has no rows",
)
