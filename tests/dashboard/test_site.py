"""Where things are: four places on top, tabs below the heading, and a bar that every page of a model keeps."""

from __future__ import annotations

import json
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from core import moment
from dashboard.route import page
from dashboard.site import SITE, Place, places
from dashboard.state import PageState
from tests.dashboard.twin import Twin
from tests.dashboard.year import START

MODEL = "/ui/models/departs-late"


@pytest.fixture(scope="module")
def twin() -> Twin:
    return Twin()


def parts(node: Any, kind: str) -> list[dict[str, Any]]:
    """The props of all components of a kind, in order."""
    if isinstance(node, list):
        return [found for one in node for found in parts(one, kind)]
    if not isinstance(node, dict):
        return []
    own = [node["props"]] if node.get("type") == kind else []
    return own + [found for value in node.values() for found in parts(value, kind)]


async def tabs(twin: Twin, path: str, search: str = "") -> list[list[tuple[str, str, bool]]]:
    """The rows of tabs of a page: text, address, current."""
    drawn = json.loads(to_json_plotly((await page(twin, path, search)).body))
    rows = [one for one in parts(drawn, "Nav") if str(one.get("className", "")).startswith("tabs")]
    return [[(a["children"], a["href"], "aria-current" in a) for a in parts(one["children"], "A")] for one in rows]


def test_there_are_four_places() -> None:
    """Each with a page at its beginning."""
    assert [name for name, _ in places()] == ["Inbox", "Models", "Monitors", "System"]
    assert [path for _, path in places()] == ["", "models", "monitors", "pipeline"]


def test_every_page_belongs_to_a_tab_that_is_there() -> None:
    """A section stands under a tab of the same place, and the path of each page is its own."""
    by_path = {entry.path: entry for entry in SITE}
    assert len(by_path) == len(SITE)
    for entry in SITE:
        if entry.under:
            assert by_path[entry.under].tab
            assert not by_path[entry.under].under
        if entry.of_model:
            assert entry.place is Place.MODELS


async def test_tabs_keep_what_was_chosen_and_say_where_one_is(twin: Twin) -> None:
    """The tabs of a model keep segment, period and window; a section and a column are below the tab to which they belong."""
    kept = "segment=carrier%3DUA&range=30d"
    (own,) = await tabs(twin, f"{MODEL}/drift", f"?{kept}&measure=drift.ks&find=te")
    assert [name for name, _, _ in own][:4] == ["Overview", "Performance", "Drift", "Quality"]
    assert {href.partition("?")[2] for _, href, _ in own} == {kept}
    assert [name for name, _, current in own if current] == ["Drift"]
    main, below = await tabs(twin, f"{MODEL}/trust")
    assert [name for name, _, current in main if current] == ["Performance"]
    assert [name for name, _, current in below if current] == ["Trust"]
    assert [[name for name, _, current in row if current] for row in await tabs(twin, f"{MODEL}/columns/temp")] == [["Drift"]]


async def test_the_tabs_of_a_place(twin: Twin) -> None:
    """Also on its first page. A model that is not there has none."""
    assert [(name, current) for name, _, current in (await tabs(twin, "/ui/"))[0]] == [
        ("Open", True),
        ("Acknowledged", False),
        ("Ended", False),
    ]
    assert (await tabs(twin, "/ui/"))[0][2][1] == "/ui/alerts?state=closed"
    assert await tabs(twin, "/ui/models/none") == []
    assert await tabs(twin, "/ui/models/newcomer") == []  # it has events and no contract


async def test_tabs_stand_where_they_name_what_is_below(twin: Twin) -> None:
    """Below the name of the model, and above the name of its column or event; an episode is reached by links only, so it is on no tab."""

    async def order(path: str) -> list[str]:
        body = (await page(twin, path, "")).body
        kinds = (str(getattr(part, "className", "")) for part in body)
        return [kind for kind in kinds if kind in ("crumbs", "title", "tabs")]

    assert await order(f"{MODEL}/drift") == ["crumbs", "title", "tabs"]
    assert await order(f"{MODEL}/columns/temp") == ["crumbs", "tabs", "title"]
    assert await order(f"{MODEL}/events/flight%2F0013") == ["crumbs", "tabs", "title"]
    assert await order(f"/ui/alerts/{twin._episodes[0].id}") == ["crumbs", "title"]


async def test_the_bar_steps_through_windows_and_leaves_parts_of_a_cross(twin: Twin) -> None:
    """Before the selected window and after it; each part of a cross is a chip of its own."""
    at = START + 100 * moment.DAY
    state = PageState(segment="carrier=UA,origin=EWR", window=at)
    drawn = json.loads(to_json_plotly((await page(twin, MODEL, state.query)).body))
    links = {str(one["href"]) for one in parts(drawn, "A")}
    assert {f"{MODEL}{state.but(window=at + day * moment.DAY).query}" for day in (-1, 1)} <= links
    assert {f"{MODEL}{state.but(segment=one).query}" for one in ("carrier=UA", "origin=EWR")} <= links


def test_a_day_in_the_address_is_its_midnight() -> None:
    """As people write it into the fields of the bar."""
    assert PageState.of("?from=2013-07-01").start == moment.parse("2013-07-01T00:00:00Z")
