"""Errors estimated before labels: against plain scikit-learn on the same rows, and on made streams of which the truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from core.block import Floats
from core.contract import Task
from core.error import ConfigError, Retryable
from detectors import catalogue
from detectors.expected_error import AbsoluteErrors, ExpectedErrors, RowErrors
from detectors.performance import dle
from detectors.performance.estimated_error import ErrorParams
from detectors.sample import FOLDS
from detectors.spec import Result
from monitors.definition import field
from monitors.evidence.sampled import kept, places_among
from tests.monitors.outcomes import contract

NAMES = ("mae", "rmse")
ROWS = 600


@cache
def learned() -> dle.Known:
    """Rows of three columns, with missing values; the error's size is that of the first."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, 3))
    error = np.abs(rng.normal(size=ROWS)) * np.exp(x[:, 0])
    x[rng.random(x.shape) < 0.1] = np.nan
    return dle.known(x, error, rng.integers(0, FOLDS, ROWS))


def test_what_is_expected_is_what_scikit_learn_predicts() -> None:
    """Of each fold's trees, which are those of the rows of the others; and the spread is of what trees expect that have not seen a row."""
    rows, x = learned(), np.random.default_rng(4).normal(size=(50, 3))
    found, out, scale = dle.expected(rows, x), np.zeros(ROWS), learned().error.mean()
    for held in range(FOLDS):
        own = rows.fold == held
        with threadpool_limits(1, "openmp"):
            trees = HistGradientBoostingRegressor(early_stopping=False, random_state=1).fit(rows.x[~own], rows.error[~own] / scale)
            out[own] = np.maximum(trees.predict(rows.x[own]), 0) * scale
            assert found.each[held] == pytest.approx(np.maximum(trees.predict(x), 0) * scale, rel=1e-12)
    assert found.relative == pytest.approx(((rows.error - out) ** 2).mean() / (out**2).mean(), rel=1e-9)
    again = dle.expected(dle.known(rows.x.copy(), rows.error, rows.fold), x)
    assert again.each.tolist() == found.each.tolist()


def test_errors_of_any_size_are_learned_alike() -> None:
    """Also those whose squares no single-precision gradient holds, and such as are all 0."""
    rows, x = learned(), np.random.default_rng(4).normal(size=(20, 3))
    usual, vast = (dle.expected(dle.known(rows.x, rows.error * size, rows.fold), x) for size in (1.0, 1e200))
    assert vast.each / 1e200 == pytest.approx(usual.each, rel=1e-3)
    assert vast.relative == pytest.approx(usual.relative, rel=1e-3)
    none = dle.expected(dle.known(rows.x, np.zeros(ROWS), rows.fold), x)
    assert not none.each.any()
    assert none.relative == 0


def test_a_column_of_nulls_tells_nothing() -> None:
    """It is neither refused nor learned from, also if rows to come have values of it."""
    rows, x = learned(), np.random.default_rng(4).normal(size=(20, 4))
    with_nulls = dle.known(np.column_stack([rows.x, np.full(ROWS, np.nan)]), rows.error, rows.fold)
    assert dle.expected(with_nulls, x).each.tolist() == dle.expected(rows, x[:, :3]).each.tolist()
    assert dle.expected(rows, x[:0, :3]).each.shape == (FOLDS, 0)


def test_numbers_are_placed_among_those_of_the_reference() -> None:
    """In halves between two, nulls as they are; the order is kept, whatever their size."""
    known = np.array([-1e308, 0.0, 1.0, 1e308, np.inf])
    assert places_among(np.array([-np.inf, -1e308, 0.5, 1.0, 2.0, np.inf, np.nan]), known) == pytest.approx(
        [0, 0.5, 2, 2.5, 3, 4.5, np.nan], nan_ok=True
    )


@pytest.mark.usefixtures("no_sklearn")
def test_without_scikit_learn_a_monitor_says_what_to_install() -> None:
    """It is a dependency of the server only."""
    with pytest.raises(ConfigError, match=r"need scikit-learn.*install `watchkeeper\[server\]`"):
        dle.expected(dle.known(np.zeros((9, 1)), np.ones(9), np.arange(9) % FOLDS), np.zeros((1, 1)))


def window(rng: np.random.Generator, n: int, *, labels: float = 1.0, factor: float = 1.0, squared: bool = False) -> ExpectedErrors:
    """Rows whose expected error is known, half of them 1 and half 3 (of normal errors), and whose errors are `factor` times as large; so many have labels."""
    scale = np.where(rng.random(n) < 0.5, 1.0, 3.0) * np.sqrt(np.pi / 2)
    apart = rng.normal(size=n) * scale * factor
    error, expected = (apart**2, scale**2) if squared else (np.abs(apart), scale * np.sqrt(2 / np.pi))
    each, known = np.tile(expected, (FOLDS, 1)), rng.random(n) < labels
    everyone = np.ones((n, 1), np.bool_)
    return AbsoluteErrors(
        n=np.full((1, 1), float(n)),
        sampled=RowErrors.of(each, everyone),
        labelled=RowErrors.of(each[:, known], everyone[known]),
        realised=np.full((1, 1), error[known].mean() if known.any() else np.nan),
        relative=2.0 if squared else np.pi / 2 - 1,
        outside={},
        learned=1_000,
        gone=np.zeros((1, 1), np.bool_),
    )


def computed(name: str, target: ExpectedErrors, **params: Any) -> Result:
    """What the measure makes of it."""
    found: Result = catalogue.spec(f"performance.estimated_{name}").compute(target, None, ErrorParams(**params))
    return found


def bounds(found: Result) -> tuple[float, float]:
    assert found.interval is not None
    low, high = found.interval(np.ones(1))
    return low.item(), high.item()


def document(found: Result) -> dict[str, Any]:
    assert found.evidence is not None
    return found.evidence((np.zeros(1, np.intp), np.zeros(1, np.intp)))[0]


def seed(number: int = 1) -> np.random.Generator:
    return np.random.default_rng(number)


@pytest.mark.parametrize("name", NAMES)
def test_intervals_hold_what_labels_give(name: str) -> None:
    """In 92 % to 98 % of windows: it is the value that the labels of these very rows would give."""
    rng, held = seed(), []
    for _ in range(600):
        one = window(rng, 200, squared=name == "rmse")
        low, high = bounds(computed(name, one))
        truth = one.realised.item()
        held.append(low <= (np.sqrt(truth) if name == "rmse" else truth) <= high)
    assert 0.92 <= np.mean(held) <= 0.98


def test_trees_that_disagree_and_rows_that_were_not_drawn_widen_the_interval() -> None:
    """By the jackknife over the folds, and by the share of the rows that are not in the sample."""
    one = window(seed(), 400)
    width = np.subtract(*bounds(computed("mae", one))[::-1])
    apart = one.sampled.each + np.array([-0.2, -0.1, 0.0, 0.1, 0.2])
    wide = computed("mae", replace(one, sampled=replace(one.sampled, each=apart)))
    assert document(wide)["calibration_error"] == pytest.approx(np.sqrt(4 / 5 * 0.1))
    assert np.subtract(*bounds(wide)[::-1]) > 2 * width
    assert wide.value.item() == one.sampled.mean.item()
    many = replace(one, n=np.full((1, 1), 1e9))
    variance = one.sampled.square - one.sampled.mean**2
    assert document(computed("mae", many))["sampling_error"] == pytest.approx(np.sqrt(variance.item() / 399), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_labels_that_give_a_larger_error_break_the_assumption_and_widen_what_comes(name: str) -> None:
    """Once at least half of the rows have one; errors as expected break nothing."""
    squared = name == "rmse"
    fine, wrong = computed(name, window(seed(), 2_000, squared=squared)), computed(name, window(seed(), 2_000, factor=1.5, squared=squared))
    assert fine.broken is not None
    assert not fine.broken.any()
    assert wrong.broken is not None
    assert wrong.broken.all()
    assert wrong.note is not None
    assert str(wrong.note.item()).startswith("assumptions broken: labels of 2000 of 2000 rows give ")
    assert document(wrong)["assumptions"][1]["holds"] is False
    few = computed(name, window(seed(), 2_000, labels=0.4, factor=1.5, squared=squared))
    assert few.broken is not None
    assert not few.broken.any()
    assert document(few)["assumptions"][1]["holds"] is None
    assert "realised" not in document(few)
    before = tuple(window(seed(number), 2_000, factor=1.5, squared=squared) for number in range(3))
    later = computed(name, replace(window(seed(9), 2_000, labels=0.0, squared=squared), earlier=before))
    low, high = bounds(later)
    true = computed(name, window(seed(10), 200_000, squared=squared)).value.item() * 1.5
    assert low < true < high


def test_rows_outside_of_the_reference_break_it_at_once() -> None:
    """Beyond the share that is to expect by chance."""
    one = window(seed(), 1_000, labels=0)
    for share, broken in ((0.04, False), (0.08, True)):
        found = computed("mae", replace(one, outside={"features": (np.full((1, 1), 1_000 * share), 0.01)}))
        assert found.broken is not None
        assert found.broken.item() is broken
    assert found.note is not None
    assert found.note.item() == "features of 8 % of the rows lie where the reference has none"


def test_there_is_a_reason_where_there_is_no_estimate() -> None:
    """A small reference, events that are gone, a segment that is not in the sample, and errors beyond numbers."""
    one = window(seed(), 100)
    nothing = RowErrors.nothing((1, 1))
    for other, why in (
        (replace(one, learned=0, sampled=nothing, labelled=nothing), "fewer than 200 rows with a label are kept of the reference"),
        (
            replace(one, gone=np.ones((1, 1), np.bool_), sampled=nothing, labelled=nothing),
            "raw events are not there any more",
        ),
        (replace(one, sampled=nothing, labelled=nothing), "none of the rows is in the sample"),
        (replace(one, exact=True), "all errors of the reference are 0"),
        (replace(one, sampled=replace(one.sampled, square=np.full((1, 1), np.inf))), "errors are too large for a number"),
    ):
        found = computed("rmse", other)
        assert np.isnan(found.value.item())
        assert found.why is not None
        assert found.why.item() == why
        assert np.isnan(bounds(found)).all()
        assert found.broken is not None
        assert not found.broken.any()


def test_few_sampled_rows_tell_nothing_unless_they_are_all() -> None:
    """One row has no spread, and would break the support alone."""
    for rows, n, there in ((1, 1, True), (1, 2, False), (49, 49, True), (49, 60, False), (50, 60, True)):
        one = replace(window(seed(), rows), n=np.full((1, 1), float(n)))
        found = computed("mae", one)
        assert np.isfinite(found.value.item()) == there
        assert np.isfinite(bounds(found)).all() == there
        assert there or (found.why is not None and found.why.item() == "fewer than 50 of the rows are in the sample")


def test_rows_of_a_reference_that_is_being_stored_are_not_sampled() -> None:
    """A part of it is another sample, or too few; its panes come last."""
    reads: Any = SimpleNamespace(
        once=lambda _key, make: make(), reference_stored=Mock(side_effect=Retryable("later")), sample_of_reference=Mock()
    )
    with pytest.raises(Retryable, match="later"):
        kept(reads, 10)
    reads.sample_of_reference.assert_not_called()


def test_params_are_checked() -> None:
    """A wrong one is refused with what is allowed."""
    spec = catalogue.spec("performance.estimated_mae")
    assert field.params({}, spec, contract(Task.REGRESSION)) == {"outside": 0.05, "tolerance": 0.1, "earlier": 7}
    with pytest.raises(ConfigError, match="outside, tolerance, earlier"):
        field.params({"tolerence": 0.1}, spec, contract(Task.REGRESSION))
    with pytest.raises(ConfigError, match=r"params.tolerance"):
        field.params({"tolerance": 0}, spec, contract(Task.REGRESSION))


def test_the_mean_over_segments_is_that_of_their_rows() -> None:
    """Also where a segment has none."""
    each = np.arange(FOLDS * 4, dtype=float).reshape(FOLDS, 4)
    inside = np.array([[True, True, False], [True, False, False], [True, True, False], [True, False, False]])
    found: Any = RowErrors.of(each, inside)
    expected: Floats = each.mean(0)
    assert found.rows.tolist() == [[4, 2, 0]]
    assert found.mean[0, :2] == pytest.approx([expected.mean(), expected[[0, 2]].mean()])
    assert found.each[0, 1] == pytest.approx(each[:, [0, 2]].mean(1))
    assert found.square[0, 0] == pytest.approx((expected**2).mean())
    assert np.isnan(found.mean[0, 2])
