"""What a monitor has told of late: windows of the last 30 days in which an episode was open."""

from __future__ import annotations

from core import moment
from core.moment import DAY
from core.span import Spans
from watchkeeper.reader.observed import observed

DAYS = Spans.of([(day * DAY, (day + 1) * DAY) for day in range(40)])


def test_windows_with_an_open_episode_are_counted_once() -> None:
    """From the window that fired to the one before that which resolved; two episodes at a time are one window; an open one lasts until now."""
    found = observed(DAYS, lambda _: [(5 * DAY, 14 * DAY), (20 * DAY, 23 * DAY), (21 * DAY, 24 * DAY), (39 * DAY, None)])
    assert found == {
        "from": moment.text(10 * DAY),
        "to": moment.text(40 * DAY),
        "windows": 30,
        "alarm_windows": 3 + 4 + 2,  # those that end on days 11 to 13, 20 to 23, and 39 and 40
        "episodes": 4,
        "time_in_alarm": "9d",
    }


def test_only_episodes_of_these_days_are_asked_for() -> None:
    """What ended before is not read, and what will fire after the newest window is not counted."""
    asked: list[int] = []

    def fired(since: int) -> list[tuple[int, int | None]]:
        asked.append(since)
        return [(41 * DAY, None)]

    found = observed(DAYS, fired)
    assert asked == [10 * DAY]
    assert found is not None
    assert (found["alarm_windows"], found["episodes"], found["time_in_alarm"]) == (0, 0, "0d")


def test_time_in_windows_that_overlap_counts_once() -> None:
    """Sliding windows of three days, each day one."""
    sliding = Spans.of([(day * DAY, (day + 3) * DAY) for day in range(20)])
    found = observed(sliding, lambda _: [(10 * DAY, 12 * DAY), (20 * DAY, 21 * DAY)])
    assert found is not None
    assert (found["alarm_windows"], found["time_in_alarm"]) == (3, "7d")


def test_without_a_closed_window_nothing_is_observed() -> None:
    """None, and nothing is asked."""
    assert observed(Spans.none(), lambda _: []) is None
