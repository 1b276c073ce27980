"""Performance of regressions, from rows to values, against scikit-learn."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from core.baseline.previous import Previous
from core.block import Floats
from core.contract import Contract
from detectors.performance.losses import TOO_LARGE
from tests.monitors.outcomes import Store, numbers, readings, value

NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.floats(-1e6, 1e6))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40)


def sides(pairs: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Predictions and labels."""
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


@settings(max_examples=40, deadline=None)
@example([(0.0, 5e-324), (1.0, 0.0)])
@given(PAIRS)
def test_errors_are_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    """With zeros, ties and labels of very different sizes."""
    said, true = sides(pairs)
    store, residual = numbers(said, true), said - true
    with np.errstate(over="ignore"):  # of labels of 5e-324 a quotient is too large for a number, and has no value
        relative = np.abs(residual).sum() / np.abs(true).sum() if true.any() else np.nan
    wanted = {
        "mae": metrics.mean_absolute_error(true, said),
        "rmse": metrics.root_mean_squared_error(true, said),
        "mse": metrics.mean_squared_error(true, said),
        "bias": residual.mean(),
        "max_error": metrics.max_error(true, said),
        "smape": np.mean([0.0 if a == b == 0 else 2 * abs(a - b) / (abs(a) + abs(b)) for a, b in pairs]),
        "wape": relative if np.isfinite(relative) else np.nan,
        "mape": metrics.mean_absolute_percentage_error(true[true != 0], said[true != 0]) if true.any() else np.nan,
    }
    for name, one in wanted.items():
        assert value(store, f"performance.{name}") == pytest.approx(one, rel=1e-9, abs=1e-9, nan_ok=True), name
    for q in (0.05, 0.5, 0.9):
        loss = metrics.mean_pinball_loss(true, said, alpha=q)
        assert value(store, "performance.quantile_loss", {"q": q}) == pytest.approx(loss, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(PAIRS)
def test_r2_is_scikit_learns(pairs: list[tuple[float, float]]) -> None:
    """Constant labels have none."""
    said, true = sides(pairs)
    found = value(numbers(said, true), "performance.r2")
    if len(pairs) == 1:
        assert np.isnan(found)
        return
    wanted = metrics.r2_score(true, said)
    if np.ptp(true) < max(1e-3 * np.abs(true).max(), 1e-100):  # so few digits are left of how they vary
        assert np.isnan(found) or found == pytest.approx(wanted, rel=1e-2, abs=1e-2)
    else:
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("middle", [0.0, 1e8])
def test_r2_is_right_or_missing_however_large_labels_are(middle: float) -> None:
    """With a reference near the labels it is exact; far from it, it has no value as soon as digits are lost."""
    rng = np.random.default_rng(6)
    for spread in (1e-3, 1.0, 1e3, 1e6):
        true = 1e8 + rng.normal(0, spread, 20_000)
        said = true + rng.normal(0, spread / 2, 20_000)
        held = numbers(said, true)
        outputs = tuple(msgspec.structs.replace(column, edges=(middle,)) for column in held.contract.outputs)
        found = value(Store(msgspec.structs.replace(held.contract, outputs=outputs), held.rows), "performance.r2")
        if middle:
            assert found == pytest.approx(metrics.r2_score(true, said), rel=1e-9)
        else:
            assert np.isnan(found) if spread < 1e2 else found == pytest.approx(metrics.r2_score(true, said), abs=1e-3)


def test_mape_leaves_out_labels_of_zero_and_says_how_many() -> None:
    """N stays the number of labelled rows."""
    (reading,) = readings(numbers(np.array([1.0, 2.0, 3.0]), np.array([0.0, 4.0, 0.0])), "performance.mape")
    assert (reading.value, reading.n_target, reading.evidence["left_out"]) == (0.5, 3, 2)


def test_the_largest_error_of_a_window_is_that_of_its_panes() -> None:
    """Each hour has its own."""
    store = numbers(np.array([1.0, -9.0, 2.0]), np.zeros(3), np.array([0, 0, 1]))
    assert [one.value for one in readings(store, "performance.max_error", hours=3)] == [9, 2, None]


@pytest.mark.parametrize("name", ["mae", "bias", "mse", "r2", "max_error", "mape", "smape", "wape", "quantile_loss"])
def test_errors_beyond_every_number_have_no_value(name: str) -> None:
    """Infinity never leaves a detector."""
    found = value(numbers(np.array([1.7e308, -1.7e308]), np.array([-1.7e308, 1.7e308])), f"performance.{name}")
    assert np.isnan(found) or name == "smape"


def test_wape_has_no_value_where_labels_are_too_large_for_a_sum() -> None:
    """Finite errors over an infinite sum would be 0."""
    (reading,) = readings(numbers(np.array([1.6e308, 1.6e308]), np.array([1.7e308, 1.7e308])), "performance.wape")
    assert reading.value is None
    assert TOO_LARGE in str(reading.reason)


class Older(Store):
    """Panes from before there were as many losses."""

    def performance(self, contract: Contract, *asked: Any) -> pa.Table:
        """With the losses of the first versions."""
        table = super().performance(contract, *asked)
        for name in ("loss", "loss_count", "loss_sum", "loss_square"):
            held = pa.array([row[:3] for row in table[name].to_pylist()], table.schema.field(name).type)
            table = table.set_column(table.column_names.index(name), name, held)
        return table


def test_panes_of_before_give_what_they_have_and_say_how_to_get_the_rest() -> None:
    """A rebuild makes them again."""
    now = numbers(np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    before = Older(now.contract, now.rows)
    assert value(before, "performance.mae") == 1.25
    for name in ("mape", "smape", "wape", "r2", "max_error"):
        (reading,) = readings(before, f"performance.{name}")
        assert reading.value is None
        assert "watchkeeper rebuild" in str(reading.reason)


def test_the_reason_is_that_of_the_baseline_if_it_has_no_value() -> None:
    """Of its own rows, not what may be wrong with the measure at all."""
    store = numbers(np.array([1e308, 1.0]), np.array([-1e308, 2.0]), np.array([0, 1]))
    found = readings(store, "performance.mae", hours=2, baseline=Previous(1))
    assert (found[1].value, found[1].verdict) == (1, "not_estimable")
    assert found[1].reason == f"baseline: {TOO_LARGE}"
