"""The pages Events and Event: the filters are the address, a block of rows follows the other, and what is unusual about an event is said."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.contract import Column, Kind
from core.error import Retryable
from dashboard.event_filter import EventFilter, span
from dashboard.grid import BLOCK
from dashboard.mount import _block
from dashboard.pages.event import flag_of
from dashboard.ports import LabelledRows
from dashboard.route import page
from dashboard.state import PageState
from dashboard.view_model import view
from tests.dashboard.made_events import HOSTILE, N
from tests.dashboard.twin import Twin
from tests.dashboard.year import DAYS, START

MODEL = "/ui/models/departs-late"
LIST = f"{MODEL}/events"
END = START + DAYS * moment.DAY


@pytest.fixture(scope="module")
def twin() -> Twin:
    """A year, whose last events are there one by one."""
    return Twin()


async def text(twin: Twin, path: str, search: str = "") -> str:
    """All that is on a page."""
    return json.dumps(json.loads(to_json_plotly((await page(twin, path, search)).body)), ensure_ascii=False)


async def rows(twin: Twin, search: str) -> list[list[dict[str, Any]]]:
    """The blocks that a grid asks for while somebody scrolls to its end."""
    found, cursors, shown = list[list[dict[str, Any]]](), dict[str, str](), {"path": LIST, "search": search}
    while True:
        answer, more = await _block(twin, {"startRow": sum(len(one) for one in found)}, cursors, shown)
        found.append(answer["rowData"])
        if "rowCount" in answer:
            assert answer["rowCount"] == sum(len(one) for one in found)
            return found
        cursors = more


def test_filters_are_read_from_the_address_that_they_make() -> None:
    """What a filter cannot mean is left out; the usual order is not written."""
    chosen = EventFilter(column="temp", value="[1,2.5)", label="wrong", role="shadow", order="worst")
    state = PageState(segment="carrier=UA", episode="ep_1")
    made = chosen.address("m", state)
    search = "?" + made.partition("?")[2]
    assert EventFilter.of(search) == chosen
    assert (PageState.of(search).segment, PageState.of(search).episode) == ("carrier=UA", "ep_1")
    assert EventFilter.of("?label=odd&order=best&column=x") == EventFilter(column="x")
    assert EventFilter(order="newest").address("m", PageState(), "a/b") == "/ui/models/m/events/a%2Fb"


async def test_the_span_is_the_absolute_period_else_the_window_else_the_period(twin: Twin) -> None:
    """To the microsecond where it was given, which is what a bar of a column's page asks for."""
    found = await view(twin, "departs-late")
    assert found is not None
    day = START + 9 * moment.DAY
    assert span(found, PageState(window=day)) == (day, day + moment.DAY)
    assert span(found, PageState(start=day + 5, end=day + 7, window=day)) == (day + 5, day + 7)
    assert span(found, PageState(range="7d")) == (END - 7 * moment.DAY, END)


async def test_the_list_counts_its_events_and_gives_them_block_by_block(twin: Twin) -> None:
    """Every event once, in the order that was asked for; the first column leads to the event in this list."""
    assert f"{N} events, 2013-12-25 to 2013-12-31" in await text(twin, LIST, "?range=7d&role=champion")
    traffic = sum(twin.traffic("departs-late", "all", END - 7 * moment.DAY, END, moment.HOUR)["n"].to_pylist())
    assert f"{traffic:,} events, 2013-12-25 to 2013-12-31" in await text(twin, LIST, "?range=7d")  # from panes
    blocks = await rows(twin, "?range=7d&order=oldest")
    assert [len(one) for one in blocks] == [BLOCK, BLOCK, N - 2 * BLOCK]
    ids = [one["id"] for block in blocks for one in block]
    assert (len(set(ids)), ids[0], ids[-1]) == (N, "flight/0249", "flight/0000")
    assert blocks[0][0]["c0"]["href"] == f"{LIST}/flight%2F0249?range=7d&order=oldest"
    assert (await _block(twin, {"startRow": 700}, {}, {"path": LIST, "search": ""}))[0] == {"rowData": [], "rowCount": 700}


async def test_counts_that_are_estimated_say_so(twin: Twin) -> None:
    """Title, sentence and note; and what fits so seldom that no part of the period showed it is listed all the same."""
    many = copy.copy(twin)
    many.estimated = True
    shown = await text(many, LIST, "?range=7d&role=champion")
    assert all(
        said in shown for said in (f"About {N} events", f"about {N} in all", "estimated from some of them", '"rowModelType": "infinite"')
    )
    rare = await text(many, LIST, "?from=2013-01-01&to=2013-01-02&label=wrong")
    assert "Few events" in rare
    assert '"rowModelType": "infinite"' in rare
    assert "No event fits" not in rare


async def test_filters_are_chips_that_can_be_taken_away(twin: Twin) -> None:
    """Each with its name; the grid shows the chosen column first, and a missing value says so."""
    search = "?range=7d&column=temp&value=null&label=wrong&version=2&order=worst"
    shown = await text(twin, LIST, search)
    assert all(f"Remove {said}" in shown for said in ("temp is null", "Label wrong", "Version 2"))
    assert f"{LIST}?version=2&range=7d&column=temp&value=null&order=worst" in shown
    assert (
        "/v1/events?model=departs-late&from=2013-12-25T00:00:00Z&to=2014-01-01T00:00:00Z&column=temp&bin=null&version=2&label=wrong&order=worst"
        in shown
    )
    (block,) = await rows(twin, search)
    assert block
    assert {(one["c1"]["text"], one["c8"]["text"], one["c8"]["kind"]) for one in block} == {("wrong", "null", "none")}


async def test_what_cannot_be_listed_is_said(twin: Twin) -> None:
    """A segment, column or bin that is not there, no event that fits, no event at all."""
    assert "has no bin 'odd'" in await text(twin, LIST, "?column=temp&value=odd")
    assert "is no segment of" in await text(twin, LIST, "?segment=carrier")
    assert await rows(twin, "?segment=carrier") == [[]]
    assert "No event fits" in await text(twin, LIST, "?from=2013-01-01&to=2013-01-02&label=wrong")
    assert "No event yet" in await text(twin, "/ui/models/%3Cscript%3Ealert(1)%3C%2Fscript%3E/events")
    assert "There is no model" in await text(twin, "/ui/models/nothing/events")
    assert "has no event" in await text(twin, f"{LIST}/nothing")


async def test_events_that_cannot_be_counted_are_listed_all_the_same(twin: Twin) -> None:
    """The count says that it failed, the rows and the files are there; and an event is shown without the steps through its list."""
    broken = copy.copy(twin)
    broken.failing = {"event_counts", "beside"}
    shown = await text(broken, LIST, "?range=7d&label=wrong")
    assert "Count could not be drawn" in shown
    assert "getRowsRequest" in shown or '"rowModelType": "infinite"' in shown
    assert "format=parquet" in shown
    one = await text(broken, f"{LIST}/flight%2F0013", "?range=7d")
    assert "Steps through the list could not be drawn" in one
    assert "The event as JSON" in one


async def test_an_event_is_shown_whole_and_between_its_neighbours(twin: Twin) -> None:
    """Flagged inputs first, attributions, where it stands in the log, and the steps through the list that led to it."""
    shown = await text(twin, f"{LIST}/flight%2F0013", "?range=7d&order=oldest&episode=ep_1")
    for said in ("no label yet", "Attributions", "+0.4", '"237"', "93.0 % are at most this", "The event as JSON", "/ui/alerts/ep_1"):
        assert said in shown, said
    assert all(f"{LIST}/flight%2F00{other}?range=7d&episode=ep_1&order=oldest" in shown for other in (12, 14))
    assert shown.index('"temp"') < shown.index('"distance"')
    wrong = await text(twin, "/ui/models/arrival-delay/events/flight%2F0004")
    assert "the truth" in wrong
    first = await text(twin, f"{LIST}/flight%2F0000", "?range=7d")
    assert "Next in the list ▶" in first
    assert "◀ Previous in the list" not in first
    assert HOSTILE in json.loads(json.dumps((await page(twin, f"{LIST}/%3Cimg%20src%3Dx%20onerror%3D%22alert(1)%22%3E", "")).title))


async def test_the_column_of_the_filter_is_the_first_input_of_an_event(twin: Twin) -> None:
    """Before those with a flag, and said to be."""
    shown = await text(twin, f"{LIST}/flight%2F0013", "?range=7d&column=distance&value=null")
    assert shown.index('"distance"') < shown.index('"temp"')
    assert "of the list's filter" in shown
    assert "of the list's filter" not in await text(twin, f"{LIST}/flight%2F0013", "?range=7d")


async def test_the_worst_of_classes_are_all_that_are_wrong(twin: Twin) -> None:
    """Their error is 0 or 1, so no list has a largest one; of numbers one has. In either the error stands beside the id."""
    for model, order, note in (
        ("departs-late", "Wrong first", "Wrong first, of these the newest;"),
        ("arrival-delay", "Largest error", "Largest error first;"),
    ):
        shown = await text(twin, f"/ui/models/{model}/events", "?range=7d&order=worst")
        assert f'"{order}"' in shown
        assert note in shown
        assert shown.index('"headerName": "Error"') < shown.index('"headerName": "Time (UTC)"')
        assert '"Largest error"' in await text(twin, "/ui/models/arrival-delay/events", "?range=7d")
    plain = await text(twin, LIST, "?range=7d")
    assert plain.index('"headerName": "Time (UTC)"') < plain.index('"headerName": "Error"')


@pytest.mark.parametrize(
    ("value", "flag"),
    [(5.0, None), (-0.1, "out of range"), (10.5, "out of range"), (None, "null")],
)
def test_numbers_are_flagged_by_the_range_of_the_contract(value: float | None, flag: str | None) -> None:
    """Its ends belong to it."""
    column = Column(name="x", kind=Kind.NUMERIC, edges=(1.0, 9.0), range=(0.0, 10.0))
    assert flag_of(column, value) == flag
    assert flag_of(column, 10.0) is None
    assert flag_of(column, None, invalid=True) == "invalid"
    old = Column(name="x", kind=Kind.NUMERIC, edges=(1.0, 9.0))
    assert flag_of(old, 1e9) is None


def test_a_category_that_the_reference_does_not_have_is_new() -> None:
    """One that it has and the contract pools is not; a text has no categories."""
    column = Column(name="c", kind=Kind.CATEGORICAL, categories=("a%3Db", "true"), others=("z",))
    assert [flag_of(column, value) for value in ("a=b", True, "z", "q", None)] == [None, None, None, "new", "null"]
    assert flag_of(Column(name="t", kind=Kind.TEXT, categories=("text", "empty")), "hello") is None


async def test_the_bins_of_a_column_lead_to_their_events(twin: Twin) -> None:
    """From the table and from the chart, in exactly the window that is looked at."""
    shown = await text(twin, f"{MODEL}/columns/temp", "?window=2013-07-08T00:00:00Z&range=365d&segment=carrier%3DUA")
    span_of_day = "segment=carrier%3DUA&range=365d&from=2013-07-08T00:00:00Z&to=2013-07-09T00:00:00Z"
    assert f"{LIST}?{span_of_day}&column=temp&value=null" in shown

    def away(*_: Any) -> LabelledRows:
        raise Retryable("the store is away")

    without = copy.copy(twin)
    vars(without)["labelled"] = away  # how many rows have a label only decides on the order of the list
    shown = await text(without, f"{MODEL}/columns/temp", "?window=2013-07-08T00:00:00Z&range=365d&segment=carrier%3DUA")
    assert "could not be drawn" not in shown
    assert f"{LIST}?{span_of_day}&column=temp&value=null" in shown
