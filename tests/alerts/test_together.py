"""Readings that come together change what they change one by one."""

from __future__ import annotations

import hypothesis
import msgspec
from hypothesis import strategies as st

from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.monitor import Unjudged
from core.reading import Reading, Verdict
from detectors.catalogue import MEASURES
from tests.alerts.memory import MemoryStore
from tests.alerts.sample import DESTINATION, MONITOR, START, reading

CRITICAL, UNJUDGED = Verdict.CRITICAL, Verdict.INSUFFICIENT
VERDICTS = st.sampled_from(
    [Verdict.INSUFFICIENT, Verdict.INSUFFICIENT, Verdict.NODATA, Verdict.NOT_ESTIMABLE, Verdict.OK, Verdict.CRITICAL]
)


def _reading(day: int, verdict: Verdict, revision: int = 1, column: str = "temp", days: int = 1) -> Reading:
    made = reading(day, verdict, revision, column=column)
    return msgspec.structs.replace(made, window_start=made.window_end - days * moment.DAY)


scattered = st.lists(
    st.builds(_reading, st.integers(0, 8), VERDICTS, st.integers(1, 2), st.sampled_from(["temp", "dewp"]), st.integers(1, 2)), max_size=10
)
days = st.lists(VERDICTS, max_size=12).map(lambda verdicts: [_reading(day, verdict) for day, verdict in enumerate(verdicts)])


ALONE = (1, 1), 0, Unjudged.HOLD, False


@hypothesis.example([_reading(2, CRITICAL)], [_reading(day, UNJUDGED) for day in (1, 3, 4)], [], *ALONE)
@hypothesis.example([_reading(0, CRITICAL)], [_reading(day, UNJUDGED) for day in (1, 2, 3)], [], *ALONE)
@hypothesis.example([_reading(0, CRITICAL)], [_reading(1, Verdict.OK), _reading(2, UNJUDGED), _reading(3, UNJUDGED)], [], *ALONE)
@hypothesis.example([], [_reading(0, UNJUDGED), _reading(1, UNJUDGED, days=2), _reading(1, UNJUDGED), _reading(2, CRITICAL)], [], *ALONE)
@hypothesis.example([], [_reading(0, CRITICAL, days=2), *(_reading(day, UNJUDGED) for day in (0, 1, 2))], [], *ALONE)
@hypothesis.example([], [_reading(day, CRITICAL) for day in (1, 2, 3)], [], (2, 3), 0, Unjudged.HOLD, False)
@hypothesis.example([_reading(2, CRITICAL)], [_reading(day, UNJUDGED) for day in (1, 3, 4)], [], (1, 1), 0, Unjudged.HOLD, True)
@hypothesis.given(
    scattered, scattered, days, st.sampled_from([(1, 1), (2, 3)]), st.integers(0, 1), st.sampled_from(Unjudged), st.booleans()
)
def test_readings_together_leave_what_they_leave_one_by_one(
    earlier: list[Reading],
    others: list[Reading],
    of_days: list[Reading],
    persist: tuple[int, int],
    keep: int,
    nodata: Unjudged,
    ended: bool,
) -> None:
    """Rules, episodes, timelines and notices are the same, whatever the rules have seen before; also where most windows cannot be judged."""
    monitor = msgspec.structs.replace(MONITOR, columns=("temp", "dewp"), persist=persist, keep_firing=keep, on_nodata=nodata)
    given = sorted(others + of_days, key=lambda one: (one.window_end, one.window_start, one.revision))
    stores = []
    for portions in (([one] for one in given), [given]):
        stores.append(store := MemoryStore([DESTINATION]))
        engine = AlertEngine(store, ManualClock(START), MEASURES)
        engine.observe(monitor, earlier)
        if ended:
            engine.supersede(monitor, "version 1 is not served any more")
        for portion in portions:
            engine.observe(monitor, portion)
    one_by_one, together = stores
    assert together.held == one_by_one.held
    assert together.known == one_by_one.known
    assert together.timeline == one_by_one.timeline
    assert together.outbox == one_by_one.outbox
