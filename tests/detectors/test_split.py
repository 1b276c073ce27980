"""Whether traffic is split as it is meant to be: which panes count, and that a fair split is not called biased."""

from __future__ import annotations

import numpy as np
import pytest

from core.block import Floats
from detectors.compare.split import biased, counted

_PANES = 2_000


def traffic(share: float, rows: float, off: slice = slice(0, 0)) -> tuple[Floats, Floats]:
    """Rows of both sides by pane; b is off in some panes, and has fewer in the one in which it ends."""
    rng = np.random.default_rng(2)
    total = rng.poisson(rows, _PANES)
    b = np.asarray(rng.binomial(total, share), np.float64)
    if off.stop:
        b[off.start] = b[off.start] // 3
        b[off.start + 1 : off.stop] = 0
        b[off.stop : off.stop + 1] = b[off.stop : off.stop + 1] // 2
    return np.asarray(total - b, np.float64), b


def so_far(a: Floats, b: Floats, share: float) -> tuple[Floats, Floats]:
    """What counts of panes without gaps."""
    return counted(a, b, np.arange(len(a)) > 0, share)


@pytest.mark.parametrize(("share", "rows"), [(0.05, 40), (0.05, 5), (0.01, 300), (0.5, 2)])
def test_panes_without_a_row_of_a_side_that_gets_few_count(share: float, rows: float) -> None:
    """They are as likely as they are: leaving them out would give b more than its share."""
    a, b = so_far(*traffic(share, rows), share)
    assert a[-1] + b[-1] > 0.1 * rows * _PANES
    assert not biased(a, b, share).any()


@pytest.mark.parametrize("off", [slice(0, 700), slice(500, 900), slice(500, _PANES)])
@pytest.mark.parametrize(("share", "rows"), [(0.05, 1_000), (0.05, 40), (0.5, 3)])
def test_times_in_which_a_side_is_off_do_not_count(share: float, rows: float, off: slice) -> None:
    """Nor the panes in which it ends and begins; a split that differs while both are there is still found."""
    a, b = traffic(share, rows, off)
    assert not biased(*so_far(a, b, share), share).any()
    assert biased(*so_far(a, b, share / 2), share / 2)[-1]


def test_what_is_told_of_a_pane_depends_on_no_later_one() -> None:
    """The first panes tell the same when the others have come."""
    a, b = traffic(0.05, 40, slice(500, 900))
    for held, part in zip(so_far(a, b, 0.05), so_far(a[:600], b[:600], 0.05), strict=True):
        np.testing.assert_array_equal(held[:600], part)


def test_panes_beside_a_gap_do_not_count() -> None:
    """A side may have begun within them."""
    a, b, joined = np.full(9, 5.0), np.full(9, 5.0), np.arange(9) != 5
    b[4], b[5] = 1, 1
    np.testing.assert_array_equal(np.diff(counted(a, b, joined, 0.5)[1], prepend=0), [0, 0, 5, 5, 5, 0, 0, 5, 5])
