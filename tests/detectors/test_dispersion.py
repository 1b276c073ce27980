"""Dispersion and p-values against scipy and simulated windows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.dispersion import Dispersion, dispersion, dispersion_of_others, p_value
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


def test_a_statistic_that_one_window_holds_leaves_little_freedom() -> None:
    """With all of it in one of K windows nu is 2 / K, and a window that is ten times as far is no rare event."""
    known = dispersion(np.array([[0.0]] * 29 + [[60.0]]))
    assert np.concatenate([known.phi, known.nu]) == pytest.approx([2.0, 2 / 30])
    law = Law(np.array([600.0]), np.array([1.0]))
    assert p_value(law, known) == pytest.approx(stats.f.sf(300.0, 2 / 30, 29 * 2 / 30))
    assert p_value(law, known) > 0.001 > stats.f.sf(300.0, 1, 29)


def test_the_dispersion_of_others_leaves_each_window_out() -> None:
    """It is that of the windows without the window, also where some have no statistic."""
    x = np.random.default_rng(3).chisquare(1, (12, 4, 2)) * 1e3 + 7
    x[2, 0, 0] = x[5] = np.nan
    x[:-1, 1, 1] = np.nan
    found = dispersion_of_others(x)
    for place in range(len(x)):
        for ours, theirs in zip(found, dispersion(np.delete(x, place, axis=0)), strict=True):
            np.testing.assert_allclose(ours[place], theirs, rtol=1e-9)


def test_a_new_window_is_as_extreme_as_those_of_a_reference_judged_by_the_others() -> None:
    """The smallest p of ten columns is below all of K windows once in K + 1 windows. If each window counts in its own dispersion, it is so more than twice as often."""
    draw = np.random.default_rng(11)
    x = draw.lognormal(0, 1, (31, 2_000, 10))
    history, new = x[:-1], x[-1]
    one = np.ones_like
    later = p_value(Law(new, one(new)), dispersion(history)).min(1)
    honest = p_value(Law(history, one(history)), dispersion_of_others(history)).min((0, 2))
    inside = p_value(Law(history, one(history)), dispersion(history)).min((0, 2))
    assert stats.binomtest(int((later < honest).sum()), 2_000, 1 / 31, alternative="greater").pvalue > 0.001
    assert (later < inside).mean() > 2 / 31


@pytest.mark.parametrize("n", [50, 300])
def test_p_of_a_rare_rate_is_never_below_that_of_the_exact_test(n: int) -> None:
    """Where a count is small its tail is longer than that of chi-square: the binomial law of the count, given both sides' sum, is the least."""
    count, sides = np.arange(n + 1.0), (np.array(float(n)), np.array(20.0 * n))
    for rate in (0.01, 0.5, 0.99):
        law = proportions(count, sides[0], np.full(n + 1, rate * 20 * n), sides[1])
        rare = np.where((count + rate * 20 * n) / (21 * n) > 0.5, n - count, count)
        total = rare + np.where((count + rate * 20 * n) / (21 * n) > 0.5, (1 - rate) * 20 * n, rate * 20 * n)
        exact = np.minimum(1, 2 * np.minimum(stats.binom.cdf(rare, total.round(), 1 / 21), stats.binom.sf(rare - 1, total.round(), 1 / 21)))
        assert law.least == pytest.approx(exact, rel=1e-6, abs=1e-300)
        assert (p_value(law, Dispersion.none((n + 1,))) >= law.least).all()
