"""Dispersion and p-values against scipy and simulated windows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.dispersion import Dispersion, dispersion, p_value
from detectors.law import chi_square, proportions
from detectors.spec import Law


def test_phi_is_the_mean_and_nu_comes_from_the_variance() -> None:
    """Windows without a statistic do not count; phi is at least 1, and nu too."""
    found = dispersion(np.array([[2.0, 0.1, 8.0], [3.0, 0.2, np.nan], [7.0, 0.3, np.nan], [np.nan, 0.4, np.nan]]))
    assert found.phi.tolist() == [4.0, 1.0, 8.0]
    assert found.windows.tolist() == [3, 4, 1]
    assert found.nu == pytest.approx([2 * 16 / np.var([2.0, 3.0, 7.0], ddof=1), 2 * 0.25**2 / np.var([0.1, 0.2, 0.3, 0.4], ddof=1), 1.0])


def test_without_windows_rows_count_as_independent() -> None:
    """Phi is 1, and p that of the chi-square law."""
    found = dispersion(np.full((3, 2), np.nan))
    assert (found.phi.tolist(), found.windows.tolist()) == ([1.0, 1.0], [0, 0])
    assert dispersion(np.zeros((0, 2)))[0].tolist() == [1.0, 1.0]
    law = chi_square(np.array([12.0, 3.0]), np.array([4.0, 1.0]))
    assert p_value(law, found) == pytest.approx(stats.chi2.sf([12.0, 3.0], [4, 1]))
    assert p_value(law, Dispersion.none((2,))) == pytest.approx(stats.chi2.sf([12.0, 3.0], [4, 1]))


def test_windows_that_are_equal_leave_the_degrees_of_freedom_of_the_law() -> None:
    """Without a variance nu has no upper bound but the law's."""
    found = dispersion(np.full((5, 1), 2.0))
    assert found.nu.tolist() == [np.inf]
    assert p_value(Law(np.array([6.0]), np.array([4.0])), found) == pytest.approx(stats.f.sf(3.0, 4, 20))


def test_p_is_that_of_the_f_law() -> None:
    """With K windows: F(nu, K nu), nu at most the degrees of freedom; with one degree of freedom F(1, K - 1)."""
    known = Dispersion(np.array([2.0, 2.0, 2.0, 2.0]), np.array([3.0, 30.0, 3.0, 1.0]), np.array([12, 12, 12, 1]))
    law = Law(np.array([7.0, 7.0, 7.0, 7.0]), np.array([9.0, 9.0, 1.0, 1.0]))
    assert p_value(law, known) == pytest.approx(
        [stats.f.sf(3.5, 3, 36), stats.f.sf(3.5, 9, 108), stats.f.sf(3.5, 1, 11), stats.f.sf(3.5, 1, 1)]
    )
    assert np.isnan(p_value(Law(np.array([np.nan]), np.array([np.nan])), dispersion(np.ones((12, 1))))).all()


def test_p_is_uniform_for_windows_that_depend_on_their_day() -> None:
    """Rates that differ from day to day more than independent rows do: the textbook p is below 0.05 in most windows, ours in about 5 %."""
    draw = np.random.default_rng(7)
    n, days, lives = 1_000, 40, 400
    counts = draw.binomial(n, draw.beta(18, 162, (lives, days + 1))).astype(float)
    history, new = counts[:, :-1].T, counts[:, -1]
    rest = history.sum(0) - history
    known = dispersion(proportions(history, np.array([n], np.float64), rest, np.array([n * (days - 1)], np.float64)).statistic)
    law = proportions(new, np.array([n], np.float64), history.sum(0), np.array([n * days], np.float64))
    ours, textbook = p_value(law, known), p_value(law, Dispersion.none((lives,)))
    assert (textbook < 0.05).mean() > 0.35
    assert stats.binomtest(int((ours < 0.05).sum()), lives, 0.05).pvalue > 0.001
    assert known.phi.mean() == pytest.approx(1 + (n - 1) / 181, rel=0.05)  # the beta law makes two rows of a day correlate by 1 / 181
