"""The laws of statistics: against scipy, and against many pairs of samples of one distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import chdtrc

from core.block import Floats
from detectors.catalogue import MEASURES
from detectors.law import kolmogorov_distance, largest_difference, total_difference
from detectors.spec import Law

PAIRS, N, M = 4_000, 400, 4_000
H = np.full(PAIRS, 1 / N + 1 / M)


def chances(law: Law) -> Floats:
    """P-values where rows are independent."""
    return np.asarray(chdtrc(law.degrees, law.statistic * law.degrees))


def test_the_law_of_a_distance_of_distributions_is_that_of_kolmogorov() -> None:
    """Also where the p-value is too small for a float; nothing for a side without numbers."""
    n, m = np.array([40.0, 500.0, 1e6]), np.array([900.0, 500.0, 1e6])
    for distance in (0.0, 0.01, 0.05, 0.1):
        expected = stats.kstwobign.sf(distance * np.sqrt(n * m / (n + m)))
        assert chances(kolmogorov_distance(np.full(3, distance), n, m)) == pytest.approx(expected, rel=1e-9)
    far = kolmogorov_distance(np.array([1.0, np.nan]), np.array([1e6, 0.0]), np.array([1e6, 5.0]))
    assert far.statistic[0] == pytest.approx(1e6 - np.log(2))
    assert np.isnan([far.statistic[1], far.degrees[1]]).all()


@pytest.mark.parametrize("bins", [2, 3, 10, 40])
def test_differences_of_shares_are_as_rare_as_their_laws_say(bins: int) -> None:
    """Of pairs in which nothing moved, 5 % and 1 % have p-values up to these, three standard errors more or less; the largest difference at most half as many again."""
    draw = np.random.default_rng(bins)
    p = draw.dirichlet(np.full(bins, 2.0))
    counts, others = draw.multinomial(N, p, PAIRS), draw.multinomial(M, p, PAIRS)
    apart, pooled = np.abs(counts / N - others / M), (counts + others) / (N + M)
    total, largest = chances(total_difference(apart.sum(-1) / 2, pooled, H)), chances(largest_difference(apart.max(-1), pooled, H))
    for rate in (0.05, 0.01):
        error = 3 * np.sqrt(rate * (1 - rate) / PAIRS)
        assert abs((total <= rate).mean() - rate) < error + rate / 4
        assert (largest <= rate).mean() < 1.5 * rate + error


def test_a_bin_that_holds_everything_tells_nothing() -> None:
    """Shares that cannot differ have no law."""
    one = np.ones((1, 1))
    for law in (total_difference(np.zeros(1), one, H[:1]), largest_difference(np.zeros(1), one, H[:1])):
        assert np.isnan([law.statistic, law.degrees]).all()


def test_every_measure_of_drift_has_a_law() -> None:
    """So each can be gated by evidence, and held to a budget; those that are made of others' p-values have none of their own, nor has an area under trees."""
    untested = {name for name, about in MEASURES.items() if name.startswith("drift.") and not about.tested}
    assert untested == {"drift.share_drifted", "drift.weighted", "drift.domain_classifier"}
