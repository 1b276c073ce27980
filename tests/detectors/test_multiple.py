"""Many tests at once: q-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from detectors.multiple import q_values


@pytest.mark.parametrize("dependent", [False, True])
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_q_values_are_those_of_the_definition(p: list[float], *, dependent: bool) -> None:
    """Benjamini and Hochberg's, and Benjamini and Yekutieli's, as scipy has them; in the order of the tests."""
    assert np.allclose(
        q_values(np.array(p), dependent=dependent), false_discovery_control(p, method="by" if dependent else "bh"), rtol=1e-12, atol=0
    )


def test_what_is_no_test_does_not_count() -> None:
    """NaN stays NaN, and the others are adjusted for their own number."""
    found = q_values(np.array([np.nan, 0.01, np.nan, 0.5]))
    assert found.tolist()[1::2] == [0.02, 0.5]
    assert np.isnan(found[[0, 2]]).all()
    assert q_values(np.array([])).tolist() == []


def test_false_discoveries_stay_below_q_where_nothing_moved() -> None:
    """Of 1,000 runs of 50 columns without drift about 5 % have a column with q up to 0.05; with plain p-values nearly all have one."""
    p = np.random.default_rng(8).uniform(size=(1_000, 50))
    smallest = np.array([q_values(row).min() for row in p])
    assert 30 <= (smallest <= 0.05).sum() <= 70
    assert (p.min(1) <= 0.05).sum() > 900
