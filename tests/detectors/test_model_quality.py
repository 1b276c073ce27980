"""Measures of the quality of a whole model, against numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.block import Ints
from detectors import catalogue
from detectors.evidence import Delays, Labelling
from detectors.quality.label_delay import DelayParams
from detectors.summary.delay import DELAY_BINS, delay_bins, delays

YEARS = 100 * 366 * moment.DAY


def block(found: list[int]) -> Delays:
    """The evidence of delays in microseconds, in one place."""
    held = np.array(found, np.int64)
    bins = delay_bins(held)
    counts, sums = (np.asarray(np.bincount(bins, weight, DELAY_BINS), np.float64) for weight in (np.ones(len(held)), held / moment.SECOND))
    return Delays(np.array([float(len(held))]), counts[None], sums[None])


@given(st.lists(st.integers(0, YEARS), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_a_delay_is_within_2_percent_of_numpys_quantile(found: list[int], q: float) -> None:
    """Or within a millisecond, from milliseconds to a hundred years."""
    result = catalogue.spec("quality.label_delay").compute(block(found), None, DelayParams(q))
    wanted = float(np.quantile(np.array(found), q, method="inverted_cdf")) / moment.SECOND
    assert abs(result.value[0] - wanted) <= 0.02 * wanted + 0.001 + 1e-9
    assert result.evidence is not None
    assert np.isclose(result.evidence((np.array([0]),))[0]["mean"], np.mean(np.array(found)) / moment.SECOND)


def test_equal_delays_are_exact() -> None:
    """The mean of the bin is then the delay itself."""
    assert catalogue.spec("quality.label_delay").compute(block([2 * moment.DAY] * 9), None, DelayParams()).value.tolist() == [172_800.0]


def test_a_label_before_its_prediction_has_no_delay() -> None:
    """It counts as 0, in the first bin."""
    ts: Ints = np.array([moment.DAY, moment.DAY])
    found = delays(ts, np.array([0, 2 * moment.DAY]))
    assert found.tolist() == [0, moment.DAY]
    assert delay_bins(found)[0] == 0


def test_delays_that_some_panes_lack_have_no_value() -> None:
    """Panes of an earlier version count labelled rows without delays, and the reason says what to do."""
    whole = block([moment.HOUR] * 3)
    result = catalogue.spec("quality.label_delay").compute(Delays(whole.n + 1, whole.counts, whole.sums), None, DelayParams())
    assert np.isnan(result.value[0])
    assert result.why is not None
    assert "watchkeeper rebuild" in result.why[0]


def test_coverage_is_the_share_of_labelled_predictions() -> None:
    """Without predictions there is none."""
    spec = catalogue.spec("quality.label_coverage")
    result = spec.compute(Labelling(np.array([8.0, 0.0]), np.array([6.0, 0.0])), None, spec.params())
    assert result.value[0] == 0.75
    assert np.isnan(result.value[1])
