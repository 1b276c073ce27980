"""Up to which time everything is committed, although events keep coming."""

from __future__ import annotations

from collections.abc import Hashable

from core import moment
from core.clock import ManualClock
from core.error import Retryable
from watchkeeper.scheduling.completeness import Completeness, Positions


def test_what_was_in_the_log_at_an_earlier_look_is_committed_when_every_partition_has_passed_its_end_then() -> None:
    """A partition that stands still holds the time back, however far the others go; brokers that do not answer do, too."""
    clock, ends = ManualClock(1_000 * moment.SECOND), dict[Hashable, tuple[int, int]]({0: (10, 4), 1: (7, 7)})

    def positions() -> Positions:
        if not ends:
            raise Retryable("away")
        return dict(ends)

    complete, found = Completeness(positions, clock), list[int]()
    looks: list[dict[Hashable, tuple[int, int]]] = [
        {0: (20, 9), 1: (30, 30)},
        {0: (22, 10), 1: (40, 40)},
        {},
        {0: (30, 25), 1: (50, 39)},
        {0: (31, 26), 1: (51, 40)},
    ]
    for given in looks:
        complete()
        clock.advance(moment.SECOND)
        ends.clear()
        ends.update(given)
        found.append(complete())
    earliest, margin = moment.EARLIEST, 5 * moment.SECOND
    first, second = (1_000 * moment.SECOND - margin, 1_002 * moment.SECOND - margin)
    assert found == [earliest, first, first, first, second]
