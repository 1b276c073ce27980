"""Alerts on burn rates by a table that was computed by hand: an episode begins when errors are both many and going on, and ends when they stop."""

from __future__ import annotations

import numpy as np
import pytest

from alerts.engine import AlertEngine
from core import moment
from core.clock import ManualClock
from core.episode import State
from core.window.sliding import Sliding
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.monitors.burned import PANE, monitor_of, readings

# Of 1,000 requests in each pane of an hour so many fail; the objective is 99 %. The burn rates are the share of errors in six hours and in the last hour, over 0.01, and the lower one; the alert is at 6.
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


def test_burn_rate_alerts_fire_and_resolve_as_a_table_says(store: ControlStore, clock: ManualClock) -> None:
    """From the panes of each hour, window by window, with the time of each change."""
    engine, measure, params = AlertEngine(store, clock, MEASURES), "service.burn_rate", {"objective": 0.99, "short": "1h"}
    window, least = Sliding(6 * moment.HOUR, moment.HOUR), {"critical": 6.0, "min_samples": 1}
    monitor = monitor_of(measure, window, params, **least)
    panes = np.repeat(np.array(_ERRORS, np.float64), moment.HOUR // PANE)
    found = {one.window_end // moment.HOUR - 1: one for one in readings(panes, measure, window, params, **least)}
    assert list(found) == [hour for hour, *_ in _TABLE]
    for hour, long, short, value, change in _TABLE:
        reading = found[hour]
        assert [reading.evidence["long"], reading.evidence["short"], reading.value] == pytest.approx([long, short, value])
        changed = engine.observe(monitor, [reading])
        assert [one.after for one in changed] == ([] if change is None else [change])
        assert [one.at for one in changed] == ([] if change is None else [(hour + 1) * moment.HOUR])
    closed, _ = store.episodes("closed")
    assert len(closed) == 2
