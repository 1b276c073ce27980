"""Intervals and laws: those that scipy has against scipy, the others by how often they hold the population's value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import chdtri, chndtrinc

from core.block import Floats
from core.contract import Column, Kind
from detectors import catalogue
from detectors.evidence import Counts
from detectors.interval import noncentralities, wilson
from detectors.spec import NoParams, Result

ONE = np.ones(1)
COLUMN = Column(name="x", kind=Kind.CATEGORICAL, categories=tuple("abcdefgh"))
NUMBERS = Column(
    name="x", kind=Kind.NUMERIC, edges=tuple(edge for value in range(8) for edge in (value, float(np.nextafter(value, np.inf))))
)
SINGLE = np.arange(12)  # a group a bin
BEFORE = np.append(np.full(8, 0.12), [0.0, 0.0, 0.04, 0.0])
AFTER = {
    "nothing moved": BEFORE,
    "a little": np.append(np.linspace(0.10, 0.14, 8), [0.0, 0.0, 0.04, 0.0]),
    "much": np.append(np.linspace(0.04, 0.185, 8), [0.0, 0.0, 0.1, 0.0]),
}
SCALED = ("drift.psi", "drift.kl", "drift.js", "drift.hellinger", "drift.chi2")
CONSERVATIVE = ("drift.total_variation", "drift.linf", "drift.ks")


def result(name: str, target: Floats, baseline: Floats) -> Result:
    """What a measure says of counts (..., bins)."""
    column, sides = (NUMBERS, (_numbers(target), _numbers(baseline))) if name == "drift.ks" else (COLUMN, (target, baseline))
    one, other = (Counts(side, column, SINGLE) for side in sides)
    found: Result = catalogue.spec(name).compute(one, other, NoParams())
    return found


def _numbers(counts: Floats) -> Floats:
    """Counts of eight categories as those of the bins of the numbers 0 to 7, without null."""
    held = np.zeros((*counts.shape[:-1], NUMBERS.bins))
    held[..., 1:17:2] = counts[..., :8]
    return held


@pytest.mark.parametrize("n", [1.0, 20.0, 3_000.0, 1e6])
def test_wilson_is_scipys(n: float) -> None:
    """From none of n to all of them."""
    for k in {0, 1, int(n) // 3, int(n)}:
        expected = stats.binomtest(k, int(n)).proportion_ci(method="wilson")
        assert [bound.item() for bound in wilson(np.array([k / n]), np.array([n]))] == pytest.approx([*expected], abs=1e-12)


@pytest.mark.parametrize("degrees", [1.0, 9.0, 51.0, 500.0])
def test_noncentralities_give_the_points_back(degrees: float) -> None:
    """A statistic is the 97.5 % and the 2.5 % point of the laws that are found, from small ones to millions; 0 where it is smaller; NaN without a degree."""
    x = degrees * np.array([0.3, 1.0, 1.5, 3.0, 20.0, 300.0, 1e4, 1e6])
    for found, p in zip(noncentralities(x, np.array(degrees)), (0.975, 0.025), strict=True):
        reached = stats.chi2.cdf(x, degrees) > p
        assert (found[~reached] == 0).all()
        assert stats.ncx2.cdf(x[reached], degrees, found[reached]) == pytest.approx(p, abs=1e-5)
    for place, p in enumerate((0.975, 0.025)):  # where the noncentrality is next to nothing, too
        x = chdtri(degrees, 1 - p) * (1 + np.array([1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.2, 1.0]))
        found, expected = noncentralities(x, np.array(degrees))[place], chndtrinc(x, degrees, p)
        assert np.sqrt(found) == pytest.approx(np.sqrt(expected), rel=1e-6, abs=1e-6)
    assert np.isnan(noncentralities(np.array([1.0, np.nan]), np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize("moved", sorted(AFTER))
@pytest.mark.parametrize("name", [*SCALED, *CONSERVATIVE])
def test_intervals_hold_the_population(name: str, moved: str) -> None:
    """In at least 93 % of windows of 400 rows with the approximate ones, in 95 % with the conservative ones; nothing at all where nothing moved is held by all."""
    rng, repeats, n, m = np.random.default_rng(11), 2_000, 400, 4_000
    population = (
        result(name, AFTER[moved] * 1e12, BEFORE * 1e12).value.item() if name != "drift.chi2" else _population_v(AFTER[moved], n, m)
    )
    found = result(name, rng.multinomial(n, AFTER[moved], repeats).astype(float), rng.multinomial(m, BEFORE, repeats).astype(float))
    assert found.interval is not None
    lower, upper = found.interval(ONE)
    held = np.mean((lower <= population + 1e-9) & (population - 1e-9 <= upper))
    assert held >= (0.95 if name in CONSERVATIVE else 0.93)


def _population_v(after: Floats, n: int, m: int) -> float:
    """Cramer's V of tables of n and m rows whose shares are those of the populations."""
    both = n * after + m * BEFORE
    squared = n * m * ((after - BEFORE) ** 2 / np.where(both > 0, both, 1.0)).sum()
    return float(np.sqrt(squared / (n + m)))


@pytest.mark.parametrize("name", SCALED)
def test_where_nothing_moved_the_law_has_mean_one(name: str) -> None:
    """The statistic by its degrees of freedom, B - 1, is 1 in the mean, and within what a chi-square gives."""
    rng = np.random.default_rng(12)
    found = result(name, rng.multinomial(1_000, BEFORE, 4_000).astype(float), rng.multinomial(9_000, BEFORE, 4_000).astype(float))
    assert found.law is not None
    assert (found.law.degrees == 8).all()
    assert found.law.statistic.mean() == pytest.approx(1, abs=0.03)
    assert (found.law.statistic * 8).var() == pytest.approx(16, rel=0.15)


@pytest.mark.parametrize("name", [*SCALED, *CONSERVATIVE])
def test_phi_takes_rows_away(name: str) -> None:
    """With phi 4 the interval is that of the same shares in a quarter of the rows, where all numbers are large."""
    shares, rows = AFTER["much"] * 1e5, BEFORE * 1e6
    whole, quarter = (result(name, shares / by, rows / by) for by in (1, 4))
    assert whole.interval is not None
    assert quarter.interval is not None
    for wide, few in zip(whole.interval(np.array(4.0)), quarter.interval(ONE), strict=True):
        assert wide.item() == pytest.approx(few.item(), rel=1e-3)


def test_rates_have_the_law_of_two_proportions() -> None:
    """The square of z is scipy's chi-square of the two by two table; 0 where both rates are 0."""
    spec: Any = catalogue.spec("quality.null_rate")
    target, baseline = (np.array([[values] + [0.0] * 9 + [nulls, 0.0]]) for values, nulls in ((900.0, 30.0), (5_000.0, 90.0)))
    law = spec.compute(Counts(target, COLUMN, SINGLE), Counts(baseline, COLUMN, SINGLE), NoParams()).law
    expected = stats.chi2_contingency([[900, 30], [5_000, 90]], correction=False).statistic
    assert (law.statistic.item(), law.degrees.item()) == (pytest.approx(expected), 1)
    spec = catalogue.spec("quality.invalid_rate")
    none = spec.compute(Counts(BEFORE[None] * 100, COLUMN, SINGLE), Counts(BEFORE[None] * 900, COLUMN, SINGLE), NoParams()).law
    assert none.statistic.item() == 0


def test_contributions_name_the_bins_that_moved() -> None:
    """The largest first, with the shares of both sides; at most eight; they add up to the whole where there are no more."""
    target, baseline = AFTER["much"][None] * 1_000, BEFORE[None] * 5_000
    for name in ("drift.psi", "drift.js", "drift.total_variation", "drift.chi2"):
        found = result(name, target, baseline)
        assert found.evidence is not None
        (document,) = found.evidence((np.zeros(1, np.intp),))
        listed = document["contributions"]
        assert {"null", "a", "h"} <= {one["category"] for one in listed}
        assert len(listed) == 8
        assert all(one.keys() == {"category", "target", "baseline", "share"} for one in listed)
        assert 0.8 < sum(one["share"] for one in listed) <= 1
    column = Column(name="x", kind=Kind.NUMERIC, edges=(1.0, 2.0, float(np.nextafter(2.0, 3.0))))
    one, other = (
        Counts(np.array([held]), column, np.arange(6)) for held in ([3.0, 0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    )
    two: Result = catalogue.spec("drift.total_variation").compute(one, other, NoParams())
    assert two.evidence is not None
    (document,) = two.evidence((np.zeros(1, np.intp),))
    assert document == {
        "contributions": [
            {"bin": "[-inf,1)", "target": 1.0, "baseline": 0.0, "share": 0.5},
            {"bin": "2", "target": 0.0, "baseline": 1.0, "share": 0.5},
        ]
    }
