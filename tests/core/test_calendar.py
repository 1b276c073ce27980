"""Windows of the calendar and all baselines, on random calendars, compared with what `datetime` says of each hour."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.baseline import kind as baselines
from core.calendar import WEEKDAYS, Calendar, Unit
from core.error import ConfigError
from core.span import Spans
from core.window import kind as windows
from core.window.period import NAMES, Period
from core.window.to_date import ToDate
from core.window.tumbling import Tumbling

# Whole and half hours, quarters of hours, clocks that change by half an hour, midnights that clocks skip, and a day that never was (Apia, 2011-12-30).
ZONES = (
    "UTC", "America/New_York", "Europe/Rome", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia",
    "Pacific/Chatham", "Africa/Casablanca", "Asia/Tehran", "America/Havana",
)  # fmt: skip
PANE = 15 * moment.MINUTE
FIRST, LAST = moment.parse("2008-01-01T00:00:00Z"), moment.parse("2019-01-01T00:00:00Z")
UNITS = st.sampled_from(list(Unit))
calendars = st.builds(
    Calendar,
    st.sampled_from(ZONES),
    st.sampled_from(WEEKDAYS),
    st.integers(1, 12),
    st.integers(0, 90).map(lambda quarters: quarters * PANE),
)
moments = st.integers(FIRST // PANE, LAST // PANE).map(lambda quarters: quarters * PANE)


def date(calendar: Calendar, time: int) -> dt.date:
    """The date on a wall of the zone."""
    return moment.to_datetime(time - calendar.offset).astimezone(ZoneInfo(calendar.timezone)).date()


def begins(calendar: Calendar, unit: Unit, day: dt.date) -> dt.date:
    """The first day of the period that holds a day, by counting back."""
    while not (
        unit is Unit.DAY
        or (unit is Unit.WEEK and day.weekday() == WEEKDAYS.index(calendar.week_start))
        or (unit in (Unit.MONTH, Unit.QUARTER, Unit.YEAR) and day.day == 1 and (day.month - calendar.year_start) % unit.months == 0)
    ):
        day -= dt.timedelta(1)
    return day


def earlier(unit: Unit, day: dt.date, count: int) -> dt.date:
    """The same day so many periods earlier, or the last of its month."""
    if not unit.months:
        return day - dt.timedelta(unit.days * count)
    year, month = divmod(day.year * 12 + day.month - 1 - unit.months * count, 12)
    days = [dt.date(year, month + 1, number) for number in range(28, 32) if number <= 28 or _exists(year, month + 1, number)]
    return min(days[-1], dt.date(year, month + 1, 1) + dt.timedelta(day.day - 1))


def _exists(year: int, month: int, day: int) -> bool:
    try:
        return bool(dt.date(year, month, day))
    except ValueError:
        return False


def held(spans: Spans, time: int, place: int = 0) -> bool:
    return int(spans.start[place]) <= time < int(spans.end[place])


@given(calendars, UNITS, moments, st.lists(st.integers(-60_000, 60_000), max_size=30))
def test_a_window_holds_the_times_whose_date_is_in_its_period(calendar: Calendar, unit: Unit, time: int, others: list[int]) -> None:
    """Each time is in one window of whole periods, and in the window to date of each later day of its period."""
    day = date(calendar, time)
    first = begins(calendar, unit, day)
    whole, to_date = Period(unit, calendar).between(time, time), ToDate(unit, calendar).between(time, time)
    assert len(whole) == len(to_date) == 1
    for other in [time, *(time + apart * PANE for apart in others)]:
        its = date(calendar, other)
        assert held(whole, other) == (begins(calendar, unit, its) == first)
        assert held(to_date, other) == (begins(calendar, unit, its) == first and its <= day)


@given(calendars, UNITS, moments, st.integers(0, 40_000))
def test_windows_follow_one_another(calendar: Calendar, unit: Unit, time: int, length: int) -> None:
    """Nothing is lost and nothing counted twice; the next window closes after the time asked for, and no window before it."""
    until = time + length * PANE
    whole, to_date = Period(unit, calendar), ToDate(unit, calendar)
    spans, days = whole.between(time, until), to_date.between(time, until)
    assert (spans.start[1:] == spans.end[:-1]).all()
    assert held(spans, time)
    assert held(spans, until, -1)
    assert days.pairs() == sorted(set(days.pairs()))
    assert (days.end == Period(Unit.DAY, calendar).between(time, until).end).all()
    assert ((spans.end - spans.start) <= whole.longest).all()
    assert ((days.end - days.start) <= to_date.longest).all()
    for window, found in ((whole, spans), (to_date, days)):
        assert window.closes(time) == found.end[0] > time
        assert window.closes(int(found.end[0])) > found.end[0]
        assert all(bound % PANE == 0 for pair in found.pairs() for bound in pair)
        assert window.fits(PANE)


@given(calendars, UNITS, UNITS, moments, st.integers(1, 3), st.integers(-60_000, 60_000))
def test_windows_of_earlier_periods_hold_the_same_days(
    calendar: Calendar, unit: Unit, other: Unit, time: int, count: int, apart: int
) -> None:
    """The window before, and the same one of an earlier week, month, quarter or year, by the dates of the times that they hold."""
    day, probe = date(calendar, time), time + apart * PANE
    its, first = date(calendar, probe), begins(calendar, unit, day)
    whole, to_date = Period(unit, calendar), ToDate(unit, calendar)
    spans, days = whole.between(time, time), to_date.between(time, time)
    before = [earlier(unit, first, back) for back in range(1, count + 1)]
    assert held(whole.before(spans, count)[0], probe) == (begins(calendar, unit, its) in before)
    for back, part in enumerate(to_date.before(days, count), 1):
        assert held(part, probe) == (begins(calendar, unit, its) == before[back - 1] and its <= earlier(unit, day, back))
    if other.rank >= unit.rank:
        move = (lambda one: one - dt.timedelta(7 * other.weeks * count)) if unit is Unit.WEEK else (lambda one: earlier(other, one, count))
        assert held(whole.moved(spans, other, count), probe) == (move(first) <= its < _next(unit, move(first)))
        assert held(to_date.moved(days, other, count), probe) == (move(first) <= its <= move(day))
        assert whole.moved(spans, other, 1).end[0] <= spans.start[0]
        assert whole.apart(other)


def _next(unit: Unit, day: dt.date) -> dt.date:
    return earlier(unit, day, -1)


@given(moments, st.integers(1, 300), st.integers(1, 4), st.data())
def test_baselines_of_windows_of_one_length_are_as_long_before(time: int, hours: int, count: int, data: st.DataObject) -> None:
    """In UTC, where a week is seven days: each baseline in words of hours."""
    window, hour = Tumbling(hours * moment.HOUR), moment.HOUR
    spans = window.between(time, time)
    start, end = spans.pairs()[0]

    def pooled(written: object) -> list[tuple[int, int]]:
        found = baselines.read(written)
        assert found is not None
        assert baselines.read(found.written) == found
        return [pair for part in found.spans(spans, window) for pair in part.pairs()]

    assert pooled({"previous": count}) == [(start - count * (end - start), start)]
    assert pooled({"rolling": f"{count}h"}) == [(start - count * hour, start)]
    assert pooled("expanding") == [(moment.EARLIEST, start)]
    assert pooled({"same_weekday": count}) == [(start - week * 168 * hour, end - week * 168 * hour) for week in range(1, count + 1)]
    unit = data.draw(st.sampled_from([Unit.MONTH, Unit.QUARTER, Unit.YEAR]))
    day = moment.to_datetime(start)
    then = dt.datetime.combine(earlier(unit, day.date(), 1), day.timetz())
    assert pooled({"same_period_last": str(unit)}) == [(moment.of(then), moment.of(then) + end - start)]
    low = data.draw(st.integers(-5, 5)) * hours * hour + start
    found = pooled({"from": moment.text(low), "to": moment.text(low + hour)})
    assert found == [(low, low if start < low + hour and end > low else low + hour)]


@pytest.mark.parametrize(("day", "hours"), [("2013-03-10T12:00:00Z", 23), ("2013-11-03T12:00:00Z", 25), ("2013-06-01T12:00:00Z", 24)])
def test_days_on_which_clocks_change_have_23_and_25_hours(day: str, hours: int) -> None:
    """In New York."""
    span = Period(Unit.DAY, Calendar("America/New_York")).between(*[moment.parse(day)] * 2)
    assert span.end - span.start == [hours * moment.HOUR]


@pytest.mark.parametrize("name", [*NAMES, "week_to_date", "month_to_date", "quarter_to_date", "year_to_date"])
def test_windows_read_back(name: str) -> None:
    """What is written is what is read; what is as usual is not written."""
    fields = {"window": name, "timezone": "Asia/Kolkata", "week_start": "sunday", "year_start": 4, "offset": "2h"}
    found = windows.read(fields)
    assert found is not None
    assert found.written == fields
    assert windows.read({"window": name, "timezone": "UTC", "year_start": 1}) == windows.read({"window": name})
    assert found.fits(30 * moment.MINUTE)
    assert not found.fits(moment.HOUR)


@pytest.mark.parametrize(
    ("zone", "since"),
    [("Asia/Singapore", "1983-01-02"), ("Asia/Pyongyang", "2019-05-06"), ("America/Caracas", "2017-05-03"), ("Asia/Kolkata", None)],
)
def test_a_zone_fits_from_the_last_half_hour_on(zone: str, since: str | None) -> None:
    """Also the year to date of the first event, which began up to a year before it."""
    calendar, date = Calendar(zone), Calendar(zone).fitting(moment.HOUR)
    assert not calendar.fits(moment.HOUR)
    assert (None if date is None else moment.text(date * moment.DAY)[:10]) == since
    if date is not None:
        assert calendar.fits(moment.HOUR, date * moment.DAY)
        assert not calendar.fits(moment.HOUR, (date - 1) * moment.DAY)
        assert ToDate(Unit.YEAR, calendar).between(date * moment.DAY, date * moment.DAY).start % moment.HOUR == 0


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"timezone": "Europe/Roma"}, "no time zone `Europe/Roma` (write an IANA name such as Europe/Rome"),
        ({"timezone": "../etc"}, "no time zone"),
        ({"timezone": 3}, "no time zone"),
        ({"week_start": "Montag"}, "no weekday"),
        ({"year_start": 13}, "no month"),
        ({"year_start": True}, "no month"),
        ({"offset": "1d"}, "as long as a day"),
        ({"every": "1h"}, "takes no `every`"),
    ],
)
def test_what_no_calendar_is_is_refused(fields: dict[str, object], why: str) -> None:
    """With what to write."""
    with pytest.raises(ConfigError, match=re.escape(why)):
        windows.read({"window": "daily", **fields})


def test_a_date_lies_in_what_stores_can_hold() -> None:
    """Periods before the first time that a store can hold are empty, and no error."""
    window = Period(Unit.QUARTER, Calendar("Europe/Rome"))
    (found,) = window.before(window.between(moment.EARLIEST, moment.EARLIEST), 366)
    assert found.start[0] < found.end[0]
    (none,) = window.before(found, 366)
    assert (none.end - none.start >= 0).all()
    assert np.array_equal(Calendar("UTC").date(np.array([-1, 0])), [-1, 0])
