"""Durations and windows as people write them, and where windows lie."""

from __future__ import annotations

import pytest

from core import duration, moment
from core.error import ConfigError
from core.window.tumbling import Tumbling


def test_windows_are_aligned_to_the_epoch() -> None:
    """Seven-day windows start on a Thursday, also before 1970."""
    week = Tumbling(7 * moment.DAY)
    times = [moment.parse("2022-07-06T23:59:59Z"), moment.parse("1969-12-31T00:00:00Z")]
    assert [moment.text(int(week.between(time, time).start[0])) for time in times] == ["2022-06-30T00:00:00Z", "1969-12-25T00:00:00Z"]


@pytest.mark.parametrize(("after", "closes"), [(0, 10), (9, 10), (10, 20), (-1, 0)])
def test_a_window_closes_at_its_end(after: int, closes: int) -> None:
    """The next end is later than the time asked for."""
    assert Tumbling(10).closes(after) == closes


@pytest.mark.parametrize("text", ["90s", "5m", "1h", "1d", "7d", "2w"])
def test_durations_read_back(text: str) -> None:
    """What is written is what is read."""
    assert duration.parse(duration.text(duration.parse(text))) == duration.parse(text)


@pytest.mark.parametrize("text", ["", "1", "0d", "-1h", "1.5h", "1 h", "h", "1y"])
def test_other_texts_are_no_durations(text: str) -> None:
    """A text that is no duration is refused with the remedy."""
    with pytest.raises(ConfigError, match="whole number and a unit"):
        duration.parse(text)
