"""Volume against what is expected."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors import catalogue
from detectors.arrival import Volume
from detectors.spec import NoParams

NONE = np.zeros(1, np.int64)
REFERENCE = Volume(np.array([10_000.0]), np.array([np.nan]), np.array([np.nan]), NONE, of_reference=True)


def test_volume_is_a_multiple_of_what_is_expected_with_the_f_law_of_its_dispersion() -> None:
    """No rows are a value, 0; where nothing is expected, or not known, there is none."""
    target = Volume(np.array([50.0, 0.0, 5.0, 5.0]), np.array([100.0, 100.0, 0.0, np.nan]), np.full(4, 4.0), np.array([12, 12, 12, 12]))
    found = catalogue.spec("quality.volume").compute(target, REFERENCE, NoParams())
    assert found.value[:2].tolist() == [0.5, 0.0]
    assert np.isnan(found.value[2:]).all()
    assert found.why is not None
    assert found.why[2:].tolist() == ["no rows are expected", "the reference does not say when its rows came"]
    assert found.evidence is not None
    first, _ = found.evidence((np.array([0, 1]),))
    assert first == {"expected": 100.0, "phi": 4.0, "windows": 12, "p": pytest.approx(stats.f.sf(50**2 / 400, 1, 11))}


def test_against_the_stream_the_rows_of_the_baseline_are_expected() -> None:
    """The evidence has no law then."""
    nothing = np.array([np.nan])
    sides = [
        Volume(np.array([30.0]), nothing, nothing, NONE),
        Volume(np.array([60.0]), np.array([20.0]), nothing, NONE),
    ]  # of three windows
    found = catalogue.spec("quality.volume").compute(sides[0], sides[1], NoParams())
    assert found.value.tolist() == [1.5]
    assert found.evidence is not None
    assert found.evidence((np.array([0]),)) == [{"expected": 20.0}]


def test_no_rows_reach_every_threshold() -> None:
    """A ratio of 0 is as far from 1 as can be; twice as many reach 2, as half as many do."""
    about = catalogue.MEASURES["quality.volume"]
    assert about.worse(np.array([0.0, 0.5, 2.0]), np.nan, against=True).tolist() == [np.inf, 2.0, 2.0]
