"""What is expected of a span by the hours of the week of the reference, against plain loops over hours."""

from __future__ import annotations

import numpy as np
import pytest

from core import moment
from core.block import Floats, Ints
from core.span import Spans
from detectors.quality.season import Season

HOUR, WEEK = moment.HOUR, 7 * moment.DAY
START = 19_000 * moment.DAY + 5 * HOUR


def traffic(hours: int, seed: int) -> tuple[Ints, Floats]:
    """Hours with rows, and the rows of two segments; some hours of the week have none at all."""
    rng = np.random.default_rng(seed)
    slots = START + np.arange(hours) * HOUR
    mean = 20 + 15 * np.sin(2 * np.pi * (slots / moment.DAY))
    counts = rng.poisson(np.stack([mean, mean / 4], axis=1) * rng.gamma(5, 0.2, (hours, 1)))
    counts[(slots // HOUR) % 168 == 3] = 0
    there = np.flatnonzero(counts.sum(1) > 0)
    return slots[there], counts[there].astype(np.float64)


def dense(slots: Ints, counts: Floats) -> dict[int, Floats]:
    """The rows of every hour from the first to the last, with the empty ones."""
    held = dict(zip(slots.tolist(), counts, strict=True))
    return {at: held.get(at, np.zeros(2)) for at in range(int(slots[0]), int(slots[-1]) + HOUR, HOUR)}


def mean_rate(hours: dict[int, Floats], at: int) -> Floats:
    """Of this hour of the week, else of this hour of the day, else of all."""
    for cycle in (WEEK, moment.DAY, HOUR):
        same = [rows for other, rows in hours.items() if other % cycle == at % cycle]
        if same:
            return np.asarray(np.mean(same, axis=0), np.float64)
    raise AssertionError


@pytest.mark.parametrize("hours", [5, 60, 168 * 5 + 9])
@pytest.mark.parametrize("length", [1, 24, 7 * 24, 30])
def test_expected_rows_are_the_sum_of_the_rates_of_the_hours(hours: int, length: int) -> None:
    """For windows of hours, days, a week and 30 hours, long after the reference; of references that are shorter than a day, than a week, and longer."""
    slots, counts = traffic(hours, 1)
    start = (START + 400 * moment.DAY + np.arange(4) * 11 * HOUR) // HOUR * HOUR
    found = Season(slots, counts, HOUR).expected(Spans(start, start + length * HOUR))
    held = dense(slots, counts)
    wanted = [sum((mean_rate(held, at) for at in range(one, one + length * HOUR, HOUR)), np.zeros(2)) for one in start.tolist()]
    assert found == pytest.approx(np.array(wanted), rel=1e-9)


@pytest.mark.parametrize("days", [1, 3, 7])
def test_dispersion_leaves_each_window_and_its_neighbours_out(days: int) -> None:
    """Against a loop over windows; an hour of the week that is only in these has the mean rate."""
    slots, counts = traffic(168 * 6 + 40, 2)
    held, length = dense(slots, counts), days * moment.DAY
    apart = list[Floats]()
    for window in range(min(held) // length, max(held) // length + 1):
        own = range(window * length, (window + 1) * length, HOUR)
        if not all(at in held for at in own):
            continue
        rest = {at: rows for at, rows in held.items() if not (window - 1) * length <= at < (window + 2) * length}
        same = [[rows for other, rows in rest.items() if (other - at) % WEEK == 0] for at in own]
        expected = sum((np.mean(rows or list(held.values()), axis=0) for rows in same), np.zeros(2))
        rows = sum((held[at] for at in own), np.zeros(2))
        apart.append((rows - expected) ** 2 / expected)
    phi, windows = Season(slots, counts, HOUR).dispersion(length)
    assert windows == len(apart)
    assert phi == pytest.approx(np.maximum(np.mean(apart, axis=0), 1), rel=1e-9)


def test_panes_shorter_and_longer_than_an_hour_give_the_same_rates() -> None:
    """The rows of an hour count together; panes of a day have one rate for each day of the week."""
    quarters = START // moment.DAY * moment.DAY + np.arange(4 * 168 * 2) * 15 * moment.MINUTE
    rows = np.random.default_rng(3).poisson(5, (len(quarters), 1)).astype(np.float64)
    week = Spans.of([(int(quarters[0]) + WEEK * 9, int(quarters[0]) + WEEK * 10)])
    days = rows.reshape(14, -1).sum(1, keepdims=True)
    found = [Season(quarters, rows, 15 * moment.MINUTE), Season(quarters[:: 4 * 24], days, moment.DAY)]
    assert [one.expected(week)[0, 0] for one in found] == pytest.approx([rows.sum() / 2] * 2)
