"""The page Segments: slices as bubbles and as a list."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.cause import CauseQuery, Causes, SegmentCause
from core.reading import Query
from dashboard import late
from dashboard.figure.bubbles import bubbles
from dashboard.figure.cells import cells
from dashboard.route import page
from dashboard.selection import Selection, compared
from dashboard.series import Series
from dashboard.site import LATE
from dashboard.state import PageState
from detectors.catalogue import MEASURES
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin
from tests.dashboard.year import DAYS, START

END = START + DAYS * moment.DAY


def test_a_bubble_is_as_large_as_what_its_slice_contributes() -> None:
    """Its area, that is; it stands at its share of rows and at how much worse it is, and a click opens its address."""
    found = [SegmentCause("carrier=UA", 0.2, 0.6, 0.8, 200, 0.04, 0.0), SegmentCause("temp=[1%2C2)", 0.1, 0.7, 0.8, 100, 0.01, 0.2)]
    (points,) = bubbles(found, {one.segment: f"/{one.n}" for one in found}, unit="worse by")["data"]
    assert (points["x"], points["y"]) == ([20.0, 10.0], [0.2, 0.1])
    assert points["marker"]["size"][0] == 2 * points["marker"]["size"][1]
    assert [one[0] for one in points["customdata"]] == ["/200", "/100"]
    assert points["text"] == ["carrier=UA", "temp=[1,2)"]


def test_names_of_bubbles_do_not_stand_over_one_another() -> None:
    """Of two bubbles at one place the one that contributes more has its name; six are named at most."""
    near = [SegmentCause(f"carrier=A{place}", 0.2, 0.6, 0.8, 200, 0.04 - place / 1e4, 0.0) for place in range(3)]
    far = [SegmentCause(f"carrier=B{place}", 0.02 * place, 0.6, 0.8, 200, 0.02 * place * 0.02 * place, 0.0) for place in range(1, 9)]
    (points,) = bubbles([*near, *far], {one.segment: "/" for one in (*near, *far)}, unit="worse by")["data"]
    assert points["text"][:3] == ["carrier=A0", "", ""]
    assert sum(map(bool, points["text"])) == 6


async def test_slices_come_later_and_lead_to_performance_or_further_in() -> None:
    """A segment that panes hold leads to its performance, another slice to the slices within it."""
    twin = Twin()
    assert '[\\"segments\\", \\"departs-late\\"' in text(await page(twin, "/ui/models/departs-late/segments", "")).replace('\\\\"', '\\"')
    drawn = json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["segments", "departs-late", "?range=365d"])))))
    assert "could not be drawn" not in drawn
    assert "/ui/models/departs-late/performance?segment=carrier%3DEV&" in drawn
    assert "/ui/models/departs-late/segments?segment=temp%3D%5B-inf%252C3%29" in drawn
    assert "72 % of it comes from" in drawn
    broken = copy.copy(twin)
    broken.failing = {"cause"}
    assert "could not be drawn" in to_json_plotly(await late.draw(broken, LATE, json.dumps(["segments", "departs-late", "?range=365d"])))


async def test_cells_that_are_selected_are_compared_with_the_rest_of_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of both sides add up to those of the map, and what differs is asked for against the time before; without a selection there is the map alone."""
    twin, name, end = Twin(), "departs-late", moment.text(END)
    asked: list[CauseQuery] = []
    cause = twin.cause

    def noted(query: CauseQuery) -> Causes:
        asked.append(query)
        return cause(query)

    monkeypatch.setattr(twin, "cause", noted)
    selected = Selection(END - 7 * moment.DAY, END, ("carrier=EV", "carrier=UA"))

    async def drawn(search: str) -> str:
        return json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["segments", name, search])))))

    whole = await drawn("?range=30d&by=carrier")
    assert "Accuracy by carrier over time" in whole
    assert "The selection and the rest" not in whole
    asked.clear()
    state = PageState(by="carrier", range="30d", cells=selected.written)
    shown = await drawn(state.query)
    assert "The selection and the rest" in shown
    assert "carrier=EV, carrier=UA" in shown
    last = asked[-1]
    assert (last.start, moment.text(last.end), last.segment) == (selected.start, end, "all")
    assert last.baseline == {"from": moment.text(END - 30 * moment.DAY), "to": moment.text(selected.start)}
    elsewhere = replace(selected, segments=("carrier=nobody's", "origin=JFK"))
    shown = await drawn(PageState(by="carrier", range="30d", cells=elsewhere.written).query)
    assert "nothing of this map, " in shown
    assert "What differs" not in shown
    table = twin.readings

    def longer(query: Query) -> pa.Table:
        found = table(query)
        return found.set_column(found.column_names.index("window_end"), "window_end", pc.add(found["window_end"], moment.DAY))

    monkeypatch.setattr(twin, "readings", longer)  # as windows that overlap are
    await drawn(state.query)
    assert (asked[-1].start, asked[-1].end) == (selected.start, END + moment.DAY)
    monkeypatch.setattr("dashboard.pages.cells.LIMIT", 10)
    assert "these are more than 10 readings" in await drawn("?range=30d&by=carrier")


def test_segments_that_are_read_alike_keep_their_rows() -> None:
    """A value that is missing and a text `null`: a click on a row selects the segment of this row. The frame is around its row."""
    line = replace(Series.none(0, 2 * moment.DAY, moment.DAY), value=[1.0, 2.0], n=[1, 1], verdict=["ok", "ok"])
    names = ["x=a%3Db", "x=null", "x=%6Eull"]
    figure = cells(dict.fromkeys(names, line), measure=MEASURES["performance.accuracy"], chosen=Selection(0, moment.DAY, (names[2],)))
    assert (len(figure["data"][0]["z"]), figure["data"][0]["y"], figure["layout"]["meta"]["rows"]) == (3, names, names)
    assert [(one["y0"], one["y1"]) for one in figure["layout"]["shapes"]] == [(1.5, 2.5)]
    figure = cells(dict.fromkeys(names[:2], line), measure=MEASURES["performance.accuracy"], chosen=None)
    assert figure["data"][0]["y"] == ["x=a=b", "x=null"]


def test_a_selection_counts_each_cell_once() -> None:
    """Cells without a value are on no side; the mean weights cells by rows."""
    line = replace(
        Series.none(0, 4 * moment.DAY, moment.DAY),
        value=[1.0, None, 3.0, 5.0],
        n=[10, 5, 30, 10],
        verdict=["ok", "nodata", "warn", "insufficient"],
    )
    own, rest = compared({"a": line, "b": line}, Selection(2 * moment.DAY, 4 * moment.DAY, ("a",)))
    assert (own.cells, own.rows, own.mean, own.judged, own.reached) == (2, 40, 3.5, 1, 1)
    assert (rest.cells, rest.rows, rest.judged, rest.reached) == (4, 60, 3, 1)
