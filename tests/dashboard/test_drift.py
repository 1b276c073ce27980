"""The pages Drift, Quality and Column: what they rank, compute and say, for ten columns and for a thousand."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.contract import Column, Kind
from core.monitor import Budget
from core.reading import Query
from core.trial import Trial
from dashboard.figure.ecdf import ecdf, widest
from dashboard.route import page
from tests.dashboard.test_page import Asked, figures, text
from tests.dashboard.test_texts import _rows, changed
from tests.dashboard.twin import Twin
from tests.dashboard.year import DAYS, START

MODEL = "/ui/models/departs-late"
WIDE, SHOWN = 1_000, 20  # columns, and days of them


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


@pytest.fixture(scope="module")
def wide(twin: Twin) -> Twin:
    """A model with a thousand columns, of which a monitor has the last days; every hundredth has moved."""
    contract, monitor = twin._contracts["departs-late"], twin.monitors("departs-late")[3]
    features = tuple(Column(name=f"f{place:03}", kind=Kind.NUMERIC, edges=(0.0, 1.0)) for place in range(WIDE))
    table = twin._readings["departs-late", monitor.name]
    one = table.filter(pc.and_(pc.equal(table["column"], "hour"), pc.equal(table["segment"], "all"))).slice(DAYS - SHOWN)
    count = {name: one.schema.get_field_index(name) for name in ("column", "value", "evidence")}
    blocks = []
    for place, feature in enumerate(features):
        moved = place % 100 == 7
        evidence = json.dumps({"p": 1e-6 if moved else (place + 1) / (WIDE + 1)})
        changes: dict[str, Any] = {"column": feature.name, "value": 0.5 + place / 1e4 if moved else 0.01, "evidence": evidence}
        block = one
        for name, value in changes.items():
            block = block.set_column(count[name], name, pa.array([value] * len(one)))
        blocks.append(block)
    readings = {("departs-late", monitor.name): pa.concat_tables(blocks)}
    contracts = {"departs-late": msgspec.structs.replace(contract, features=features, outputs=())}
    return changed(twin, _contracts=contracts, _monitors={"departs-late": [monitor]}, _readings=readings)


async def drawn(reader: Any, path: str) -> Any:
    """A page as its JSON."""
    address, _, search = path.partition("?")
    return json.loads(text(await page(reader, address, f"?{search}")))


def names(page_: Any) -> list[str]:
    """The columns that the rows of the first table are of, in order."""
    found = [row[0] for row in _rows(page_)]
    links = [cell["props"]["children"]["props"] for cell in found if isinstance(cell["props"]["children"], dict)]
    return [link["children"] for link in links if "columns/" in link.get("href", "")]


async def test_columns_that_moved_are_ranked_by_evidence(twin: Twin) -> None:
    """By q, whose number of tests is told; a measure that no monitor takes is computed, and the page says so. Rows are told with what they are worth."""
    shown = await drawn(twin, f"{MODEL}/drift?measure=drift.ks&window=2013-07-08T00:00:00Z")
    assert names(shown)[0] == "temp"
    said = json.dumps(shown)
    assert "q is p adjusted for 6 tests (Benjamini-Hochberg)" in said
    assert "computed now, not stored, no alarms" in said
    n = twin._days["all"][188]
    assert f"worth {round(n / 3.5)}" in said


async def test_segments_can_be_the_rows(twin: Twin) -> None:
    """A row for each column and carrier; the link opens the column in that segment and window."""
    shown = await drawn(twin, f"{MODEL}/drift?by=carrier&window=2013-07-08T00:00:00Z")
    assert len(names(shown)) == 25
    assert "1 of 6" in json.dumps(shown)
    assert "columns/temp?segment=carrier%3DUA&measure=drift.psi&monitor=input-drift&window=2013-07-08T00:00:00Z" in json.dumps(shown)


async def test_importance_is_drawn_against_drift_where_it_is_known(twin: Twin) -> None:
    """A point a column, the one that matters most first; without attributions the page says why there is none."""
    shown = await drawn(twin, f"{MODEL}/drift")
    (chart,) = [figure for figure in figures(shown) if figure["layout"]["meta"] == {"pick": "address"}]
    (points,) = chart["data"]
    assert sum(points["x"]) == pytest.approx(1, abs=1e-3)
    assert all(href.startswith(f"{MODEL}/columns/") for href, _ in points["customdata"])
    ordered = names(await drawn(twin, f"{MODEL}/drift?sort=importance"))
    assert points["text"][0] == ordered[0]
    assert "carry no attributions" in json.dumps(await drawn(twin, "/ui/models/arrival-delay/drift"))


async def test_a_thousand_columns_are_ranked_at_once_and_drawn_by_the_page(wide: Twin) -> None:
    """Those that moved come first; a page has 25 rows, and only their readings over the period are asked for; a search finds the others."""
    asked = Asked(wide)
    shown = await drawn(asked, f"{MODEL}/drift?range=30d")
    assert names(shown)[:10] == [f"f{place:03}" for place in range(907, -1, -100)]
    assert len(names(shown)) == 25
    assert "1 of 40" in json.dumps(shown)
    assert "of 1,000 columns, q up to 0.05 of 1,000 tests" in json.dumps(shown)
    assert asked.rows <= 27 * SHOWN
    assert asked.calls["ranking"] == 1
    assert len(json.dumps(shown)) < 200_000
    second = names(await drawn(wide, f"{MODEL}/drift?page=2"))
    assert len(set(second) - set(names(shown))) == 25
    assert names(await drawn(wide, f"{MODEL}/drift?find=F99")) == [f"f{place}" for place in range(990, 1000)]
    assert "No such column" in json.dumps(await drawn(wide, f"{MODEL}/drift?find=nowhere"))
    overview = await drawn(wide, MODEL)
    (heat,) = [figure for figure in figures(overview) if figure["data"][0]["type"] == "heatmap"]
    assert len(heat["data"][0]["y"]) == 12
    assert "All 1,000 columns, ranked" in json.dumps(overview)


async def test_few_columns_are_asked_for_over_the_period_once(twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells the newest window is what is drawn. Segments as rows, and a chosen window, are asked for as they are drawn."""
    over: list[Query] = []
    plain = Twin.readings

    def readings(self: Twin, query: Query) -> pa.Table:
        if query.monitor == "input-drift" and (query.end or 0) - (query.start or 0) > 2 * moment.DAY:
            over.append(query)
        return plain(self, query)

    monkeypatch.setattr(Twin, "readings", readings)
    for search, many in (("", 1), ("&find=temp", 1), ("&window=2013-12-08T00:00:00Z", 1), ("&by=carrier", 2)):
        over.clear()
        assert names(await drawn(twin, f"{MODEL}/drift?range=30d{search}"))
        assert len(over) == many


async def test_a_thousand_columns_that_no_monitor_watches_are_computed_by_the_page(wide: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those of the page, which are ranked among themselves; the page says so."""
    trials: list[Trial] = []

    def evaluate(_self: Twin, trial: Trial) -> pa.Table:
        trials.append(trial)
        return pa.table({})

    monkeypatch.setattr(Twin, "evaluate", evaluate)
    shown = await drawn(wide, f"{MODEL}/drift?measure=drift.ks")
    assert max(len(trial.monitor.get("columns", ())) for trial in trials) == 25
    assert "Cannot be computed" not in json.dumps(shown)


async def test_what_cannot_be_computed_is_told(twin: Twin) -> None:
    """With its reason and what to do; the rest of the page stays."""
    shown = json.dumps(await drawn(changed(twin, computes=False), f"{MODEL}/drift?measure=drift.ks"))
    assert "Cannot be computed" in shown
    assert "these are 200,001 readings (ask for less)" in shown
    assert "could not be drawn" not in shown


async def test_a_column_shows_what_makes_its_value_and_what_an_alarm_needs(twin: Twin) -> None:
    """The bins that contribute with both shares, the distribution function, the calibration, and its rates over time."""
    shown = await drawn(twin, f"{MODEL}/columns/temp?measure=drift.hellinger&window=2013-07-08T00:00:00Z")
    said, short = json.dumps(shown), twin.measures["drift.hellinger"].short
    for part in (f"What makes the {short}", "below 10", "60.0 %", "Dispersion phi", "no threshold set", f"Calibration of {short}"):
        assert part in said
    titles = {figure["layout"].get("yaxis", {}).get("title", {}).get("text") for figure in figures(shown)}
    assert "share of values below" in titles
    strips = next(figure for figure in figures(shown) if "yaxis3" in figure["layout"] and len(figure["layout"]["annotations"]) >= 3)
    assert [label["text"] for label in strips["layout"]["annotations"] if label["yref"] == "paper"] == [
        "Null rate",
        "Invalid rate",
        "Out-of-range rate",
        "↻",  # a retraining, which every time axis marks
    ]
    assert "Computed now, because no monitor watches it: invalid rate, out-of-range rate." in said
    watched = json.dumps(await drawn(twin, f"{MODEL}/columns/temp"))
    assert "warn from 0.1" in watched
    assert "Alarm windows, last 30 d" not in watched


async def test_a_column_shows_what_a_budget_allows_beside_what_was_told(twin: Twin) -> None:
    """Alarm windows, episodes and time in alarm of the last 30 days, of a monitor with a budget."""
    budget = Budget(1, 30 * moment.DAY)
    held = {
        model: [msgspec.structs.replace(one, warn=None, critical=None, budget=budget) if one.measure == "drift.psi" else one for one in of]
        for model, of in twin._monitors.items()
    }
    said = json.dumps(await drawn(changed(twin, _monitors=held), f"{MODEL}/columns/temp"))
    for part in ("1 per 30d", "Alarm windows, last 30 d", "3 of 30", "episodes: 1; in alarm for 3d"):
        assert part in said


async def test_quality_shows_the_stream_the_columns_and_new_categories(twin: Twin) -> None:
    """Every measure of the whole model, watched or not; the rates of each column; the values that the reference does not have."""
    shown = await drawn(twin, f"{MODEL}/quality")
    said = json.dumps(shown)
    for title in ("Label coverage", "Rejected rate", "Duplicate rate", "Late rate", "Orphan label rate", "Volume against expected"):
        assert f'"{title}"' in said
    assert [figure["data"][0]["type"] for figure in figures(shown)].count("heatmap") == 1
    assert all(part in said for part in ("BGR", " 11", "a,b", '"Invalid"', '"Out of range"'))
    early = json.dumps(await drawn(twin, f"{MODEL}/quality?window=2013-03-01T00:00:00Z"))
    assert "Every category of this window is in the reference." in early


@pytest.mark.parametrize(("search", "days", "cut"), [("", 7, True), ("&range=7d", 7, False), ("&from=2013-11-01&to=2013-12-01", 30, False)])
async def test_what_is_made_of_all_events_is_over_a_week_and_says_so(search: str, days: int, *, cut: bool) -> None:
    """Only the measure that is chosen is computed; dates that are given hold."""
    asked = list[Trial]()

    class Evaluating(Twin):
        def evaluate(self, trial: Trial) -> pa.Table:
            asked.append(trial)
            return super().evaluate(trial)

    reader = Evaluating()
    said = json.dumps(await drawn(reader, f"{MODEL}/quality?measure=quality.late_rate{search}"))
    dear = [one for one in asked if reader.measures[one.monitor["measure"]].of_stream]
    assert [one.monitor["measure"] for one in dear] == ["quality.late_rate"]
    assert (dear[0].end or 0) - (dear[0].start or 0) == days * moment.DAY
    assert ("over 7 days whatever the period" in said) == cut


COLUMN = Column(name="x", kind=Kind.NUMERIC, edges=(0.0, 1.0, 3.0))


@given(st.lists(st.integers(0, 50), min_size=6, max_size=6), st.lists(st.integers(0, 50), min_size=6, max_size=6))
def test_the_distribution_function_is_exact_at_the_edges(target: list[int], baseline: list[int]) -> None:
    """The share of the values, null and invalid left out, that is below each edge; a side without values is not drawn."""
    drawn_ = ecdf(COLUMN, target, baseline)
    sides = {"Target": target[:4], "Baseline": baseline[:4]}
    found = {trace["name"]: trace["y"] for trace in drawn_["data"]} if drawn_ else {}
    assert set(found) == {name for name, values in sides.items() if sum(values)}
    for name, y in found.items():
        values = np.array(sides[name])
        assert np.allclose(y, values.cumsum()[:-1] / values.sum(), atol=1e-5)
    gap = widest(COLUMN, target, baseline)
    if len(found) == 2:
        assert gap is not None
        apart = np.abs(np.subtract(*(np.array(values).cumsum()[:-1] / sum(values) for values in sides.values())))
        assert abs(gap[1]) == pytest.approx(apart.max())
    else:
        assert gap is None


async def test_a_window_before_the_first_event_says_so(twin: Twin) -> None:
    """No table and no verdict."""
    before = moment.text(START - 30 * moment.DAY)
    shown = json.dumps(await drawn(twin, f"{MODEL}/drift?window={before}"))
    assert "This window has not been evaluated" in shown


async def test_who_comes_from_a_quality_episode_sees_the_quality_of_the_column_first(twin: Twin) -> None:
    """Before its drift, which is first for all others."""

    async def places(search: str) -> tuple[int, int]:
        said = json.dumps(await drawn(twin, f"{MODEL}/columns/temp{search}"))
        return said.index('"Quality, '), said.index('"Calibration of ')

    quality, drift = await places("?measure=quality.null_rate")
    assert quality < drift
    quality, drift = await places("")
    assert quality > drift
