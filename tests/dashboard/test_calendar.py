"""Windows of the calendar on pages: each has a slot of its own, is selected by its time, and says what it is compared with."""

from __future__ import annotations

import msgspec
import pyarrow as pa
import pytest

from core import moment
from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.same_weekday import SameWeekday
from core.calendar import Calendar, Unit
from core.monitor import Monitor
from core.window.kind import Window
from core.window.period import Period
from core.window.sliding import Sliding
from core.window.to_date import ToDate
from core.window.tumbling import Tumbling
from dashboard.period import period
from dashboard.ports import ModelRow
from dashboard.series import Series, anchor, since
from dashboard.state import PageState
from dashboard.view_model import against

FIRST, LAST = moment.parse("2024-01-10T12:00:00Z"), moment.parse("2024-12-20T12:00:00Z")
YORK = Calendar("America/New_York", "sunday", 2, 2 * moment.HOUR)
KINDS: list[Window] = [
    Tumbling(moment.DAY),
    Sliding(moment.DAY, 6 * moment.HOUR),
    *(Period(unit, one) for unit in list(Unit)[:4] for one in (YORK, Calendar(), Calendar("Pacific/Apia"))),
    *(ToDate(unit, one) for unit in list(Unit)[1:] for one in (YORK, Calendar(), Calendar("Pacific/Apia"))),
]


@pytest.mark.parametrize("window", KINDS, ids=lambda one: one.text)
def test_each_window_has_a_slot_of_its_own(window: Window) -> None:
    """It is found again by the time that its slot has, and by the time that selects it; what is asked for holds it."""
    spans = window.between(FIRST, LAST)
    n = list(range(len(spans)))
    empty = [None] * len(n)
    table = pa.table(
        {
            "window_start": spans.start, "window_end": spans.end, "value": n, "lower": empty, "upper": empty, "baseline_value": empty,
            "n_target": n, "n_baseline": empty, "verdict": ["ok"] * len(n), "reason": empty, "threshold": ["{}"] * len(n),
        }
    )  # fmt: skip
    over = period(ModelRow("m", "binary", 1, FIRST, LAST, 9, 9, 0), PageState(range="all"), window)
    shown = Series.of(table, over.start, over.end, over.step, over.window)
    slots = {int(value): slot for slot, value in enumerate(shown.value) if value is not None}
    pairs = {place: pair for place, pair in enumerate(spans.pairs()) if pair[0] >= over.start or shown.kind is not None}
    assert [place for place in pairs if place not in slots] in ([], [len(n) - 1])  # the last one may end after the period
    for place, slot in slots.items():
        assert shown.window(slot) == pairs[place]
        assert shown.slot(shown.time(slot)) == slot == shown.slot(anchor(window, *pairs[place]))
        assert window.at(shown.time(slot)) == pairs[place]
        assert pairs[place][0] >= since(window, over.start)


@pytest.mark.parametrize(
    ("window", "baseline", "said"),
    [
        (Tumbling(moment.DAY), SameWeekday(3), "against the Tuesdays of the last 3 weeks"),
        (Period(Unit.DAY, Calendar("Asia/Tokyo")), SameWeekday(1), "against the Wednesday of the week before"),
        (ToDate(Unit.WEEK), SameWeekday(2), "against the same weekday of the last 2 weeks"),
        (Period(Unit.MONTH), Previous(), "against the month before"),
        (ToDate(Unit.QUARTER), Previous(), "against the same days of the quarter before"),
        (ToDate(Unit.QUARTER), Previous(2), "against the same days of the 2 quarters before"),
        (Tumbling(moment.DAY), Previous(3), "against the 3 windows before"),
    ],
)
def test_a_window_says_what_it_is_compared_with(window: Window, baseline: Baseline, said: str) -> None:
    """On 2024-01-09 at 20:00 in UTC it is Tuesday, and Wednesday in Tokyo."""
    watched = Monitor(name="m", model="m", measure="drift.psi", window=window, baseline=baseline)
    at = window.at(moment.parse("2024-01-09T20:00:00Z"))
    assert against(watched, at) == said
    assert against(msgspec.structs.replace(watched, exclude=((0, 1),)), at) == f"{said} without what is excluded"
