"""Which events of a period are counted in place of all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import pytest

from storage.facts.drawn import drawn

Count = Callable[[str], Mapping[int, int]]


def counted(times: Iterable[int], step: int) -> Count:
    """By slot those of some times that fulfil a condition; the place of a time among them stands for the hash of its id."""
    held = sorted(times)

    def count(sql: str) -> Mapping[int, int]:
        spans = [(int(begin), int(end)) for begin, end in re.findall(r"ts >= \D+64Micro\((\d+).*?ts < \D+64Micro\((\d+)", sql)]
        fits = [at for begin, end in spans for at in held[bisect_left(held, begin) : bisect_left(held, end)]]
        if not spans:
            fits = held if sql == "true" else held[:: int(re.findall(r"% (\d+)", sql)[0])]
        return Counter(at // step * step for at in fits)

    return count


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 90_000_000, 1_000_000), (1_500_000, 30_200_000, 10_000_000), (7, 2_000_000, 1_000_000)]
)
def test_a_tenth_of_the_time_gives_the_number_of_events_of_each_slot(low: int, high: int, step: int) -> None:
    """Each part lies in the period, and all that is counted in them is all that there is."""
    times = range(low, high, 2_000 if high > 3_000_000 else 100)
    count = counted(times, step)
    found = drawn(0, 1 << 60, step, len(times) // 10, count)
    assert found.sql.count(" OR ") >= 89
    assert sum(count(found.sql).values()) == pytest.approx(len(times) / 10, rel=0.1)
    assert found.estimated(count(found.sql)) == count("true")


def test_slots_are_counted_though_traffic_has_a_rhythm() -> None:
    """A tenth of the events is asked for, evenly; in each hour there are ten times as many as in the one before or after."""
    hour, day = 3_600, 86_400
    times = [at for start in range(0, 30 * day, hour) for at in range(start, start + hour, 18 if start // hour % 2 else 180)]
    count = counted(times, day)
    found = drawn(0, 30 * day, day, len(times) // 10, count)
    assert "prediction_id" not in found.sql
    asked = counted(times[::10], day)(found.sql)
    assert found.estimated(asked) == {slot: pytest.approx(n / 10, rel=0.3) for slot, n in count("true").items()}


@pytest.mark.parametrize("every", [[0] * 400, list(range(0, 86_400, 216))])
def test_events_that_come_at_one_time_are_drawn_by_their_ids(every: list[int]) -> None:
    """Parts of the time would hold none of a batch, or all of it."""
    day = 86_400_000_000
    count = counted([start * day + at for start in range(20) for at in every], day)
    found = drawn(0, 20 * day, day, 1_000, count)
    assert "ts" not in found.sql
    assert sum(count(found.sql).values()) == pytest.approx(1_000, rel=0.1)
    assert found.estimated(count(found.sql)) == {slot: pytest.approx(n, rel=0.1) for slot, n in count("true").items()}


def test_ids_are_drawn_of_events_that_are_not_so_many() -> None:
    """Though they come evenly: no part of the time stands for the rest."""
    found = [drawn(0, 1 << 60, 1_000, 100, counted(range(n), 1_000), 5_000).sql[:4] for n in (5_000, 5_001)]
    assert found == ["city", "(ts "]


def test_few_events_are_all_counted_and_later_ones_stand_for_themselves() -> None:
    """Also those that were removed meanwhile."""
    assert drawn(0, 10, 10, 9, counted([3] * 7, 10)).estimated({0: 7, 10: 2}) == {0: 7, 10: 2}
    assert drawn(0, 10, 10, 9, counted([], 10)).estimated({}) == {}
