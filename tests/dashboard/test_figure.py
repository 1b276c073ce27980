"""Figures are plain, valid, exact, and readable in both themes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import moment, text
from core.baseline.previous import Previous
from core.cause import SegmentCause
from core.contract import Column, Kind, Task
from core.monitor import Monitor
from core.reading import Query
from dashboard.figure import colour, histogram
from dashboard.figure.bars import bars
from dashboard.figure.bubbles import bubbles
from dashboard.figure.heat import heat
from dashboard.figure.quadrant import quadrant
from dashboard.figure.spark import spark
from dashboard.figure.timeline import Mark, timeline
from dashboard.series import Series, limits
from detectors.catalogue import MEASURES
from tests.dashboard import year
from tests.dashboard.twin import Twin
from tests.dashboard.year import DAYS, OUTAGE, START, STORM

SHEET = (Path(__file__).parents[2] / "dashboard/assets/30_style.css").read_text()
INK_ON_GROUND = [
    (ink, ground) for ink in ("ink", "quiet", "accent", "warn", "critical", "ok", "baseline") for ground in ("page", "ground", "raised")
]
ON_TINT = [
    ("warn", "warn-ground"),
    ("critical", "critical-ground"),
    ("ok", "ok-ground"),
    ("quiet", "tag-ground"),
    ("ink", "tag-ground"),
    ("ground", "critical"),
]


def theme(name: str) -> dict[str, str]:
    """The colours of a theme, by name."""
    body = re.search(rf'\[data-mantine-color-scheme="{name}"\] \{{(.*?)\}}', SHEET, re.DOTALL)
    assert body is not None
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", body.group(1)))


def ratio(one: str, other: str) -> float:
    """The contrast of two colours by WCAG 2."""

    def light(text: str) -> float:
        parts = [int(text[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_text_has_four_and_a_half_to_one(name: str) -> None:
    """Each text colour on each background on which it is used, in both themes; axe cannot judge text in charts."""
    colours = theme(name)
    thin = {
        (ink, ground): found
        for ink, ground in INK_ON_GROUND + ON_TINT
        if (found := ratio(colours[f"--{ink}"], colours[f"--{ground}"])) < 4.5
    }
    assert thin == {}


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_colour_that_figures_name_is_in_the_sheet(name: str) -> None:
    """A name without a colour would be drawn black, silently."""
    named = {value for key, value in vars(colour).items() if key.isupper() and isinstance(value, str)} | set(colour.HEAT)
    assert named - set(theme(name)) == set()


@pytest.fixture(scope="module")
def twin() -> Twin:
    """One year of believable readings."""
    return Twin()


def _series(twin: Twin, measure: str, monitor: str, *, column: str = "", segment: str = "all") -> tuple[Series, Monitor]:
    table = twin.readings(Query(model="departs-late", monitor=monitor, measure=measure, column=column, segment=segment, limit=100_000))
    found = next(one for one in twin.monitors("departs-late") if one.name == monitor)
    return Series.of(table, START, START + DAYS * moment.DAY, moment.DAY), found


def _valid(figure: dict[str, Any]) -> go.Figure:
    """The figure after plotly's own validation; it must be plain JSON first."""
    json.dumps(figure, allow_nan=False)
    return go.Figure(colour.tint(figure, theme("dark")))


def _trace(figure: dict[str, Any], name: str) -> dict[str, Any]:
    return next(trace for trace in figure["data"] if trace["name"] == name)


def test_the_timeline_draws_gaps_as_gaps_and_says_why(twin: Twin) -> None:
    """The days of the outage have no value, not zero, and each carries its reason."""
    shown, monitor = _series(twin, "performance.accuracy", "accuracy")
    figure = timeline(
        shown,
        measure=MEASURES["performance.accuracy"],
        limits=limits(monitor, MEASURES[monitor.measure], shown),
        traffic=[900] * DAYS,
        marks=[Mark(START, "fired", "warn")],
        chosen=START,
    )
    _valid(figure)
    assert [place for place, value in enumerate(_trace(figure, "Accuracy")["y"]) if value is None] == list(OUTAGE)
    assert [words for _, words in _trace(figure, "No value")["customdata"]] == ["no rows"] * len(OUTAGE)


def test_the_timeline_marks_exactly_the_breaching_windows(twin: Twin) -> None:
    """Warn and critical are marked at the windows with those verdicts, by shape as well as by colour."""
    shown, monitor = _series(twin, "performance.accuracy", "accuracy")
    figure = timeline(shown, measure=MEASURES["performance.accuracy"], limits=limits(monitor, MEASURES[monitor.measure], shown))
    starts = [moment.text(START + day * moment.DAY) for day in STORM if shown.verdict[day] == "critical"]
    assert _trace(figure, "Critical")["x"] == starts
    assert [start for start, _ in _trace(figure, "Critical")["customdata"]] == starts
    assert _trace(figure, "Critical")["marker"]["symbol"] != _trace(figure, "Warn")["marker"]["symbol"]


def test_episodes_outside_of_the_period_are_not_in_the_legend(twin: Twin) -> None:
    """A word in the legend is a mark in the chart; one at the end of the last window is."""
    shown, _ = _series(twin, "performance.accuracy", "accuracy")
    end = shown.time(len(shown))
    for marks, drawn in (([START - 1, end + 1], []), ([START - 1, end], [end])):
        figure = timeline(shown, measure=MEASURES["performance.accuracy"], marks=[Mark(time, "fired", "warn") for time in marks])
        assert [trace["x"] for trace in figure["data"] if trace.get("name") == "Episode fired"] == (
            [[moment.text(time) for time in drawn]] if drawn else []
        )


@pytest.mark.parametrize(("n", "ticks"), [(1, {"dtick": 1}), (900, {"nticks": 3})])
def test_counts_have_whole_numbers_on_their_axis(n: int, ticks: dict[str, int], twin: Twin) -> None:
    """One row is no `500m` of one."""
    shown, _ = _series(twin, "performance.accuracy", "accuracy")
    drawn = timeline(replace(shown, n=[n] * len(shown)), measure=MEASURES["performance.accuracy"])["layout"]["yaxis2"]
    assert {key: drawn.get(key) for key in ticks} == ticks


def test_thin_windows_are_hollow_and_off_the_line(twin: Twin) -> None:
    """A value of too few samples is shown, with its reason, and the line does not run through it."""
    shown, monitor = _series(twin, "performance.accuracy", "accuracy", segment="carrier=VX")
    figure = timeline(shown, measure=MEASURES["performance.accuracy"], limits=limits(monitor, MEASURES[monitor.measure], shown))
    _valid(figure)
    assert set(_trace(figure, "Accuracy")["y"]) == {None}
    assert _trace(figure, "Too few samples")["customdata"][0][1] == f"too few samples ({shown.n[0]} < 200)"


def test_a_limit_relative_to_the_baseline_is_drawn_where_it_bites(twin: Twin) -> None:
    """`0.03 worse than 83.5 %` is a line at 80.5 % for accuracy, and above the baseline for an error."""
    shown, monitor = _series(twin, "performance.accuracy", "accuracy")
    drawn = {limit.level: limit for limit in limits(monitor, MEASURES[monitor.measure], shown)}
    assert drawn["warn"].y[0] == pytest.approx(0.805)
    assert drawn["critical"].label == "critical worse by 0.08"
    below = Monitor(name="m", model="m", measure="performance.roc_auc", warn={"below": 0.7})
    assert limits(below, MEASURES[below.measure], shown)[0].y[0] == 0.7


def test_limits_without_a_baseline_value_are_not_guessed() -> None:
    """Where a window has no baseline value there is no line."""
    monitor = Monitor(name="m", model="m", measure="performance.mae", baseline=Previous(), warn=2)
    shown = Series(
        start=0,
        step=1,
        value=[1.0, 2.0],
        lower=[None] * 2,
        upper=[None] * 2,
        baseline=[None, 1.0],
        n=[9, 9],
        n_baseline=[None, 9],
        verdict=["ok"] * 2,
        reason=[None] * 2,
    )
    assert limits(monitor, MEASURES[monitor.measure], shown)[0].y == [None, 3.0]


def test_the_heat_map_is_valid_and_ends_at_critical(twin: Twin) -> None:
    """The scale ends where it is critical, so that one runaway column does not hide the others."""
    rows = {column: _series(twin, "drift.psi", "input-drift", column=column)[0] for column in ("temp", "dest")}
    figure = heat(rows, measure=MEASURES["drift.psi"], top=0.25, chosen=START)
    assert _valid(figure).data[0].zmax == 0.25
    assert figure["data"][0]["z"][0][OUTAGE.start] is None
    cells = figure["data"][0]
    assert (cells["x0"], cells["dx"]) == (
        moment.text(START + moment.DAY // 2),
        moment.DAY / 1000,
    )  # the middle of a cell is that of its window
    day = moment.text(START + OUTAGE.start * moment.DAY)
    assert cells["customdata"][0][OUTAGE.start] == day
    assert cells["text"][0][OUTAGE.start] == f"no rows<br>{day[:10]} UTC"
    assert cells["text"][0][200].startswith(f"{rows['temp'].value[200]:.3g} · Critical · n ")


@pytest.mark.parametrize(
    ("measure", "values", "sizes", "furthest"),
    [
        ("drift.mean_shift", [0.2, -0.5, None], [0.2, 0.5, None], -0.5),
        ("drift.variance_ratio", [0.25, 2.0, None], [4.0, 2.0, None], 0.25),
        ("drift.psi", [0.25, 2.0, None], [0.25, 2.0, None], 2.0),
    ],
)
def test_a_shift_is_as_dark_whichever_way_it_goes(
    measure: str, values: list[float | None], sizes: list[float | None], furthest: float
) -> None:
    """A cell's colour is what thresholds are held against; the number that is shown keeps its sign."""
    n = len(values)
    rows = {name: [None] * n for name in ("lower", "upper", "baseline", "reason")}
    series = Series(start=0, step=moment.DAY, value=values, **rows, n=[9] * n, n_baseline=[9] * n, verdict=["ok"] * n)  # type: ignore[arg-type]
    cells = heat({"x": series}, measure=MEASURES[measure], top=None, chosen=None)["data"][0]
    assert cells["z"] == [sizes]
    assert cells["text"][0][0].startswith(f"{values[0]:.3g} ")
    assert series.largest(MEASURES[measure].size) == furthest


def test_times_go_to_plotly_as_text_and_thresholds_lie_above_the_grid(twin: Twin) -> None:
    """Plotly reads numbers in the zone of the browser, and text as it is written; a threshold under a line of the grid would be grey."""
    shown, monitor = _series(twin, "performance.accuracy", "accuracy")
    line = timeline(
        shown,
        measure=MEASURES["performance.accuracy"],
        limits=limits(monitor, MEASURES[monitor.measure], shown),
        marks=[Mark(START, "fired", "warn")],
        chosen=START,
        traffic=[9] * DAYS,
    )
    for figure in (line, heat({"temp": shown}, measure=MEASURES["drift.psi"], chosen=START)):
        shapes = [{"x0": shape["x0"], "x1": shape["x1"]} for shape in figure["layout"]["shapes"]]
        traces = [{key: trace.get(key) for key in ("x", "x0", "xperiod0")} for trace in figure["data"]]
        times = [figure["layout"]["xaxis"]["range"], *(value for one in (*shapes, *traces) for value in one.values() if value)]
        assert {type(time) for value in times for time in (value if isinstance(value, list) else [value])} == {str}
        assert figure["layout"]["xaxis"]["title"]["text"] == "UTC"
    assert {shape["layer"] for shape in line["layout"]["shapes"] if shape["type"] == "line"} == {"between"}


COLUMNS = year.contract("departs-late", Task.BINARY)


@pytest.mark.parametrize("column", COLUMNS.features, ids=lambda column: column.name)
def test_histograms_are_valid_and_their_shares_add_up(column: Column, twin: Twin) -> None:
    """All bars together hold every row, on both sides."""
    target, baseline = twin.histogram("departs-late", column.name, "all", START + 190 * moment.DAY, START + 191 * moment.DAY)
    figure = (histogram.numeric if column.numeric else histogram.categorical)(column, target, baseline, str)
    _valid(figure)
    found = histogram.parts(column, target, baseline)
    assert sum(part.target for part in found) == pytest.approx(1)
    assert sum(part.baseline for part in found) == pytest.approx(1)


@given(
    sample=st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 1)), min_size=2, max_size=60, unique=True),
    seed=st.integers(0, 2**32 - 1),
)
def test_densities_hold_exactly_the_rows_between_the_outer_edges(sample: list[float], seed: int) -> None:
    """Whatever the edges, atoms among them: density times width, summed, is the share of the closed bins."""
    edges = sorted({edge for value in sample for edge in (value, float(np.nextafter(value, np.inf)))})
    column = Column(name="x", kind=Kind.NUMERIC, edges=tuple(edges))
    counts = np.random.default_rng(seed).integers(0, 50, column.bins)
    counts[0] += 1
    figure = histogram.numeric(column, counts.tolist(), counts.tolist(), str)
    trace = next(trace for trace in figure["data"] if trace["name"] == "Target" and trace["type"] == "scatter")
    held = sum(y * (right - left) for y, left, right in zip(trace["y"], trace["x"], trace["x"][1:], strict=False))
    assert held == pytest.approx(counts[1 : len(edges)].sum() / counts.sum(), rel=1e-3)


def test_a_column_of_one_value_or_without_edges_is_drawn() -> None:
    """The edge cases of a reference: nothing but nulls, one value."""
    for edges in ((), (1.0,), (1.0, float(np.nextafter(1.0, 2)))):
        column = Column(name="x", kind=Kind.NUMERIC, edges=edges)
        counts = list(range(1, column.bins + 1))
        _valid(histogram.numeric(column, counts, counts, str))
        assert len(histogram.parts(column, counts, counts)) == column.bins


def test_names_of_categories_are_read_and_not_encoded() -> None:
    """Texts are unquoted for people; what vanished is called so."""
    column = Column(name="x", kind=Kind.CATEGORICAL, categories=("a%3Db", "c"))
    figure = histogram.categorical(column, [5, 0, 0, 0, 0, 0], [3, 2, 0, 0, 0, 0], str)
    assert figure["data"][0]["y"] == ["a=b", "c (vanished)"]


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=400))
@example([0.0, 5e-324])
def test_a_spark_line_is_small_and_skips_what_is_missing(values: list[float | None]) -> None:
    """However long the series: at most 120 points, no NaN, and nothing at all where there is no value."""
    picture = spark(values)
    assert (picture == "") == all(value is None for value in values)
    assert picture.count("L") + picture.count("M") <= 120
    assert "nan" not in picture


def test_of_very_many_bins_those_with_values_are_drawn() -> None:
    """Latency has edges from 0.01 ms to an hour: the chart covers all but 2 % of the values, and the rest are bars beside it."""
    column = Column(name="@latency_ms", kind=Kind.NUMERIC, edges=tuple(0.01 * 1.02**place for place in range(900)))
    target = [0] * column.bins
    target[400], target[450], target[500], target[890], target[column.null] = 49, 100, 49, 1, 1
    drawn = histogram.numeric(column, target, target, str)
    line, beside = drawn["data"][2:]
    assert (line["x"][0], line["x"][-1]) == (column.edges[399], column.edges[500])
    assert beside["y"] == [0, 1 / 200, 1 / 200, 0]


def test_every_bar_of_a_distribution_leads_to_its_events() -> None:
    """Numbers by the interval of the bar, which reach from end to end; categories as the contract has them; what is pooled leads nowhere."""
    numbers = Column(name="x", kind=Kind.NUMERIC, edges=(0.0, 5.0, 10.0))
    drawn = histogram.numeric(numbers, [1, 2, 3, 4, 5, 6], [1] * 6, lambda name: f"?{name}")
    assert [place[0] for place in drawn["data"][0]["customdata"]] == ["?[0,5)", "?[5,10)", ""]
    assert [place[0] for place in drawn["data"][1]["customdata"]] == ["?[-inf,0)", "?[10,inf)", "?null", "?invalid"]
    texts = Column(name="c", kind=Kind.CATEGORICAL, categories=tuple(f"k{place:02}" for place in range(20)))
    drawn = histogram.categorical(texts, [*range(30, 10, -1), 0, 9, 0, 0], [1] * 24, str)
    links = [place[0] for place in drawn["data"][-1]["customdata"]]
    assert (links[0], links[-1], len(links)) == ("k00", "", histogram.CATEGORIES + 1)
    found = {part.bin: part.n for part in histogram.parts(texts, [*range(30, 10, -1), 0, 9, 0, 0], [1] * 24)}
    assert (found["k00"], found["unseen"], found["null"]) == (30, 9, 0)


def test_names_that_others_have_chosen_are_no_markup() -> None:
    """A category that is a tag would be a link in the chart; it is shown as it is."""
    name = '<a href="https://example.org">Paid</a>'
    texts = Column(name=name, kind=Kind.CATEGORICAL, categories=(text.quote(name), "b"))
    numbers = Column(name=name, kind=Kind.NUMERIC, edges=(1.0, 2.0))
    one = SegmentCause(f"c={text.quote(name)}", 0.5, 0.5, 0.8, 9, 0.1, 0.01)
    figures = [
        histogram.categorical(texts, [5, 3, 0, 0, 0, 0], [5, 3, 0, 0, 0, 0], lambda _: ""),
        histogram.numeric(numbers, [1, 2, 3, 0, 0], [1, 2, 3, 0, 0], lambda _: ""),
        bars([name], ("size", [1.0]), ("point", [1.0]), ["1"]),
        bubbles([one], {one.segment: ""}, unit="worse by"),
        quadrant({name: 0.3}, {name: 0.4}, {name: ""}, measure=MEASURES["drift.psi"]),
    ]
    for figure in figures:
        drawn = json.dumps({**figure, "layout": {**figure["layout"], "uirevision": ""}})
        assert "<a" not in drawn
        assert "&lt;a href=" in drawn


def test_what_changed_near_an_episode_is_not_called_an_episode(twin: Twin) -> None:
    """The legend has a word for either; the name of a version is no markup."""
    shown, _ = _series(twin, "performance.accuracy", "accuracy")
    marks = [Mark(START, "fired", "warn"), Mark(START + moment.DAY, "version <b>2</b> came", "")]
    figure = timeline(shown, measure=MEASURES["performance.accuracy"], marks=marks)
    assert _trace(figure, "Episode fired")["customdata"] == ["fired"]
    assert _trace(figure, "Changed")["customdata"] == ["version &lt;b&gt;2&lt;/b&gt; came"]
