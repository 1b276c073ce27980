"""Every column measure of drift and quality against scipy or plain numpy on the raw rows: exactly, or within its stated bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.block import Categories, Floats
from core.contract import Kind
from core.measure import Family, Subject
from detectors import catalogue
from detectors.evidence import Moments
from detectors.spec import NoParams, Result
from tests.detectors.nasty import NUMBERS
from tests.detectors.raw import Side, sides

COLUMN_MEASURES = [
    spec.about.name
    for spec in catalogue.SPECS
    if spec.about.subject is Subject.COLUMN
    and Kind.VECTOR not in spec.about.kinds[:1]
    and spec.about.name.startswith(("quality.", "drift."))
]
TEXTS = ("a", "b", "c", "null", "invalid", "new", "%6Fther", "z")
ONE = np.ones(1)


def result(name: str, target: Side, baseline: Side | None, **params: Any) -> Result:
    """What a measure says of two sides."""
    spec = catalogue.spec(name)
    held = None if baseline is None else baseline.of(spec.evidence)
    found: Result = spec.compute(target.of(spec.evidence), held, msgspec.convert(params, spec.params))
    return found


def shares(side: Side) -> Floats:
    found: Floats = side.counts / side.counts.sum()
    return found


def merged(target: Side, baseline: Side) -> tuple[Floats, Floats]:
    """The shares of the groups of PSI, as docs/measures.md describes them."""
    n, m = target.counts.sum(), baseline.counts.sum()
    pairs = [
        np.array([side.counts[target.groups == group].sum() for side in (target, baseline)]) for group in range(target.groups.max() + 1)
    ]
    small = [min(n, m) * pair.sum() < n + m for pair in pairs]
    pool = sum((pair for pair, less in zip(pairs, small, strict=True) if less), np.zeros(2))
    left = [pair for pair, less in zip(pairs, small, strict=True) if not less]
    if min(n, m) * pool.sum() >= n + m:
        left.append(pool)
    else:
        left[int(np.argmin([pair.sum() for pair in left]))] += pool
    held = np.array(left).T + 0.5
    return held[0] / held[0].sum(), held[1] / held[1].sum()


def cramers_v(target: Side, baseline: Side) -> float:
    """Bergsma's formula on scipy's chi-square of the bins in use."""
    table = np.array([side.counts for side in (target, baseline)])
    table = table[:, table.sum(0) > 0]
    total, k = table.sum(), table.shape[1]
    if k == 1:
        return 0.0
    squared = max(0.0, stats.chi2_contingency(table, correction=False).statistic / total - (k - 1) / (total - 1))
    return 0.0 if squared < 1e-14 else float(np.sqrt(squared / min(k - (k - 1) ** 2 / (total - 1) - 1, 1 - 1 / (total - 1))))


def variance(x: Floats) -> float:
    return float(np.var(x, ddof=1))


# What numpy and scipy make of the counts: equal to 1e-9 wherever both sides have rows.
EXACT: dict[str, Callable[[Side, Side], Any]] = {
    "quality.null_rate": lambda t, _: np.mean(np.isnan(np.asarray(t.values))),
    "quality.invalid_rate": lambda t, _: np.mean(np.isposinf(np.asarray(t.values))),
    "drift.kl": lambda t, b: stats.entropy(*merged(t, b)),
    "drift.psi": lambda t, b: stats.entropy(*merged(t, b)) + stats.entropy(*merged(b, t)),
    "drift.total_variation": lambda t, b: np.abs(shares(t) - shares(b)).sum() / 2,
    "drift.linf": lambda t, b: np.abs(shares(t) - shares(b)).max(),
    "drift.chi2": cramers_v,
}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(NUMBERS)), st.sampled_from(sorted(NUMBERS)), st.sampled_from([3, 40, 300]), st.integers(0, 10**6))
def test_numbers_of_any_kind_give_what_numpy_gives(before: str, now: str, n: int, seed: int) -> None:
    """Of ties, tails, constants, nulls, huge and tiny numbers: every measure has the library's value, or none and says why; nothing is NaN or infinite."""
    rng = np.random.default_rng(seed)
    reference, target = sides(NUMBERS[before](rng, 400), NUMBERS[now](rng, n))
    for name in COLUMN_MEASURES:
        _check(name, target, reference)
    _check_moved(target, reference)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TEXTS[:5]), min_size=1, max_size=60), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=60))
def test_texts_of_any_kind_give_what_numpy_gives(before: list[str], now: list[str]) -> None:
    """Counts of categories, unseen and distinct ones among them."""
    reference, target = sides(Categories.of(before), Categories.of(now))
    known, values = set(before) - {"null", "invalid"}, [one for one in now if one not in {"null", "invalid"}]
    for name in set(EXACT) - {"quality.null_rate", "quality.invalid_rate"}:
        _check(name, target, reference)
    found = {
        name: float(result(name, target, None).value.item())
        for name in COLUMN_MEASURES
        if name.startswith("quality.") and "range" not in name
    }
    assert found["quality.null_rate"] == now.count("null") / len(now)
    assert found["quality.invalid_rate"] == now.count("invalid") / len(now)
    assert found["quality.unseen_category_rate"] == pytest.approx(sum(one not in known for one in values) / len(now), abs=1e-15)
    assert (found["quality.distinct"], found["quality.new_categories"]) == (len(set(values)), len(set(values) - known))
    assert found["quality.constant"] == pytest.approx(float(len(set(values)) == 1) if values else np.nan, nan_ok=True)


def _check(name: str, target: Side, baseline: Side) -> None:
    """A value is finite and the library's, one that is not there has a reason; bounds hold it, and evidence adds up."""
    spec = catalogue.spec(name)
    if target.column.kind not in spec.about.kinds:
        return
    found = result(name, target, baseline)
    value = float(found.value.item())
    assert not np.isinf(value)
    if name in EXACT:
        assert value == pytest.approx(EXACT[name](target, baseline), rel=1e-9, abs=1e-9), name
    if found.law is not None:
        assert not np.isinf(found.law.statistic).any()
        assert spec.about.tested
    if np.isnan(value):
        return
    if found.interval is not None:
        lower, upper = (float(bound.item()) for bound in found.interval(ONE))
        assert not np.isinf([lower, upper]).any()
        assert np.isnan(lower) or lower <= upper
    if found.evidence is not None:
        (document,) = found.evidence((np.zeros(1, np.intp), np.zeros(1, np.intp)))
        assert msgspec.json.decode(msgspec.json.encode(document)) == document
        listed = document.get("contributions", [])
        assert len(listed) <= 8
        shown = [round(one["share"], 12) for one in listed]
        assert shown == sorted(shown, reverse=True)
        assert sum(one["share"] for one in listed) <= 1 + 1e-7


def _check_moved(target: Side, baseline: Side) -> None:
    """What is taken of numbers, against numpy and scipy on them."""
    x, y, scale = target.numbers, baseline.numbers, target.column.scale
    there = len(x) > 0 and len(y) > 0
    size = max(np.abs(x).max(initial=0.0), np.abs(y).max(initial=0.0))
    rows = len(target.values)
    low, high = (np.quantile(y, q, method="inverted_cdf") if len(y) else np.nan for q in (0.01, 0.99))
    _same("drift.tail_share", target, baseline, np.sum((x < low) | (x > high)) / rows if len(y) else np.nan)
    _same("quality.out_of_range_rate", target, None, np.sum((x < y.min()) | (x > y.max())) / rows if len(y) else np.nan)
    _same("quality.constant", target, None, float(len(np.unique(x)) == 1) if len(x) else np.nan)
    _check_ks(target, baseline, there=there)
    with np.errstate(all="ignore"):
        largest = np.abs(y).max(initial=0.0) or 1.0
        largest = 1.0 if 1e-100 < largest < 1e100 else largest  # whose squares are numbers
        unit = np.std(y / largest) * largest if there and len(np.unique(y)) > 1 else np.nan
        _same(
            "drift.mean_shift",
            target,
            baseline,
            (x.mean() - y.mean()) / (unit or np.nan) if there else np.nan,
            1e-9 + 1e-15 * size / (unit or np.inf),
        )
    if not there or scale is None or size > 1e290:
        return
    found = result("drift.wasserstein", target, baseline)
    value, rounding = float(found.value.item()), 1e-11 * size / scale
    if not np.isnan(value):
        assert value <= stats.wasserstein_distance(x, y) / scale * (1 + 1e-9) + rounding
        assert value >= abs(x.mean() - y.mean()) / scale * (1 - 1e-9) - rounding
    for q in (0.02, 0.25, 0.5, 0.9):
        found = result("drift.quantile_shift", target, baseline, q=q)
        if not np.isnan(value := float(found.value.item())):
            assert found.evidence is not None
            exact = (np.quantile(x, q, method="inverted_cdf") - np.quantile(y, q, method="inverted_cdf")) / scale
            (document,) = found.evidence((np.zeros(1, np.intp), np.zeros(1, np.intp)))
            assert abs(value - exact) <= document["bound"] + 1e-9 * abs(exact) + rounding
            assert document["bound"] <= max(0.05, abs(value) / 4)


def _same(name: str, target: Side, baseline: Side | None, expected: float, within: float = 1e-12) -> None:
    found = result(name, target, baseline)
    value = float(found.value.item())
    if np.isnan(value):
        assert found.why is not None
        assert np.isnan(expected) or not np.isfinite(expected) or found.why.item() is not None or target.numbers.max() > 1e290, name
    else:
        assert value == pytest.approx(expected, rel=1e-6 if name == "drift.mean_shift" else 1e-9, abs=within), name


def _check_ks(target: Side, baseline: Side, *, there: bool) -> None:
    found = result("drift.ks", target, baseline)
    value = float(found.value.item())
    assert found.why is not None
    if not there:
        assert found.why.item() == "one side has no numbers"
    elif np.isnan(value):
        assert found.why.item().startswith("bins too coarse")
    else:
        assert found.evidence is not None
        exact = stats.ks_2samp(target.numbers, baseline.numbers, method="asymp").statistic
        (document,) = found.evidence((np.zeros(1, np.intp), np.zeros(1, np.intp)))
        assert value - 1e-12 <= exact <= value + document["bound"] + 1e-12
        assert document["bound"] <= 0.05


@pytest.mark.parametrize("now", sorted(NUMBERS))
def test_variances_are_numpys(now: str) -> None:
    """Their ratio is that of the unbiased variances; a column without variance has none, and says so."""
    rng = np.random.default_rng(3)
    reference, target = sides(NUMBERS[now](rng, 500), NUMBERS[now](rng, 200))
    found, digits = result("drift.variance_ratio", target, reference), {"huge integers": 1e-3}.get(now, 1e-9)
    assert found.why is not None
    if now in {"tiny", "enormous"} or min((len(np.unique(side.numbers)) for side in (target, reference)), default=0) < 2:
        assert np.isnan(found.value.item())
        assert found.why.item() is not None or now in {"tiny", "enormous"}
    else:
        assert found.value.item() == pytest.approx(variance(target.numbers) / variance(reference.numbers), rel=digits)


def test_a_variance_that_rounding_spoils_is_none() -> None:
    """Squares are summed about the reference's middle: of numbers very far from it too few digits are left, and none is told."""
    rng = np.random.default_rng(3)
    reference, target, near = sides(NUMBERS["times"](rng, 500), 1.5 * NUMBERS["times"](rng, 200), NUMBERS["times"](rng, 200) + 86_400)
    assert np.isnan(result("drift.variance_ratio", target, reference).value.item())
    expected = variance(near.numbers) / variance(reference.numbers)
    assert result("drift.variance_ratio", near, reference).value.item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("kind", ["ties", "constant"])
def test_where_every_value_has_a_bin_distances_are_exact(kind: str) -> None:
    """Of a few values KS and Wasserstein are scipy's: nothing hides within a bin."""
    rng = np.random.default_rng(8)
    reference, target = sides(rng.integers(0, 6, 900).astype(float), NUMBERS[kind](rng, 300) if kind == "ties" else np.full(50, 3.0))
    x, y = target.numbers, reference.numbers
    assert result("drift.ks", target, reference).value.item() == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)
    found = result("drift.wasserstein", target, reference).value.item()
    assert found == pytest.approx(stats.wasserstein_distance(x, y) / stats.iqr(y), abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.3, 2.0])
def test_wasserstein_from_bins_is_near_scipys(shift: float) -> None:
    """A lower bound, which is within 5 % and 0.02 interquartile ranges of the distance for a continuous column that moves."""
    rng = np.random.default_rng(4)
    reference, target = sides(rng.normal(size=20_000), rng.normal(shift, 1, 3_000))
    exact = stats.wasserstein_distance(target.numbers, reference.numbers) / stats.iqr(reference.numbers)
    found = result("drift.wasserstein", target, reference).value.item()
    assert 0.95 * exact - 0.02 <= found <= exact + 1e-12


def test_a_distance_is_divided_by_the_deviation_where_the_quartiles_are_one() -> None:
    """80 % zeros have no interquartile range; a constant reference has no unit at all."""
    rng = np.random.default_rng(5)
    reference, target = sides(NUMBERS["zero inflation"](rng, 2_000), NUMBERS["zero inflation"](rng, 1_000) * 2)
    exact = stats.wasserstein_distance(target.numbers, reference.numbers) / np.std(reference.numbers)
    assert result("drift.wasserstein", target, reference).value.item() == pytest.approx(exact, rel=0.05)
    constant, other = sides(np.full(100, 3.0), np.full(100, 4.0))
    found = result("drift.wasserstein", other, constant)
    assert found.why is not None
    assert "no spread" in found.why.item()


def test_a_median_that_moved_far_has_a_value() -> None:
    """Beyond all bins the least and the largest number bound it."""
    rng = np.random.default_rng(6)
    reference, target = sides(rng.normal(size=5_000), rng.normal(100, 1, 2_000))
    found = result("drift.quantile_shift", target, reference)
    assert found.value.item() == pytest.approx(100 / stats.iqr(reference.numbers), rel=0.05)


def test_far_from_the_bins_distances_have_no_value() -> None:
    """Two windows beyond the reference are one bin: what lies between them cannot be told from bins."""
    rng = np.random.default_rng(7)
    _, one, other = sides(rng.normal(size=2_000), rng.normal(100, 1, 500), rng.normal(101, 1, 500))
    for name in ("drift.ks", "drift.wasserstein", "drift.quantile_shift"):
        found = result(name, one, other)
        assert found.why is not None
        assert found.why.item().startswith("bins too coarse")


def test_welch_is_scipys() -> None:
    """The statistic squared is the law's, and the interval, in standard deviations of the reference, scipy's."""
    rng = np.random.default_rng(9)
    reference, target = sides(rng.normal(2, 3, 700), rng.normal(2.4, 5, 90))
    found, test = result("drift.mean_shift", target, reference), stats.ttest_ind(target.numbers, reference.numbers, equal_var=False)
    assert found.law is not None
    assert found.interval is not None
    assert found.law.statistic.item() == pytest.approx(test.statistic**2)
    unit = np.std(reference.numbers)
    expected = [bound / unit for bound in test.confidence_interval()]
    assert [bound.item() for bound in found.interval(ONE)] == pytest.approx(expected)


def test_a_reference_without_its_only_numbers_has_no_mean() -> None:
    """Sums of floats in another order leave something: 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1."""
    numbers = np.array([0.1, 0.2, 0.3])
    reference, near, target = sides(np.append(numbers, np.full(5, np.nan)), numbers[::-1], numbers)
    rest = reference.of(Moments).without(near.of(Moments))
    assert rest.total.item() != 0
    found = catalogue.spec("drift.mean_shift").compute(target.of(Moments), rest, NoParams())
    assert np.isnan(rest.mean).all()
    assert found.law is not None
    assert np.isnan(found.law.statistic).all()


def test_every_column_measure_of_drift_and_quality_says_what_it_suits() -> None:
    """Those of numbers and those of categories; all have a formula, and those with a law are marked."""
    about = {spec.about.name: spec.about for spec in catalogue.SPECS if spec.about.family in (Family.DRIFT, Family.QUALITY)}
    assert all(one.formula and one.title for one in about.values())
    numeric = {name for name, one in about.items() if one.kinds == (Kind.NUMERIC,)}
    assert numeric == {
        f"drift.{name}" for name in ("ks", "wasserstein", "mean_shift", "variance_ratio", "quantile_shift", "tail_share")
    } | {"quality.out_of_range_rate"}
    assert {name for name, one in about.items() if one.kinds == (Kind.CATEGORICAL,)} == {
        f"quality.{name}" for name in ("unseen_category_rate", "distinct", "new_categories")
    }
