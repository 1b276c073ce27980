"""Control charts against their textbook formulas, and how often they alarm where nothing changes."""

from __future__ import annotations

import numpy as np
import pytest

from core.contract import Task
from core.error import ConfigError
from detectors import catalogue
from detectors.change.chart import MOST, CusumParams, EwmaParams, course
from tests.detectors import blocks


def test_a_cusum_by_hand() -> None:
    """With a known mean and deviation: both sums, the larger over h, and anew after a detection."""
    found = course(np.array([1.0, 2.0, 4.0, 1.0, -3.0]), CusumParams(mean=0.0, sd=1.0, k=0.5, h=4.0))
    assert found.value.tolist() == [0.125, 0.5, 1.375, 0.125, 0.625]
    assert list(found.detections) == [2]
    assert found.first.tolist() == [0, 0, 0, 3, 3]


def test_an_ewma_by_hand() -> None:
    """The weighted mean over its exact standard deviation, which grows with the windows."""
    found = course(np.array([1.0, 0.0, 0.0]), EwmaParams(mean=0.0, sd=2.0, weight=0.5, limit=3.0))
    means, spreads = [0.25, 0.125, 0.0625], [np.sqrt(1 / 3 * (1 - 0.5 ** (2 * n))) for n in (1, 2, 3)]
    assert found.value.tolist() == pytest.approx([mean / (3 * spread) for mean, spread in zip(means, spreads, strict=True)])


def test_a_chart_learns_what_is_usual_at_first_and_after_a_detection() -> None:
    """Windows without a value are passed over. The onset is the planted window."""
    rng = np.random.default_rng(2)
    values = np.concatenate([rng.normal(0.9, 0.01, 40), rng.normal(0.7, 0.01, 40)])
    values[[3, 50]] = np.nan
    found = course(values, CusumParams(h=10))
    assert np.isnan(found.value[:21]).all()
    assert not np.isnan(found.value[21:40]).any()
    (one,) = found.detections.values()
    assert (one.at, one.onset) == (40, 40)
    assert [one.before, one.after] == pytest.approx([0.9, 0.7], abs=0.02)
    assert np.isnan(found.value[41:62]).all()
    assert found.mean[40] == pytest.approx(np.nanmean(values[:21]))


def test_a_value_that_was_always_the_same_and_moves_is_a_change() -> None:
    """There is no deviation to hold it against; the value stays finite."""
    found = course(np.array([5.0] * 25 + [6.0]), CusumParams())
    assert found.value[-2] == 0.0
    assert 1 < found.value[-1] <= MOST


@pytest.mark.parametrize(("params", "known"), [(CusumParams, (465, 0.1)), (EwmaParams, (560, 0.1))])
def test_the_time_to_a_false_alarm_is_the_published_one(params: type[CusumParams | EwmaParams], known: tuple[int, float]) -> None:
    """Of a known mean and deviation: 465 windows for CUSUM of 0.5 and 5 (Montgomery), 560 for EWMA of 0.2 and 3 (Lucas and Saccucci)."""
    rng, lengths = np.random.default_rng(11), list[int]()
    for _ in range(3):
        found = course(rng.normal(0, 1, 60_000), params(mean=0.0, sd=1.0))
        lengths += np.diff(list(found.detections)).tolist()
    assert np.mean(lengths) == pytest.approx(known[0], rel=known[1])


def test_a_mean_and_a_deviation_belong_together() -> None:
    """And without `of` accuracy is charted, of a regression the mean absolute error."""
    spec = catalogue.spec("change.cusum")
    with pytest.raises(ConfigError, match="belong together"):
        spec.settle(CusumParams(mean=1.0), blocks.contract(Task.BINARY))
    assert spec.settle(CusumParams(), blocks.contract(Task.BINARY)).of == "performance.accuracy"
    assert spec.settle(CusumParams(), blocks.contract(Task.REGRESSION)).of == "performance.mae"
