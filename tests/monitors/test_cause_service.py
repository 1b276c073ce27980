"""What rows add to measures of how a model serves."""

from __future__ import annotations

import numpy as np
import pytest

from core.block import Categories
from monitors.cause.service import harm

ALL = np.ones(4, np.bool_)


def test_a_latency_counts_the_rows_above_the_quantile_of_the_baseline() -> None:
    """A slice has the quantile of its own rows; rows without a latency do not count."""
    target, baseline = {"@latency_ms": np.array([5.0, 50.0, np.nan, 60.0, 1.0])}, {"@latency_ms": np.array([1.0, 2.0, 3.0, 4.0])}
    (own, before), way = harm("service.latency_p50", target, baseline)
    assert way is not None
    assert way.of_slice is not None
    np.testing.assert_array_equal(own, [1.0, 1.0, np.nan, 1.0, 0.0])
    assert before.mean() == 0.5
    assert way.of_slice(np.array([False, True, True, False]), ALL) == (50.0, 2.0)


@pytest.mark.parametrize(("measure", "value"), [("service.error_rate", 0.25), ("service.availability", 0.75)])
def test_errors_are_the_rows_with_that_status(measure: str, value: float) -> None:
    """Others that are neither `ok` nor `error` do not count."""
    statuses = {"@status": Categories(np.array([0, 0, 0, 1, 2], np.int32), ["ok", "error", "null"])}
    (own, _), way = harm(measure, statuses, statuses)
    assert way is not None
    assert float(way.value(np.array(np.nanmean(own)))) == value
    assert np.isnan(own[4])


@pytest.mark.parametrize("measure", ["service.throughput", "service.latency_p95", "service.error_rate"])
def test_without_a_signal_there_is_no_way(measure: str) -> None:
    """And none for what counts events."""
    assert harm(measure, {}, {}) == ([], None)
