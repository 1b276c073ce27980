"""Burn rates and budgets of errors: from panes of five minutes to verdicts, as a table by hand says."""

from __future__ import annotations

import numpy as np

from core import moment
from core.span import Spans
from core.window.sliding import Sliding
from core.window.tumbling import Tumbling
from monitors.evaluation.changes import due
from tests.monitors.burned import PANE, monitor_of, readings


def test_an_alert_fires_while_errors_go_on_and_resolves_when_they_end() -> None:
    """An objective of 99.9 %, and 5 % of errors in the panes 12 to 17, 60 to 90 minutes after the start. Such a pane burns 50 times the budget.

    Of the twelve panes of an hour k are bad: the hour burns 50 k / 12. That is 14.4 or more from k = 4 on, so at 80 minutes, when pane 15 has ended. The last pane burns
    nothing from 95 minutes on, although the hour still burns 25. The hour alone is at 14.4 or more until 130 minutes, when it holds the last four bad panes.
    """
    errors = np.where((np.arange(40) >= 12) & (np.arange(40) < 18), 50.0, 0.0)
    window = Sliding(moment.HOUR, PANE)
    found = readings(errors, "service.burn_rate", window, {"objective": 0.999, "short": "5m"}, critical=14.4)
    firing = [one.window_end // moment.MINUTE for one in found if one.verdict == "critical"]
    assert firing == [80, 85, 90]
    by_end = {one.window_end // moment.MINUTE: one for one in found}
    assert [round(by_end[end].evidence["long"], 6) for end in (65, 75, 80, 90, 95)] == [4.166667, 12.5, 16.666667, 25.0, 25.0]
    assert [round(by_end[end].evidence["short"], 6) for end in (65, 75, 80, 90, 95)] == [50.0, 50.0, 50.0, 50.0, 0.0]
    alone = readings(errors, "service.burn_rate", window, {"objective": 0.999}, critical=14.4)
    assert [one.window_end // moment.MINUTE for one in alone if one.verdict == "critical"] == list(range(80, 135, 5))


def test_a_slow_burn_is_a_ticket_and_no_page() -> None:
    """Of 0.2 % of errors the budget burns twice as fast as it may: the slow alert fires at 1, the fast one at 14.4 does not."""
    errors = np.full(72 * 12 + 12, 2.0)
    slow = readings(errors, "service.burn_rate", Sliding(3 * moment.DAY, moment.HOUR), {"short": "6h"}, critical=1.0)
    fast = readings(errors, "service.burn_rate", Sliding(moment.HOUR, PANE), {"short": "5m"}, critical=14.4)
    assert {one.verdict.value for one in slow} == {"critical"}
    assert {one.verdict.value for one in fast} == {"ok"}


def test_the_budget_of_a_period_is_used_up_by_what_came_before() -> None:
    """One error in 1,000 in every pane is just what 99.9 % allows: nothing is left. After two good hours of a period of four hours half of it is."""
    errors = np.concatenate([np.full(48, 1.0), np.zeros(24)])
    found = readings(errors, "service.availability", Tumbling(moment.HOUR), {"objective": 0.999, "period": "4h"})
    left = [round(one.evidence["budget_left"], 9) for one in found]
    assert left == [0.0, 0.0, 0.0, 0.0, 0.25, 0.5]
    assert [one.value for one in found] == [0.999] * 4 + [1.0] * 2


def test_an_event_changes_the_windows_whose_period_holds_it() -> None:
    """As far as the period goes, and no further."""
    monitor = monitor_of("service.availability", Tumbling(moment.HOUR), {"objective": 0.999, "period": "4h"})
    windows = Spans(np.arange(8) * moment.HOUR, np.arange(1, 9) * moment.HOUR)
    assert (due(monitor, windows, np.array([2 * moment.HOUR]), windows).start // moment.HOUR).tolist() == [2, 3, 4, 5]
