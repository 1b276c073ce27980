"""Planted breaks whose cause is found (the long form is `python -m validation.causes`)."""

from __future__ import annotations

import numpy as np
import pytest

from validation.causes import KINDS, right


@pytest.mark.parametrize("kind", KINDS)
def test_the_cause_of_a_planted_break_is_found(kind: str) -> None:
    """The slice that was broken is first, its column too, and the part of the split that holds most is the right one."""
    assert [right(KINDS[kind](np.random.default_rng(seed))) for seed in range(2)] == [(True, True, True)] * 2
