"""Sums over all features together, and the measures that they give, against brute force on rows."""

from __future__ import annotations

from itertools import combinations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from core import moment
from core.block import Categories, Floats, Ints
from core.contract import Column, Contract, Dimension, Multivariate, Task
from core.segment import Segments
from detectors import catalogue
from detectors.dispersion import Dispersion, p_value
from detectors.drift.correlation import correlations
from detectors.evidence import BEFORE, NOT_TOGETHER, Joint
from detectors.spec import NoParams, Result
from detectors.summary import multivariate
from detectors.summary.bins import bins
from detectors.summary.panes import PaneRows
from monitors.reference.signal import binned
from tests.detectors.nasty import NUMBERS

Values = dict[str, Floats | Categories]


class Rows:
    """Rows of some columns, whose bins and profile a reference makes."""

    def __init__(self, reference: Values) -> None:
        self.columns = tuple(binned(name, values, np.float64) for name, values in reference.items())
        self.profile = multivariate.profile(self.columns, self.places(reference))
        self.contract = Contract(model="m", version=1, task=Task.BINARY, features=self.columns)

    def places(self, values: Values) -> dict[str, Ints]:
        return {column.name: bins(column, values[column.name]) for column in self.columns}

    def sums(self, values: Values, ts: Ints | None = None) -> Ints:
        """The sums of each slot, in order; without times of all rows."""
        many = len(next(iter(values.values())))
        same = Categories(np.zeros(many, np.int32), ["1"])
        at = np.full(many, moment.DAY) if ts is None else ts
        panes = PaneRows.of(self.contract, Segments(self.contract), at, same, same, {})
        return multivariate.sums(panes, self.profile, self.columns, [values[column.name] for column in self.columns])

    def joint(self, values: Values) -> Joint:
        n = np.array([float(len(next(iter(values.values()))))])
        return Joint(n, n, self.sums(values).astype(np.float64), self.profile)

    def coordinates(self, values: Values) -> Floats:
        """Normal scores, and indicators over root 2, of which the distance of rows is taken."""
        held = []
        for column, scores in zip(self.columns, self.profile.scores, strict=True):
            place = self.places(values)[column.name]
            marks = np.eye(column.bins)[place] / np.sqrt(2)
            held.append(np.column_stack([np.array([*scores, 0.0, 0.0])[place], marks[:, column.null :]]) if column.numeric else marks)
        return np.hstack(held)


def measured(name: str, target: Joint, baseline: Joint) -> Result:
    found: Result = catalogue.spec(name).compute(target, baseline, NoParams())
    return found


def drawn(names: tuple[str, ...], rng: np.random.Generator, n: int) -> Values:
    held: Values = {f"{place}": NUMBERS[name](rng, n) for place, name in enumerate(names)}
    return held | {"text": Categories.of([str(one) for one in rng.choice(["a", "b", "c", "null", "invalid"], n)])}


SOME = st.lists(st.sampled_from(sorted(NUMBERS)), min_size=1, max_size=4).map(tuple)


@settings(max_examples=40, deadline=None)
@given(SOME, SOME, st.integers(1, 300), st.integers(0, 10**6))
def test_columns_of_any_kind_have_values_that_are_those_of_the_rows(
    before: tuple[str, ...], now: tuple[str, ...], n: int, seed: int
) -> None:
    """MMD is the mean over pairs of rows, correlations are numpy's; one bad column spoils none of the others."""
    rng = np.random.default_rng(seed)
    rows = Rows(drawn(before, rng, 400))
    reference, target = drawn(before, rng, 300), drawn((now * 4)[: len(before)], rng, n)
    here, there = rows.joint(target), rows.joint(reference)
    found = measured("drift.mmd", here, there)
    x, y = (rows.sums(values, moment.HOUR * np.arange(len(values["text"]))) for values in (target, reference))
    x, y = (side[:, : 2 * multivariate.PAIRS] / (multivariate.UNIT * np.sqrt(multivariate.PAIRS)) for side in (x, y))
    if n < 2:
        assert np.isnan(found.value[0])
    else:
        inner = [(side @ side.T)[np.triu_indices(len(side), 1)].mean() for side in (x, y)]
        assert found.value[0] == pytest.approx(inner[0] + inner[1] - 2 * (x @ y.T).mean(), abs=1e-4)
    changed = measured("drift.correlation", here, there)
    assert np.isnan(changed.value[0]) or 0 <= changed.value[0] <= 2
    for side, values in ((here, target), (there, reference)):
        scores = [
            np.array([*score, 0.0, 0.0])[rows.places(values)[column.name]]
            for column, score in zip(rows.columns, rows.profile.scores, strict=True)
            if column.numeric
        ]
        for pair, (one, other) in enumerate(combinations(scores, 2)):
            vary = np.ptp(one) > 0 and np.ptp(other) > 0
            expected = np.corrcoef(one, other)[0, 1] if vary else np.nan
            assert correlations(side)[0, pair] == pytest.approx(expected, abs=1e-9, nan_ok=True)


@settings(max_examples=25, deadline=None)
@given(SOME, st.integers(2, 3_000), st.integers(0, 10**6))
def test_sums_are_the_same_in_any_order_and_any_division(names: tuple[str, ...], n: int, seed: int) -> None:
    """To the last digit, which is what makes readings equal under disorder, duplicates and kills."""
    rng = np.random.default_rng(seed)
    values = drawn(names, rng, n)
    rows, order, cut = Rows(values), rng.permutation(n), int(rng.integers(1, n))
    slots = moment.HOUR * rng.integers(0, 5, n)

    def taken(at: Ints) -> Values:
        return {name: held.take(at) if isinstance(held, Categories) else held[at] for name, held in values.items()}

    whole = rows.sums(values, slots)
    assert (rows.sums(taken(order), slots[order]) == whole).all()
    parts = [rows.sums(taken(at)).sum(0) for at in (order[:cut], order[cut:])]
    assert (parts[0] + parts[1] == whole.sum(0)).all()


def test_random_features_have_the_kernel_of_the_rows() -> None:
    """The product of two rows' features is exp(-d^2 / (2 bandwidth^2)) within what 128 pairs allow; the bandwidth is the median distance."""
    rng = np.random.default_rng(5)
    values = drawn(("normal", "zero inflation", "nulls", "ties"), rng, 300)
    rows = Rows(values)
    x = rows.sums(values, moment.HOUR * np.arange(300))[:, : 2 * multivariate.PAIRS] / (multivariate.UNIT * np.sqrt(multivariate.PAIRS))
    apart = cdist(rows.coordinates(values), rows.coordinates(values))
    pairs = np.triu_indices(300, 1)
    assert rows.profile.bandwidth == pytest.approx(np.median(apart[pairs]), rel=1e-12)
    wrong = (x @ x.T - np.exp(-(apart**2) / (2 * rows.profile.bandwidth**2)))[pairs]
    assert np.sqrt(np.mean(wrong**2)) < 1 / np.sqrt(multivariate.PAIRS)
    assert np.abs((x**2).sum(1) - 1).max() < 1e-4


def _correlated(rng: np.random.Generator, n: int, r: float, many: int = 20, shift: float = 0.0) -> Values:
    x = rng.normal(size=(n, many))
    x[:, 1] = r * x[:, 0] + np.sqrt(1 - r**2) * x[:, 1]
    x[:, 2] += shift
    return {f"c{place}": x[:, place] for place in range(many)}


@pytest.mark.parametrize(("n", "slots", "kept"), [(300, 1, False), (300, 100, False), (300, 101, True), (707, 101, False)])
def test_bins_of_rows_are_kept_of_many_slots_with_few_rows_each(n: int, slots: int, kept: bool) -> None:
    """And not of one slot with a few rows in each of hundreds of segments, as a batch of a live stream has: the next batches have the same panes, which would hold all of their rows."""
    rng = np.random.default_rng(6)
    rows = Rows(_correlated(rng, 100, 0.0))
    values = tuple(str(place) for place in range(100))
    cut = msgspec.structs.replace(
        rows.contract, dimensions=tuple(Dimension(name=one, values=values) for one in "uv"), crosses=(("u", "v"),)
    )
    same = Categories(np.zeros(n, np.int32), ["1"])
    texts = {one: Categories(rng.integers(0, 100, n).astype(np.int32), values) for one in "uv"}
    panes = PaneRows.of(cut, Segments(cut), moment.HOUR * (np.arange(n) % slots), same, same, texts)
    assert len(panes) > 400
    assert multivariate.by_row(panes, rows.profile) == kept


def test_rows_of_the_same_law_are_seldom_found_to_differ() -> None:
    """Of 400 pairs of samples each p-value is below 0.05 in 8 % of them at most, without a window of the reference."""
    rng = np.random.default_rng(1)
    rows = Rows(_correlated(rng, 4_000, 0.3))
    baseline = rows.joint(_correlated(rng, 20_000, 0.3))
    low = dict.fromkeys(("drift.mmd", "drift.correlation"), 0)
    for _ in range(400):
        target = rows.joint(_correlated(rng, 500, 0.3))
        for name in low:
            law = measured(name, target, baseline).law
            assert law is not None
            low[name] += p_value(law, Dispersion.none((1,)))[0] < 0.05
    assert max(low.values()) <= 32
    assert min(low.values()) >= 4  # and not never


def test_each_finds_what_it_is_for() -> None:
    """MMD a shift of a mean of half a standard deviation, correlation a correlation that has come, in one pair of 190, of 500 rows."""
    rng = np.random.default_rng(2)
    rows = Rows(_correlated(rng, 4_000, 0.0))
    baseline = rows.joint(_correlated(rng, 20_000, 0.0))

    def p(name: str, target: Joint) -> float:
        law = measured(name, target, baseline).law
        assert law is not None
        return float(p_value(law, Dispersion.none((1,)))[0])

    assert p("drift.mmd", rows.joint(_correlated(rng, 500, 0.0, shift=0.5))) < 1e-4
    turned = rows.joint(_correlated(rng, 500, 0.5))
    assert p("drift.correlation", turned) < 1e-10
    found = measured("drift.correlation", turned, baseline)
    assert found.evidence is not None
    assert found.evidence((np.array([0]),))[0]["contributions"][0]["columns"] == ["c0", "c1"]
    assert found.value[0] == pytest.approx(0.5, abs=0.12)


def test_a_dead_column_costs_only_its_own_pairs() -> None:
    """All null, it has no correlation; that of the others is found."""
    rng = np.random.default_rng(3)
    rows = Rows(_correlated(rng, 2_000, 0.0, many=4))
    broken = _correlated(rng, 2_000, 0.6, many=4) | {"c3": np.full(2_000, np.nan)}
    found = measured("drift.correlation", rows.joint(broken), rows.joint(_correlated(rng, 2_000, 0.0, many=4)))
    assert found.value[0] == pytest.approx(0.6, abs=0.08)


def test_panes_without_sums_have_no_value_and_say_what_to_do() -> None:
    """Those of an earlier version, and those of a contract that keeps none."""
    rows = Rows(_correlated(np.random.default_rng(4), 100, 0.0, many=3))
    held = rows.joint(_correlated(np.random.default_rng(4), 100, 0.0, many=3))
    old = Joint(held.n + 1, held.measured, held.sums, held.profile)
    none = Joint(held.n, held.measured * 0, held.sums[:, :1] * 0, None)
    for name in ("drift.mmd", "drift.correlation"):
        for side, reason in ((old, BEFORE), (none, NOT_TOGETHER)):
            found = measured(name, side, held if side is old else none)
            assert np.isnan(found.value[0])
            assert found.why is not None
            assert found.why[0] == reason


def test_a_profile_of_one_row_or_of_constants_is_finite() -> None:
    """Its bandwidth is 1, its degrees of freedom are between 1 and 256."""
    for values in ({"a": np.array([3.0])}, {"a": np.full(50, 3.0), "b": np.full(50, np.nan)}):
        columns: tuple[Column, ...] = tuple(binned(name, held, np.float64) for name, held in values.items())
        found: Multivariate = multivariate.profile(columns, {column.name: bins(column, values[column.name]) for column in columns})
        assert found.bandwidth == 1.0
        assert 1 <= found.degrees <= 256
