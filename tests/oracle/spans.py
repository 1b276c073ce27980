"""Windows of the calendar, and baselines pooled from the stream, by pandas: which spans there are, and the readings of monitors over them.

Each window is taken as a stream of its own, and what it is compared with as a reference of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import config_context

from tests.oracle import dispersion
from tests.oracle.column import COMPARES
from tests.oracle.expected import lookup_of, verdict
from tests.oracle.found import Asked, Found
from tests.oracle.quality import expected_rows
from tests.oracle.rows import Rows, events
from tests.oracle.spec import DAY, Spec, duration

COLUMNS = (
    "monitor",
    "measure",
    "column",
    "segment",
    "window_start",
    "window_end",
    "value",
    "baseline_value",
    "n_target",
    "n_baseline",
    "verdict",
)
FLOATS = ("value", "baseline_value")
WHOLE = {"daily": "day", "weekly": "week", "monthly": "month", "quarterly": "quarter"}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_WEEKS = {"week": 1, "month": 4, "quarter": 13, "year": 52}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVER = -(1 << 60)


class Window(NamedTuple):
    """A window in microseconds; one of the calendar with its first and its last date."""

    start: int
    end: int
    first: pd.Timestamp | None = None
    last: pd.Timestamp | None = None


def expected(
    reference: pd.DataFrame, stream: pd.DataFrame, spec: Spec, monitors: Sequence[Mapping[str, Any]], moments: Sequence[str] = ()
) -> pd.DataFrame:
    """The readings of all traffic (`all`) of each monitor; see COLUMNS. With `moments` only those of three windows about each of them."""
    whole, live = Rows(reference, reference, spec), Rows(events(stream, spec), reference, spec)
    part = cache(partial(_part, live, whole))
    with config_context(assume_finite=True, skip_parameter_validation=True):
        rows = [row for monitor in monitors for row in _readings(monitor, whole, live, part, moments)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(FLOATS, float) | {"n_baseline": "Int64"})


def _kept(found: Sequence[Window], moments: Sequence[str]) -> Sequence[Window]:
    """The windows from the last that ends before one of some moments on, three of each; without moments all."""
    firsts = [sum(window.end <= _micros(at) for window in found) - 1 for at in moments]
    return [window for place, window in enumerate(found) if any(first <= place < first + 3 for first in firsts)] if moments else found


def windows(target: str | Mapping[str, Any], first: int, last: int) -> list[Window]:
    """The windows from the first that holds the time `first` to the last that holds the time `last`."""
    given = {"window": target} if isinstance(target, str) else target
    return _windows(tuple(given.items()), first, last)


@cache
def _windows(given: tuple[tuple[str, Any], ...], first: int, last: int) -> list[Window]:
    target = dict(given)
    unit = WHOLE.get(target["window"], target["window"].removesuffix("_to_date"))
    if unit == target["window"]:
        length = duration(unit)
        every = duration(target.get("every", unit))
        return [Window(at * every, at * every + length) for at in range((first - length) // every + 1, last // every + 1)]
    days = list(pd.date_range(_date(target, first), _date(target, last), freq="D"))
    if target["window"] in WHOLE:
        begins = sorted({_begin(target, unit, day) for day in days})
        return [
            Window(_at(target, one), _at(target, _moved(one, unit, -1)), one, _moved(one, unit, -1) - pd.Timedelta("1D")) for one in begins
        ]
    return [
        Window(_at(target, _begin(target, unit, day)), _at(target, day + pd.Timedelta("1D")), _begin(target, unit, day), day)
        for day in days
    ]


def pool(monitor: Mapping[str, Any], window: Window) -> list[tuple[int, int]]:
    """The spans of the stream that a window is compared with."""
    found = _spans(monitor["baseline"], monitor["target"], window)
    for low, high in ((_micros(one["from"]), _micros(one["to"])) for one in monitor.get("exclude", ())):
        found = [part for start, end in found for part in ((start, min(end, low)), (max(start, high), end)) if part[0] < part[1]]
    return found


def _spans(against: str | Mapping[str, Any], target: str | Mapping[str, Any], window: Window) -> list[tuple[int, int]]:
    start, end, first, last = window
    target = {"window": target} if isinstance(target, str) else target
    written: Mapping[str, Any] = {against: 1} if isinstance(against, str) else against
    kind, value = next(iter(written.items()))
    unit = WHOLE.get(target["window"], target["window"].removesuffix("_to_date"))
    if kind == "prior":
        return [(start - duration(value), end - duration(value))]
    if kind == "rolling":
        return [(start - duration(value), start)]
    if kind == "expanding":
        return [(_EVER, start)]
    if kind == "from":
        low, high = (_micros(written[name]) for name in ("from", "to"))
        return [(low, high)] if high <= start or low >= end else []
    if first is None or last is None:
        if kind == "previous":
            return [(start - value * (end - start), start)]
        weeks = range(1, value + 1) if kind == "same_weekday" else [1]
        moved = [_micros(_moved(_time(start), "week" if kind == "same_weekday" else value, count)) for count in weeks]
        return [(one, one + end - start) for one in moved]
    if kind == "previous" and target["window"] in WHOLE:
        return [(_at(target, _moved(first, unit, value)), start)]
    moves: dict[str, tuple[str, int]] = {"previous": (unit, value), "same_weekday": ("week", value), "same_period_last": (str(value), 1)}
    by, most = moves[kind]
    if unit == "week":
        pairs = [[one - pd.Timedelta(7 * _WEEKS[by] * count, "D") for one in (first, last)] for count in range(1, most + 1)]
    else:
        pairs = [[_moved(one, by, count) for one in (first, last)] for count in range(1, most + 1)]
    if target["window"] in WHOLE:
        pairs = [[begin, _moved(begin, unit, -1) - pd.Timedelta("1D")] for begin, _ in pairs]
    return [(_at(target, begin), _at(target, end + pd.Timedelta("1D"))) for begin, end in pairs]


def _readings(
    monitor: Mapping[str, Any], whole: Rows, live: Rows, part: Callable[..., Rows], moments: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    measure, times = monitor["measure"], live.times
    against, fair = monitor.get("baseline"), measure.startswith("fairness.")
    of = (("version", monitor["version"]),) if "version" in monitor else ()
    find_of = lookup_of(measure)
    basis = dispersion.of_reference(whole, DAY, DAY)  # gives intervals, which are not compared
    for column in monitor.get("columns") or monitor.get("attributes") or [""]:
        for window in _kept(windows(monitor["target"], int(times.min()), int(times.max())), moments):
            own = [(window.start, window.end)]
            others = tuple((key, against[key]) for key in ("version", "role") if isinstance(against, Mapping) and key in against)
            spans = own if others else [] if against in (None, "reference") else pool(monitor, window)
            target = part(tuple(own), of, fair=fair)
            base = whole if against in (None, "reference") else part(tuple(spans), others or of, fair=fair)
            asked = {**monitor, "baseline": None if against is None else "reference"}
            asked = {name: value for name, value in asked.items() if value is not None}
            one: Found
            other: Found | None
            if measure == "quality.volume" and against == "reference":
                one, other = _usual_volume(target, whole, window)
            elif measure == "quality.volume":
                one, other = _volume(target, base, window, spans, int(times.min()))
            else:
                one, other = find_of(Asked(asked, column, base, target, (), 0, 0, lambda: basis))(0, "all")
            before = None if other is None or measure in {*COMPARES, "quality.volume"} else other.value
            yield (
                monitor["monitor"], measure, column, "all", window.start, window.end, one.value, before, one.n,
                None if other is None else other.n, verdict(monitor, one, other, before),
            )  # fmt: skip


def _usual_volume(target: Rows, whole: Rows, window: Window) -> tuple[Found, Found]:
    """Rows by those that the reference lets expect in the hours of the window."""
    hours = whole.times // 3_600_000_000
    usual = expected_rows(hours, hours, window.start, window.end)
    return Found(target.size / usual if usual else None, target.size), Found(None, whole.size)


def _volume(target: Rows, base: Rows, window: Window, spans: Sequence[tuple[int, int]], first: int) -> tuple[Found, Found]:
    """Rows by those of the baseline in a time as long; of a span that is longer than the window, the time since the hour of the first event."""
    first = first // 3_600_000_000 * 3_600_000_000
    length = window.end - window.start
    covered = sum(end - (max(start, first) if end - start > length else start) for start, end in spans if end > first)
    expected = base.size * length / covered if covered else 0.0
    return Found(target.size / expected if expected else None, target.size), Found(None, base.size)


def _part(rows: Rows, whole: Rows, spans: Sequence[tuple[int, int]], of: Sequence[tuple[str, str]], *, fair: bool) -> Rows:
    """The rows of some spans, with `of` those of one version or role."""
    inside: npt.NDArray[np.bool_] = np.zeros(rows.size, np.bool_)
    for start, end in spans:
        inside |= (rows.times >= start) & (rows.times < end)
    for name, value in of:
        inside &= rows.frame[name].to_numpy() == value
    spec = rows.spec if fair else replace(rows.spec, segments=(), protected=())  # segments are not asked for
    return Rows(rows.frame[inside].reset_index(drop=True), rows.reference, spec, whole)


def _shift(target: Mapping[str, Any]) -> int:
    return duration(target["offset"]) if "offset" in target else 0


def _time(micros: int) -> pd.Timestamp:
    return pd.Timestamp(micros, unit="us")


def _micros(time: str | pd.Timestamp) -> int:
    return int(pd.Timestamp(time).value // 1_000)


def _date(target: Mapping[str, Any], micros: int) -> pd.Timestamp:
    local = _time(micros - _shift(target)).tz_localize("UTC").tz_convert(target.get("timezone", "UTC"))
    return local.tz_localize(None).normalize()


def _at(target: Mapping[str, Any], date: pd.Timestamp) -> int:
    """The moment at which a date begins."""
    local = date.tz_localize(target.get("timezone", "UTC"), nonexistent="shift_forward", ambiguous=True)
    return _micros(local.tz_convert("UTC").tz_localize(None)) + _shift(target)


def _moved(date: pd.Timestamp, unit: str, count: int) -> pd.Timestamp:
    """So many periods earlier."""
    if unit in _MONTHS:
        return date - pd.DateOffset(months=_MONTHS[unit] * count)
    return date - pd.Timedelta({"day": 1, "week": 7}[unit] * count, "D")


def _begin(target: Mapping[str, Any], unit: str, date: pd.Timestamp) -> pd.Timestamp:
    """The first date of the period that holds a date."""
    if unit == "day":
        return date
    if unit == "week":
        return date - pd.Timedelta((date.weekday() - _WEEKDAYS.index(target.get("week_start", "monday"))) % 7, "D")
    back = (date.month - target.get("year_start", 1)) % _MONTHS[unit]
    return date.replace(day=1) - pd.DateOffset(months=back)
