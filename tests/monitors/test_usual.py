"""The usual window follows from the number of the reference's rows, and from their rhythm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.contract import UsualWindow
from core.moment import DAY, HOUR
from monitors.reference.derive import Options, derive

START = 19_800 * DAY  # a Monday


def usual(ts: Any, **columns: Any) -> UsualWindow | None:
    rows = len(ts)
    random = np.random.default_rng(1)
    given = {"ts": pa.array(ts, pa.timestamp("us", tz="UTC")), "x": random.normal(size=rows), "prediction": random.integers(0, 2, rows)}
    return derive("m", pa.table(given | columns), Options.of({"task": "binary"}))[0].usual


def even(rows: int, span: int) -> Any:
    return START + np.arange(rows) * span // rows


@pytest.mark.parametrize(
    ("daily", "days", "length"),
    [
        (30_000, 3, HOUR),
        (10_000, 5, 3 * HOUR),
        (5_000, 20, 6 * HOUR),
        (2_000, 20, DAY),
        (200, 100, 7 * DAY),
        (20, 100, 7 * DAY),
        (700, 30, DAY),  # a week would be long enough, but there are no ten
        (1_500, 5, 6 * HOUR),  # nor ten days
        (400, 5, DAY),  # six hours would be too short
    ],
)
def test_it_is_the_shortest_with_a_thousand_rows_of_which_there_are_ten(daily: int, days: int, length: int) -> None:
    """If the reference has fewer, a shorter one with 300 rows."""
    assert usual(even(daily * days, days * DAY)) == UsualWindow(length=length, rows=round(daily * length / DAY))


def test_a_rhythm_of_rows_asks_for_whole_days() -> None:
    """Twice as many rows by day as by night."""
    hours = np.repeat(np.arange(24 * 20), [1_000 if hour % 24 < 8 else 2_000 for hour in range(24 * 20)])
    assert usual(START + hours * HOUR + np.arange(len(hours)) % HOUR) == UsualWindow(length=DAY, rows=40_000)


def test_a_rhythm_of_values_asks_for_whole_days() -> None:
    """A number that depends on the hour of the day."""
    ts = even(100_000, 20 * DAY)
    warm = np.sin(2 * np.pi * (ts % DAY) / DAY) + np.random.default_rng(2).normal(size=len(ts))
    assert usual(ts) == UsualWindow(length=6 * HOUR, rows=1_250)
    assert usual(ts, warm=warm) == UsualWindow(length=DAY, rows=5_000)


def test_without_times_it_is_a_day() -> None:
    """Rows without a time do not count; if none has one, the number of rows a day is not known."""
    ts = even(2_000 * 20, 20 * DAY).astype(object)
    ts[::2] = None
    assert usual(ts) == UsualWindow(length=DAY, rows=1_000)
    assert usual(pa.nulls(50, pa.timestamp("us", tz="UTC"))) == UsualWindow(length=DAY, rows=0)
