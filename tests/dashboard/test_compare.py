"""The page Compare."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.baseline.rows import Role, Version
from core.comparison import Comparison
from core.monitor import Monitor
from core.trial import Trial
from dashboard import components as piece
from dashboard import late
from dashboard.control import versions
from dashboard.pages.sides import _said
from dashboard.panel import Page
from dashboard.route import page
from dashboard.site import LATE
from detectors.catalogue import MEASURES
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


async def _sides(twin: Twin, search: str) -> str:
    return json.dumps(json.loads(to_json_plotly(await late.draw(twin, LATE, json.dumps(["sides", "departs-late", search])))))


@pytest.mark.parametrize(
    ("measure", "params", "own", "other", "said"),
    [
        ("performance.accuracy", {}, 0.9, 0.8, "A is better"),
        ("performance.mae", {}, 0.9, 0.8, "A is worse"),
        ("performance.bias", {}, -5.0, 1.0, "A is worse"),
        ("performance.bias", {}, -1.0, -5.0, "A is better"),
        ("performance.value", {"better": "more"}, 2.0, 1.0, "A is better"),
        ("uncertainty.interval_coverage", {"promise": 0.8}, 0.99, 0.82, "A is worse"),
        ("uncertainty.interval_coverage", {}, 0.99, 0.82, ""),
        ("performance.accuracy", {}, 0.9, 0.9, ""),
        ("performance.accuracy", {}, None, 0.9, ""),
    ],
)
def test_which_side_is_better_is_judged_as_the_measure_is(
    measure: str, params: dict[str, Any], own: float | None, other: float | None, said: str
) -> None:
    """A bias by its distance from 0, a coverage by that from its promise."""
    assert _said(Monitor(name="a", model="m", measure=measure, params=params), MEASURES[measure], own, other) == said


async def test_both_sides_are_taken_by_one_definition_and_two_readings_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another monitor watches the segment of side B, with other parameters; threads are few."""
    twin, name = Twin(), "departs-late"
    all_of_it = Monitor(name="a", model=name, measure="performance.recall", params={"class": "0"}, warn=0.1)
    by_carrier = Monitor(name="b", model=name, measure="performance.recall", params={"class": "1"}, segments=("all", "carrier"))
    twin._monitors[name] = [*twin._monitors[name], all_of_it, by_carrier]
    asked, running, most = list[tuple[str | None, Any]](), Counter[str](), [0]
    lock = threading.Lock()

    def noted(trial: Trial) -> pa.Table:
        with lock:
            running["now"] += 1
            most.append(running["now"])
            asked.extend([(trial.segment, trial.monitor.get("params"))] if trial.monitor["measure"] == "performance.recall" else [])
        time.sleep(0.002)
        with lock:
            running["now"] -= 1
        return pa.table({})

    monkeypatch.setattr(twin, "evaluate", noted)
    assert "No reading" in await _sides(twin, "?target=1d&version=1&b_segment=carrier%3DUA")
    assert sorted(asked, key=str) == [("all", {"class": "0"}), ("carrier=UA", {"class": "0"})]
    assert max(most) <= 2


def test_a_list_has_each_value_once() -> None:
    """Senders name versions, and a browser shows nothing of a page whose list has a value twice; `*` is a version like others."""
    made: Any = piece.select("role", "Role", "*", [("*", "Any role"), ("*", "*"), ("1", "1")], "*")
    assert made.data == [{"value": "*", "label": "Any role"}, {"value": "1", "label": "1"}]
    view: Any = SimpleNamespace(model_versions=["*", "1"])
    listed: Any = versions("version", "Version", "*", view)
    assert (listed.value, [one["value"] for one in listed.data]) == ("*", ["all", "*", "1"])


@pytest.mark.parametrize("window", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_windows_of_any_time_are_no_defect(window: str) -> None:
    """Also where there is no window before or after."""
    for search in (f"?target=1d&window={window}", f"?target=1d&b_window={window}"):
        assert "could not be drawn" not in await _sides(Twin(), search)
