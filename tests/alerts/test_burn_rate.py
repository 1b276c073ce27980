"""Alerts on burn rates by a table that was computed by hand: an episode begins when errors are both many and going on, and ends when they stop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.episode import State
from core.monitor import Monitor
from core.reading import Reading, Verdict
from core.window.sliding import Sliding
from detectors import catalogue
from detectors.catalogue import MEASURES
from detectors.service.availability import BurnParams
from detectors.serving import Statuses
from monitors.evaluation.frame import NONE, VERDICTS
from monitors.evaluation.verdict import Judgement, judge
from storage.control.store import ControlStore
from tests.alerts.sample import START

# Of 1,000 requests an hour so many fail; the objective is 99 %. Errors of six hours over 6,000 requests over 0.01, those of the last hour over 1,000 over 0.01, and the lower one.
_ERRORS = [1, 1, 1, 1, 1, 1, 200, 200, 200, 1, 1, 90, 90, 90, 90, 0]
_TABLE = [
    (5, 0.1, 0.1, 0.1, None),
    (6, 205 / 60, 20.0, 205 / 60, None),  # many, not yet in six hours
    (7, 404 / 60, 20.0, 404 / 60, State.FIRING),
    (8, 603 / 60, 20.0, 603 / 60, None),
    (9, 603 / 60, 0.1, 0.1, State.RESOLVED),  # over, though six hours still hold it
    (10, 603 / 60, 0.1, 0.1, None),
    (11, 692 / 60, 9.0, 9.0, State.FIRING),  # again, beside the old ones
    (12, 582 / 60, 9.0, 9.0, None),
    (13, 472 / 60, 9.0, 472 / 60, None),
    (14, 362 / 60, 9.0, 362 / 60, None),
    (15, 361 / 60, 0.0, 0.0, State.RESOLVED),
]
_MONITOR = Monitor(
    name="burn",
    model="late",
    measure="service.burn_rate",
    params={"objective": 0.99, "short": "1h"},
    window=Sliding(6 * moment.HOUR, moment.HOUR),
    critical=6.0,
    min_samples=1,
)


def _statuses(errors: list[int], hours: int, earlier: tuple[Statuses, ...] = ()) -> Statuses:
    wrong = np.array(errors, np.float64)
    return Statuses(np.full(len(wrong), 1_000.0 * hours), 1_000.0 * hours - wrong, wrong, known=True, earlier=earlier)


def _reading(hour: int, long: int, short: int) -> Reading:
    """What the measure and the rules of verdicts make of a window that ends with this hour."""
    target = _statuses([long], 6, (_statuses([short], 1),))
    found = catalogue.spec(_MONITOR.measure).compute(target, None, BurnParams(objective=0.99, short="1h"))
    nothing, none = np.full(1, np.nan), np.full(1, NONE)
    given = Judgement(found.value, nothing, nothing, nothing, 1)
    verdict, _ = judge(_MONITOR, MEASURES[_MONITOR.measure], given, np.full(1, 6_000), none, np.full(1, "", object), np.full(1, "", object))
    same: dict[str, Any] = {"monitor": "burn", "model": "late", "measure": _MONITOR.measure, "column": "", "baseline": None}
    return Reading(
        **same,
        window_start=START + (hour - 5) * moment.HOUR,
        window_end=START + (hour + 1) * moment.HOUR,
        value=float(found.value[0]),
        n_target=6_000,
        threshold=_MONITOR.threshold,
        verdict=Verdict(VERDICTS[int(verdict[0])]),
        revision=1,
    )


def test_burn_rate_alerts_fire_and_resolve_as_a_table_says(store: ControlStore, clock: ManualClock) -> None:
    """Window by window, with the time of each change."""
    engine = AlertEngine(store, clock, MEASURES)
    for hour, long, short, value, change in _TABLE:
        six, last = sum(_ERRORS[hour - 5 : hour + 1]), _ERRORS[hour]
        assert [six / 60, last / 10] == pytest.approx([long, short])
        reading = _reading(hour, six, last)
        assert reading.value == pytest.approx(value)
        changed = engine.observe(_MONITOR, [reading])
        assert [one.after for one in changed] == ([] if change is None else [change])
        assert [one.at for one in changed] == ([] if change is None else [START + (hour + 1) * moment.HOUR])
    found, _ = store.episodes("closed")
    assert len(found) == 2
