"""Which parts of a period its events are counted by."""

from __future__ import annotations

import re

import pytest

from storage.facts.drawn import drawn


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 90_000_000, 1_000_000), (1_500_000, 30_200_000, 10_000_000), (7, 2_000_000, 1_000_000)]
)
def test_events_that_come_evenly_are_counted_to_a_few_per_cent(low: int, high: int, step: int) -> None:
    """Each part lies in the period, and a tenth of each slot gives its number of events."""
    parts = drawn(low, high, step, 0.1)
    spans = [(int(begin), int(end)) for begin, end in re.findall(r"ts >= \D+64Micro\((\d+).*?ts < \D+64Micro\((\d+)", parts.sql)]
    assert min(spans)[0] >= low
    assert max(spans)[1] <= high
    assert len(spans) >= 90
    events = range(low, high, 700)
    seen: dict[int, int] = {}
    for begin, end in spans:
        for at in range(begin + (low - begin) % 700, end, 700):
            seen[at // step * step] = seen.get(at // step * step, 0) + 1
    true: dict[int, int] = {}
    for at in events:
        true[at // step * step] = true.get(at // step * step, 0) + 1
    assert parts.estimated(seen) == {slot: pytest.approx(n, rel=0.05) for slot, n in true.items()}


def test_all_of_a_period_is_counted_where_the_share_is_one() -> None:
    """Then the parts touch each other, and nothing is multiplied."""
    parts = drawn(0, 10, 10, 2.0)
    assert parts.estimated({0: 7}) == {0: 7}
