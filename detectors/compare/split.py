"""Whether traffic is split between two sides as it is meant to be, however often one looks."""

from __future__ import annotations

import numpy as np
from scipy.special import betaln

from core.block import Floats

CERTAIN = 0.001  # the chance with which a fair split is ever called biased
_WEIGHT = 1_000.0  # rows that the prior is worth: a bias of a point and a half is expected


def against(a: Floats, b: Floats, share: float) -> Floats:
    """How many times more likely the counts of two sides are under some other split than under the share of b that is meant: (...), counts of rows that are assigned by chance.

    The ratio of a beta-binomial law around the share and the binomial one, whose inverse is a p-value at all times together. Source: Lindon and Malek,
    Anytime-valid inference for multinomial count data (NeurIPS 2022).
    """
    first, second = _WEIGHT * share, _WEIGHT * (1 - share)
    mixed = betaln(first + b, second + a) - betaln(first, second)
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(mixed - b * np.log(share) - a * np.log1p(-share)))


def biased(a: Floats, b: Floats, share: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Where the split is not the one that is meant."""
    return np.asarray(against(a, b, share) >= 1 / CERTAIN)
