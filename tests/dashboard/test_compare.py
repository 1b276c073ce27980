"""The page Compare."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.baseline.rows import Role, Version
from core.comparison import Comparison
from core.monitor import Monitor
from dashboard import late
from dashboard.panel import Page
from dashboard.route import page
from dashboard.site import LATE
from tests.dashboard.twin import Twin
from tests.dashboard.year import START


def text(drawn: Page) -> str:
    """All that is on a page, as its JSON."""
    return json.dumps(json.loads(to_json_plotly(drawn.body)), ensure_ascii=False)


async def test_the_page_compare_says_what_is_known_and_what_is_needed() -> None:
    """The verdict as a sentence, the rows seen and needed, and each segment; without a comparison it says how to make one."""
    model, twin = "departs-late", Twin()
    assert "compare.difference" in text(await page(twin, f"/ui/models/{model}/compare", ""))
    sides: dict[str, Any] = {"a": Version("1"), "b": Role("shadow")}
    monitor = Monitor(
        name="shadow", model=model, measure="compare.difference", baseline=sides["a"], other=sides["b"],
        params={"of": "performance.accuracy", "margin": 0.01},
    )  # fmt: skip
    known: dict[str, Any] = {
        "better": 0.002,
        "better_upper": 0.02,
        "gain": 0.011,
        "rows_a": 9000,
        "rows_b": 9000,
        "needed": 11000,
        "detects": 0.01,
        "alpha": 0.05 / 3,
    }
    known |= {"days_left": 2.5, "basis": "pairs", "disagreement": 0.05, "only_a": 180, "only_b": 270, "mcnemar_p": 0.00003}
    one = Comparison(
        monitor="shadow", **sides, of="performance.accuracy", margin=0.01, segment="all", window_start=START, window_end=START + moment.DAY,
        verdict="ready", reason=None, value=0.012, lower=0.001, upper=0.02, baseline_value=0.9, n_target=900, n_baseline=900, evidence=known,
    )  # fmt: skip
    waits = msgspec.structs.replace(one, segment="carrier=UA", verdict="keep_waiting", reason="too few rows", evidence={})
    twin.standing = (one, waits)
    twin._monitors[model] = [*twin._monitors[model], monitor]
    said = text(await page(twin, f"/ui/models/{model}/compare", ""))
    for words in (
        "The shadow may take the place of version 1, in accuracy",
        "11,000",
        "2.5 days",
        "with 98.3 % at all windows together",
        "5.0 %",
        "only b in 270",
        "carrier=UA",
        "too few rows",
    ):
        assert words in said
    twin.standing = (msgspec.structs.replace(one, verdict="nodata", value=None, reason="b has no rows in the window"),)
    assert "The shadow has no rows in the last window, in accuracy" in text(await page(twin, f"/ui/models/{model}/compare", ""))


@pytest.mark.parametrize(
    ("search", "a", "b"),
    [
        ("", "All traffic, 2013-12-30", "All traffic, 2013-12-29"),
        ("?b_segment=carrier%3DUA", "All traffic, 2013-12-30", "carrier=UA, 2013-12-30"),
        ("?segment=carrier%3DEV&b_segment=all&window=2013-07-08T00:00:00Z", "carrier=EV, 2013-07-08", "All traffic, 2013-07-08"),
        ("?b_window=2013-07-08T13:00:00Z&b_segment=origin%3DJFK", "All traffic, 2013-12-30", "origin=JFK, 2013-07-08"),
        ("?version=1&b_version=2", "All traffic, 2013-12-30, version 1", "All traffic, 2013-12-30, version 2"),
    ],
)
async def test_any_two_sides_are_compared(search: str, a: str, b: str) -> None:
    """Side A is what the bar has selected, side B differs by what was chosen for it, else it is the window before; only two windows of the same rows have a cause."""
    twin = Twin()
    asked = f"?target=1d&{search.removeprefix('?')}"
    drawn = json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["sides", "departs-late", asked])))))
    assert f"A: {a}. B: {b}. Each value" in drawn
    assert "A less B" in drawn
    assert ("What makes the difference" in drawn) == (not search)
