"""Schedules of cron."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from alerts.retrain import cron
from core import moment
from core.error import ConfigError


def at(text: str, zone: str) -> int:
    return moment.of(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("0 3 * * 1", "UTC", "2026-11-29T12:00", "2026-11-30T03:00"),  # the 30th is a Monday
        ("0 3 * * 1", "UTC", "2026-11-30T03:00", "2026-12-07T03:00"),  # the time itself is over
        ("*/15 * * * *", "UTC", "2026-11-29T23:50", "2026-11-30T00:00"),
        ("5-10/5 8,20 * * *", "UTC", "2026-11-29T08:06", "2026-11-29T08:10"),
        ("0 0 29 feb *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 13 * 5", "UTC", "2026-11-08T00:00", "2026-11-13T00:00"),  # the 13th or a Friday
        ("0 12 * * sun", "Europe/Rome", "2026-11-29T11:00", "2026-11-29T12:00"),
        ("0 12 * * 7", "Europe/Rome", "2026-11-29T11:00", "2026-11-29T12:00"),
        ("30 2 * * *", "Europe/Rome", "2027-03-28T00:00", "2027-03-28T03:30"),  # 02:30 is skipped
        ("30 2 * * *", "Europe/Rome", "2026-10-25T02:30", "2026-10-26T02:30"),  # comes twice, is taken once
    ],
)
def test_the_next_time_of_a_schedule(expression: str, zone: str, after: str, expected: str) -> None:
    """By the clock of its zone, over months, leap years and changes of the clocks."""
    assert moment.text(cron.following(cron.parse(expression), zone, at(after, zone))) == moment.text(at(expected, zone))


@pytest.mark.parametrize(
    "wrong", ["", "* * * *", "60 * * * *", "* * 0 * *", "* * * 13 *", "5-1 * * * *", "*/0 * * * *", "x * * * *", "0 0 30 2 *", None]
)
def test_what_is_no_schedule_is_refused(wrong: object) -> None:
    """With an example."""
    with pytest.raises(ConfigError) as raised:
        cron.parse(wrong)
    assert raised.value.remedy
