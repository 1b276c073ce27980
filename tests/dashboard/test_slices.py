"""The page Segments: slices as bubbles and as a list."""

from __future__ import annotations

import copy
import json

from plotly.io.json import to_json_plotly

from core.cause import SegmentCause
from dashboard import late
from dashboard.figure.bubbles import bubbles
from dashboard.route import page
from dashboard.site import LATE
from tests.dashboard.test_page import text
from tests.dashboard.twin import Twin


def test_a_bubble_is_as_large_as_what_its_slice_contributes() -> None:
    """Its area, that is; it stands at its share of rows and at how much worse it is, and a click opens its address."""
    found = [SegmentCause("carrier=UA", 0.2, 0.6, 0.8, 200, 0.04, 0.0), SegmentCause("temp=[1%2C2)", 0.1, 0.7, 0.8, 100, 0.01, 0.2)]
    (points,) = bubbles(found, {one.segment: f"/{one.n}" for one in found}, unit="worse by")["data"]
    assert (points["x"], points["y"]) == ([20.0, 10.0], [0.2, 0.1])
    assert points["marker"]["size"][0] == 2 * points["marker"]["size"][1]
    assert [one[0] for one in points["customdata"]] == ["/200", "/100"]
    assert points["text"] == ["carrier=UA", "temp=[1,2)"]


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
