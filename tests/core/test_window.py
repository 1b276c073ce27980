"""Windows exist from the first event to the last; long silence leaves one mark."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment, window
from core.error import ConfigError
from core.window import LONGEST_GAP, Window


def test_windows_are_aligned_to_the_epoch() -> None:
    """Seven-day windows start on a Thursday, also before 1970."""
    week = Window(7 * moment.DAY)
    starts = week.start(np.array([moment.parse("2022-07-06T23:59:59Z"), moment.parse("1969-12-31T00:00:00Z")]))
    assert [moment.text(int(start)) for start in starts] == ["2022-06-30T00:00:00Z", "1969-12-25T00:00:00Z"]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8, unique=True), st.integers(0, 70))
def test_short_gaps_are_filled(occupied: list[int], until: int) -> None:
    """Every window between the first and the last exists as soon as it has closed."""
    found = Window(10).existing(np.array(occupied) * 10, until * 10)
    assert found.tolist() == [start * 10 for start in range(min(occupied), max(occupied) + 1) if start + 1 <= until]


@pytest.mark.parametrize(("gap", "expected"), [(LONGEST_GAP, LONGEST_GAP), (LONGEST_GAP + 1, 1)])
def test_of_a_long_gap_only_the_first_exists(gap: int, expected: int) -> None:
    """A thousand empty windows in a row are all there, of one more only the first."""
    found = Window(1).existing(np.array([0, gap + 1]), 10**9)
    assert len(found) == expected + 2


@pytest.mark.parametrize("text", ["90s", "5m", "1h", "1d", "7d", "2w"])
def test_durations_read_back(text: str) -> None:
    """What is written is what is read."""
    assert window.duration(window.duration_text(window.duration(text))) == window.duration(text)


@pytest.mark.parametrize("text", ["", "1", "0d", "-1h", "1.5h", "1 h", "h", "1y"])
def test_other_texts_are_no_durations(text: str) -> None:
    """A text that is no duration is refused with the remedy."""
    with pytest.raises(ConfigError, match="whole number and a unit"):
        window.duration(text)
