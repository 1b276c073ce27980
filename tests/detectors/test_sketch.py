"""Sketches estimate the number of distinct texts within their error."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.summary.sketch import REGISTERS, estimate, registers


def filled(texts: list[str]) -> np.ndarray:
    """The highest rank in each register."""
    ranks = np.zeros(REGISTERS)
    np.maximum.at(ranks, *registers(texts))
    return ranks


@pytest.mark.parametrize("distinct", [0, 1, 10, 1_000, 10_000, 100_000])
def test_the_estimate_is_within_four_standard_errors(distinct: int) -> None:
    """From none to far more than there are registers."""
    found = float(estimate(filled([f"value {place}" for place in range(distinct)])))
    assert abs(found - distinct) <= max(0.5, 4 * 1.04 / np.sqrt(REGISTERS) * distinct)


def test_sketches_merge_by_their_maximum() -> None:
    """Texts that are in both count once."""
    a, b = [f"{place}" for place in range(3_000)], [f"{place}" for place in range(2_000, 5_000)]
    assert np.array_equal(np.maximum(filled(a), filled(b)), filled(a + b))
