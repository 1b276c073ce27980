"""What the pages say if there is little to show, and how they write numbers and times."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from plotly.io.json import to_json_plotly

from core import moment
from core.monitor import Monitor
from core.reading import Query
from core.window.tumbling import Tumbling
from dashboard import components as piece
from dashboard import texts as word
from dashboard.route import page
from dashboard.series import choose
from tests.dashboard.test_page import figures, text
from tests.dashboard.twin import Twin
from tests.dashboard.year import DAYS, START, STORM

MODEL = "/ui/models/departs-late"
DRIFT = f"{MODEL}/drift"
PAGES = [
    "/ui/",
    "/ui/models",
    MODEL,
    "/ui/models/arrival-delay",
    f"{MODEL}/performance",
    "/ui/models/arrival-delay/performance",
    DRIFT,
    f"{MODEL}/quality",
    f"{MODEL}/trust",
    f"{MODEL}/columns/temp",
    f"{MODEL}/columns/carrier",
    "/ui/alerts",
]


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def changed(twin: Twin, **parts: Any) -> Twin:
    """The same reader with some parts replaced."""
    made = copy.copy(twin)
    vars(made).update(parts)
    return made


def narrowed(twin: Twin, *names: str) -> Twin:
    """A reader whose monitors watch all traffic only, but for those named."""
    monitors = [one if one.name in names else msgspec.structs.replace(one, segments=("all",)) for one in twin.monitors("departs-late")]
    kept = {("departs-late", name) for name in names}
    readings = {
        key: table if key in kept or key[0] != "departs-late" else table.filter(pc.equal(table["segment"], "all"))
        for key, table in twin._readings.items()
    }
    return changed(twin, _monitors={**twin._monitors, "departs-late": monitors}, _readings=readings)


async def test_a_segment_that_a_monitor_does_not_watch_leads_on(twin: Twin) -> None:
    """To all traffic, and to the monitors of the family that do watch it; where none does, to what one would do."""
    shown = text(await page(narrowed(twin, "default-performance.f1"), MODEL, "?segment=carrier%3DUA&measure=performance.accuracy"))
    assert "The monitor accuracy does not watch this segment." in shown
    assert f'"{MODEL}?segment=carrier%3DUA&measure=performance.f1&monitor=default-performance.f1"' in shown
    assert f'"{MODEL}?measure=performance.accuracy"' in shown
    assert "name it under " in text(await page(narrowed(twin), MODEL, "?segment=carrier%3DUA"))


async def test_a_dimension_that_a_monitor_does_not_watch_leads_on(twin: Twin) -> None:
    """The table of segments too is no dead end."""
    shown = text(await page(narrowed(twin, "default-performance.f1"), MODEL, "?measure=performance.accuracy&by=carrier"))
    assert "The monitor accuracy does not watch carrier." in shown
    assert f'"{MODEL}?measure=performance.f1&monitor=default-performance.f1&by=carrier"' in shown


def test_the_shown_monitor_is_one_that_watches_the_segment() -> None:
    """Before thresholds; the one that a link names before both."""
    narrow = Monitor(name="narrow", model="m", measure="drift.psi", critical=0.2)
    wide = Monitor(name="wide", model="m", measure="drift.psi", segments=("all", "carrier"))
    named = {
        (segment, wanted): choose([narrow, wide], "drift.psi", wanted, segment=segment)
        for segment in ("all", "carrier=UA")
        for wanted in ("", "narrow")
    }
    assert named == {("all", ""): narrow, ("all", "narrow"): narrow, ("carrier=UA", ""): wide, ("carrier=UA", "narrow"): narrow}


class Bare(Twin):
    """A model without a reference: drift has readings without a value, columns are counted."""

    def readings(self, query: Query) -> pa.Table:
        table = super().readings(query)
        return table.filter(pc.is_null(table["baseline"])) if query.measure and query.measure.startswith("drift") else table

    def histogram(self, model: str, column: str, segment: str, start: int, end: int) -> tuple[list[int], list[int]]:
        target, baseline = super().histogram(model, column, segment, start, end)
        return target, [0] * len(baseline)


async def test_a_model_without_a_reference_says_so_and_shows_the_command(twin: Twin) -> None:
    """No blank map and no advice to choose another segment: the command, and every column with its way to its page."""
    bare = Bare()
    bare.bare = {"departs-late"}
    shown = text(await page(bare, MODEL, ""))
    assert "This model has no reference, and input-drift compares with one." in shown
    assert "watchkeeper reference departs-late reference.parquet --task binary" in shown
    assert not [figure for figure in figures(json.loads(shown)) if figure["data"][0]["type"] == "heatmap"]
    assert f'"{MODEL}/columns/temp"' in text(await page(bare, DRIFT, ""))
    drawn = json.loads(text(await page(bare, f"{MODEL}/columns/temp", "?window=2013-07-05T00:00:00Z")))
    assert "drawn alone: the model has no reference" in json.dumps(drawn)
    assert "watchkeeper reference departs-late" in json.dumps(drawn)
    (chart,) = [figure for figure in figures(drawn) if figure["layout"]["barmode"] == "group"]
    assert {trace["name"] for trace in chart["data"]} == {"Target"}


async def test_a_column_that_is_all_null_is_not_ok(twin: Twin) -> None:
    """Also if its drift is within its thresholds, or has none."""
    table = twin._readings["departs-late", "nulls"]
    mine = pc.and_(pc.equal(table["column"], "visib"), pc.equal(table["segment"], "all"))
    at = table.schema.get_field_index("value")
    readings = {**twin._readings, ("departs-late", "nulls"): table.set_column(at, "value", pc.if_else(mine, 1.0, table["value"]))}
    shown = json.loads(text(await page(changed(twin, _readings=readings), DRIFT, "")))
    row = next(row for row in _rows(shown) if "visib" in json.dumps(row[0]))
    assert "All null" in json.dumps(row)
    assert "badge ok" not in json.dumps(row)


def _rows(node: Any) -> list[list[Any]]:
    """The rows of all tables of a page."""
    if isinstance(node, dict):
        own = [node["props"]["children"]] if node.get("type") == "Tr" else []
        return own + [row for value in node.values() for row in _rows(value)]
    return [row for value in node for row in _rows(value)] if isinstance(node, list) else []


async def test_without_a_threshold_nothing_is_called_ok(twin: Twin) -> None:
    """Not on the page of the model, not on that of all models, and an empty inbox says why it is empty."""
    free = {model: [msgspec.structs.replace(one, warn=None, critical=None) for one in of] for model, of in twin._monitors.items()}
    readings = {}
    for key, table in twin._readings.items():
        columns = {"threshold": '{"warn": null, "critical": null}', "verdict": "ok"}
        kept = table.drop_columns(list(columns))
        readings[key] = pa.table(
            {**dict(zip(kept.column_names, kept.columns, strict=True)), **{name: [value] * len(table) for name, value in columns.items()}}
        )
    quiet = changed(twin, _monitors=free, _readings=readings, _episodes=[])
    for address in (MODEL, "/ui/models"):
        shown = text(await page(quiet, address, ""))
        assert "No threshold set" in shown or "No event for" in shown
        assert "badge ok" not in shown
    assert "No monitor has a threshold, so no episode can open." in text(await page(quiet, "/ui/", ""))


async def test_a_model_whose_events_stopped_is_not_ok(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three days after the last event no family of it is green; an hour after it, those without an open episode are."""
    quiet = changed(twin, _episodes=[])
    last = START + DAYS * moment.DAY - moment.HOUR
    for age, green in ((3 * moment.DAY, False), (moment.HOUR, True)):
        monkeypatch.setattr(word, "now", lambda age=age: last + age)
        shown = text(await page(quiet, "/ui/models", ""))
        assert ("badge ok" in shown, "No event for 3 d" in shown) == (green, not green)


@pytest.mark.parametrize("address", PAGES)
async def test_panels_have_titles_of_their_own(address: str, twin: Twin) -> None:
    """No two panels of a page are titled alike."""
    drawn = json.loads(to_json_plotly((await page(twin, address, "")).body))
    titles = [json.dumps(title) for title in _headings(drawn)]
    assert len(set(titles)) == len(titles)


def _headings(node: Any) -> list[Any]:
    """The titles of cards."""
    if isinstance(node, dict):
        card = node.get("type") == "Section"
        own = [node["props"]["children"][0]["props"]["children"][0]["props"]["children"]] if card else []
        return own + [found for value in node.values() for found in _headings(value)]
    return [found for value in node for found in _headings(value)] if isinstance(node, list) else []


async def test_a_number_has_one_format_wherever_it_stands(twin: Twin) -> None:
    """A null rate is 0.31 in the facts, in the sentence, in the tables and in the chart; percent are parts of the traffic only."""
    one = next(one for one in twin.episodes(None, None, 500) if one.monitor == "nulls" and one.segment == "all")
    value = word.number(one.value)
    assert one.reason.startswith(f"Null rate of temp is {value}")
    shown = text(await page(twin, f"/ui/alerts/{one.id}", ""))
    assert shown.count(f'"{value}"') >= 3
    column = text(await page(twin, f"{MODEL}/columns/temp", f"?window={moment.text(START + STORM[0] * moment.DAY)}"))
    for drawn in (shown, column):
        assert [
            said for said in _said(json.loads(drawn)) if re.search(r"\d ?%|\de[-+]?\d", said) and not re.fullmatch(r"[\d.]+ %", said)
        ] == []


def _said(node: Any) -> list[str]:
    """All texts of a page that are read by people: no addresses, which the points of charts hold, too."""
    if isinstance(node, dict):
        return [said for key, value in node.items() if key not in {"id", "href", "style"} for said in _said(value)]
    if isinstance(node, str):
        return [] if node.startswith("/ui/") else [node]
    return [said for value in node for said in _said(value)] if isinstance(node, list) else []


async def test_names_of_three_hundred_characters_are_cut_with_the_whole_in_a_tooltip(twin: Twin) -> None:
    """In tables, headings, trails and on axes; two that begin alike stay two rows."""
    assert json.loads(to_json_plotly(piece.name("a" * 300)))["props"] == {"children": "a" * 39 + "…", "title": "a" * 300}
    long = {"temp": "t" * 300, "visib": "t" * 299 + "v"}
    readings = {}
    for key, table in twin._readings.items():
        renamed = pa.array([long.get(column, column) for column in table["column"].to_pylist()])
        readings[key] = table.set_column(table.schema.get_field_index("column"), "column", renamed)
    contract = twin._contracts["departs-late"]
    features = tuple(msgspec.structs.replace(one, name=long.get(one.name, one.name)) for one in contract.features)
    contracts = {**twin._contracts, "departs-late": msgspec.structs.replace(contract, features=features)}
    shown = await page(changed(twin, _readings=readings, _contracts=contracts), DRIFT, "")
    (heat,) = [figure for figure in figures(json.loads(text(shown))) if figure["data"][0]["type"] == "heatmap"]
    assert len(set(heat["data"][0]["y"])) == len(heat["data"][0]["y"])
    assert max(len(name) for name in heat["layout"]["yaxis"]["ticktext"]) <= 24
    assert text(shown).count('"children": "' + "t" * 39 + '…"') == 2
    assert text(shown).count(f'"title": "{long["temp"]}"') == 1


async def test_what_a_link_says_and_cannot_be_read_is_ignored_aloud(twin: Twin) -> None:
    """In the words of the page."""
    shown = text(await page(twin, MODEL, "?from=yesterday&monitor=gone&measure=drift.wasserstein&by=dest"))
    for said in (
        "from: 'yesterday' is not an RFC 3339 time",
        "monitor: departs-late has no monitor gone",
        "measure: no monitor takes the measure drift.wasserstein",
        "by: departs-late has no segments by dest",
    ):
        assert f"Ignored in this link: {said}" in shown
    assert "Ignored" not in text(await page(twin, MODEL, "?monitor=accuracy&measure=performance.accuracy&by=carrier&segment=carrier%3DUA"))


async def test_the_distribution_of_a_segment_without_readings_is_of_a_whole_window(twin: Twin) -> None:
    """That which all traffic is looked at in, not the fragment at the end of the data; the page says that there is no reading of the segment."""
    table = twin._readings["departs-late", "input-drift"]
    last = pc.equal(table["window_start"], START + (DAYS - 1) * moment.DAY)
    at = table.schema.get_field_index("n_target")
    thin = table.set_column(at, "n_target", pc.if_else(last, pa.scalar(1, table["n_target"].type), table["n_target"]))
    reader = narrowed(changed(twin, computes=False, _readings={**twin._readings, ("departs-late", "input-drift"): thin}))
    day = moment.text(START + (DAYS - 2) * moment.DAY)[:10]
    for segment in ("", "?segment=carrier%3DUA"):
        shown = text(await page(reader, f"{MODEL}/columns/temp", segment))
        assert f"Window of {day}, the newest that is whole: n " in shown
        assert ("No reading of this segment." in shown) == bool(segment)


async def test_where_there_is_no_reading_nothing_is_said_of_one(twin: Twin) -> None:
    """A window or a period beyond the data has no verdict, no value, and no word about thresholds; its period is that of the address."""
    late = f"window={moment.text(START + (DAYS + 40) * moment.DAY)}"
    shown = text(await page(twin, MODEL, f"?{late}&range=30d"))
    assert "no reading of 2014-02-10" in shown
    assert '"className": "badge "' not in shown
    segment = f"?segment=carrier%3DUA&{late}&range=30d"
    shown = text(await page(narrowed(twin), f"{MODEL}/columns/temp", segment))
    assert "No reading of 2014-02-10" in shown
    assert "No threshold set" not in shown
    shown = text(await page(twin, f"{MODEL}/columns/temp", "?from=2015-01-01T00:00:00Z"))
    assert "from 2015-01-01 00:00 UTC" in shown
    assert "1 Jan 2015" in shown
    assert "2013-12-31" not in shown


async def test_what_is_not_there_is_called_by_its_name(twin: Twin) -> None:
    """A column of a model that there is not, and a state that no episode has."""
    assert "There is no model nope" in text(await page(twin, "/ui/models/nope/columns/x", ""))
    assert "departs-late has no column x" in text(await page(twin, f"{MODEL}/columns/x", ""))
    assert "Ignored in this link: state: 'firing' is none of open, closed" in text(await page(twin, "/ui/alerts", "?state=firing"))


async def test_a_table_of_segments_has_no_column_of_dashes(twin: Twin) -> None:
    """Rows of the baseline are counted where there is one, and not where the monitor has none."""
    for search, shown in (("?measure=performance.accuracy&monitor=accuracy", True), ("?measure=performance.f1", False)):
        assert ('"n baseline"' in text(await page(twin, MODEL, f"{search}&by=carrier"))) == shown


async def test_a_chart_marks_the_episodes_of_its_own_monitor(twin: Twin) -> None:
    """Those of another monitor of the measure fired at other thresholds."""
    mine = [one for one in twin._episodes if (one.model, one.monitor, one.segment) == ("departs-late", "accuracy", "all")]
    others = [msgspec.structs.replace(one, id=f"{one.id}x", monitor="other", fired_at=one.fired_at + moment.DAY) for one in mine]
    drawn = json.loads(text(await page(changed(twin, _episodes=[*twin._episodes, *others]), MODEL, "?range=365d&monitor=accuracy")))
    (marks,) = [trace["x"] for figure in figures(drawn) for trace in figure["data"] if trace.get("name") == "Episode fired"]
    assert sorted(marks) == sorted(moment.text(one.fired_at) for one in mine)


async def test_only_monitors_of_a_column_are_offered_on_its_page(twin: Twin) -> None:
    """A monitor of other columns would show nothing of this one."""
    drift = next(one for one in twin.monitors("departs-late") if one.measure == "drift.psi")
    other, mine = (msgspec.structs.replace(drift, name=f"of-{column}", columns=(column,)) for column in ("temp", "carrier"))
    reader = changed(twin, _monitors={**twin._monitors, "departs-late": [*twin.monitors("departs-late"), other, mine]})
    shown = text(await page(reader, f"{MODEL}/columns/carrier", ""))
    assert ("monitor=of-carrier" in shown, "monitor=of-temp" in shown) == (True, False)


async def test_segments_beside_an_unknown_one_are_of_a_whole_window(twin: Twin) -> None:
    """Where no window can be looked at, the table takes the newest that is whole, not the fragment at the end of the data."""
    table = twin._readings["departs-late", "accuracy"]
    last = pc.equal(table["window_start"], START + (DAYS - 1) * moment.DAY)
    at = table.schema.get_field_index("n_target")
    thin = table.set_column(at, "n_target", pc.if_else(last, pa.scalar(1, table["n_target"].type), table["n_target"]))
    reader = changed(twin, _readings={**twin._readings, ("departs-late", "accuracy"): thin})
    shown = text(await page(reader, MODEL, "?segment=carrier%3DNOBODY&measure=performance.accuracy&monitor=accuracy"))
    assert f"Window of {moment.text(START + (DAYS - 2) * moment.DAY)[:10]}, n " in shown


async def test_a_column_that_was_null_for_a_day_of_a_week_is_not_ok(twin: Twin) -> None:
    """If the null rate has shorter windows than drift, the worst of them counts, and the rate of the whole window is shown too."""
    table = twin._readings["departs-late", "nulls"]
    day = START + (DAYS - 5) * moment.DAY
    mine = pc.and_(pc.equal(table["column"], "visib"), pc.and_(pc.equal(table["segment"], "all"), pc.equal(table["window_start"], day)))
    at = table.schema.get_field_index("value")
    nulls = table.set_column(at, "value", pc.if_else(mine, 1.0, table["value"]))
    weekly = [
        msgspec.structs.replace(one, window=Tumbling(7 * moment.DAY)) if one.measure == "drift.psi" else one
        for one in twin.monitors("departs-late")
    ]
    reader = changed(
        twin, _monitors={**twin._monitors, "departs-late": weekly}, _readings={**twin._readings, ("departs-late", "nulls"): nulls}
    )
    shown = json.loads(text(await page(reader, DRIFT, f"?window={moment.text(day)}")))
    row = json.dumps(next(row for row in _rows(shown) if "visib" in json.dumps(row[0])))
    assert "Null rate up to 1" in row
    assert "badge ok" not in row
