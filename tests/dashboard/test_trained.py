"""Retrainings are marked on every time axis of the pages of a model."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.retrain import Retrain
from dashboard.figure import axis
from dashboard.figure.trained import trained
from dashboard.pages.slices import slices
from dashboard.route import page
from tests.alerts.retrain.scene import requests
from tests.alerts.sample import START
from tests.dashboard.test_fairness import fair
from tests.dashboard.test_page import figures, text
from tests.dashboard.test_texts import changed
from tests.dashboard.twin import Twin

MODEL = "/ui/models/departs-late"
END = START + 5 * moment.DAY  # of the data of the two runs that have succeeded


@pytest.mark.parametrize(
    ("part", "charts"),
    [
        ("", 2),
        ("/performance", 1),
        ("/drift", 1),
        ("/quality", 2),
        ("/fairness", 2),
        ("/service", 1),
        ("/columns/temp", 2),
        ("/events", 1),
    ],
)
async def test_every_time_axis_of_a_page_has_the_runs_that_succeeded(part: str, charts: int) -> None:
    """One line where their data end, with version and effect of both; those that were not trained are not there. Without a run no chart changes."""
    twin = fair(Twin()) if part == "/fairness" else Twin()
    drawn = await _timed(twin, f"{MODEL}{part}")
    assert len(drawn) == charts
    for figure in drawn:
        (sign,) = [one for one in figure["layout"]["annotations"] if one["text"] == "↻"]
        assert (sign["x"], sign["hovertext"]) == (
            moment.text(END),
            "2013-07-06 00:00<br>retrained: version 1, ineffective<br>retrained: version 2, effective",
        )
        assert [one["x0"] for one in figure["layout"]["shapes"] if one["line"].get("dash") == "dashdot"] == [moment.text(END)]
    none = await _timed(changed(twin, retrains=lambda *_: []), f"{MODEL}{part}")
    assert len(none) == charts
    assert all("↻" not in json.dumps(figure, ensure_ascii=False) for figure in none)


async def test_the_map_of_segments_has_them() -> None:
    """It is drawn late."""
    drawn = figures(json.loads(to_json_plotly(await slices(Twin(), "departs-late", "?range=365d"))))
    (timed,) = [figure for figure in drawn if figure["layout"]["xaxis"].get("type") == "date"]
    assert [each["x"] for each in timed["layout"]["annotations"]] == [moment.text(END)]


async def test_the_course_of_an_episode_has_them() -> None:
    """Where its chart reaches to them; and who cannot see it is told in words."""
    twin = Twin()
    one = next(each for each in twin._episodes if each.model == "departs-late" and each.ended_at is not None)
    manifest = requests("departs-late")[2].manifest
    assert manifest is not None
    run = msgspec.structs.replace(requests("departs-late")[2], manifest=msgspec.structs.replace(manifest, end=one.fired_at))
    with_run = changed(twin, retrains=lambda *_: [run])
    (figure,) = await _timed(with_run, f"/ui/alerts/{one.id}", "")
    assert [each["x"] for each in figure["layout"]["annotations"] if each["text"] == "↻"] == [moment.text(one.fired_at)]
    said = f"On {moment.text(one.fired_at)[:10]} retrained: version 2, effective."
    assert said in text(await page(with_run, f"/ui/alerts/{one.id}", ""))


def test_a_run_outside_the_axis_and_an_axis_of_no_time_change_nothing() -> None:
    """Neither does a run that has not succeeded. Without a manifest a run is where it ended, and names are no markup."""
    figure: dict[str, Any] = {"data": [], "layout": axis.layout(100, xaxis=axis.time_axis(END, END + moment.DAY, moment.HOUR))}
    past = requests("late")
    assert trained(figure, past)[1] == ["2013-07-06 retrained: version 1, ineffective, retrained: version 2, effective"]

    def moved(at: int) -> list[Retrain]:
        return [msgspec.structs.replace(one, manifest=None, version="<b>", succeeded_at=at) for one in past[:1]]

    assert trained(figure, moved(END - 1)) == (figure, [])
    assert trained(figure, [msgspec.structs.replace(one, succeeded_at=None) for one in past]) == (figure, [])
    there, _ = trained(figure, moved(END + moment.HOUR))
    assert "version &lt;b&gt;, awaiting_approval" in there["layout"]["annotations"][0]["hovertext"]
    plain = {"data": [], "layout": {"xaxis": {"type": "linear", "range": [0, 1]}}}
    assert trained(plain, past) == (plain, [])


async def _timed(twin: Twin, address: str, search: str = "?range=365d") -> list[dict[str, Any]]:
    """The figures of a page that have a time axis."""
    drawn = figures(json.loads(text(await page(twin, address, search))))
    return [figure for figure in drawn if figure["layout"].get("xaxis", {}).get("type") == "date"]
