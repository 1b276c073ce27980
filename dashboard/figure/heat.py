"""A heat map of the drift of many columns over time: one row a column, darker where the distance from the baseline is larger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core import moment
from core.measure import Measure
from dashboard import texts as word
from dashboard.figure import axis, colour
from dashboard.series import Series

ROWS = 25  # columns drawn at most


def heat(rows: Mapping[str, Series], *, measure: Measure, top: float | None = None, chosen: int | None = None) -> axis.Figure:
    """The map, with the first row on top. `top` is the end of the scale (the critical threshold); without it that is the 98th percentile."""
    names = list(rows)[:ROWS]
    series = [rows[name] for name in names]
    first = series[0]
    return {
        "data": [_cells(names, series, measure, top)],
        "layout": axis.layout(
            60 + 22 * max(len(names), 3),
            meta={"pick": "window", "page": ""},
            hovermode="closest",
            margin={"l": 130, "r": 24, "t": 12, "b": 44},
            shapes=[] if chosen is None else [_frame(chosen, first.step)],
            xaxis=axis.time_axis(first.start, first.time(len(first)), first.step),
            yaxis={"type": "category", "autorange": "reversed", "showgrid": False, "ticks": "", "automargin": True, "fixedrange": True}
            | axis.names(names),
        ),
    }


def _cells(names: Sequence[str], series: Sequence[Series], measure: Measure, top: float | None) -> axis.Figure:
    """One cell a window; `customdata` is the window's start, which a click selects."""
    first = series[0]
    starts = [moment.text(first.time(slot)) for slot in range(len(first))]
    end, scale = (top, "critical") if top is not None else (_most(series, measure), "the 98th percentile")
    return {
        "type": "heatmap",
        "x0": moment.text(
            first.start + first.step // 2
        ),  # of the cell's middle: plotly ignores the period of a heat map that has x0 and dx
        "dx": axis.milliseconds(first.step),
        "y": [axis.plain(name) for name in names],
        "z": [axis.rounded([None if value is None else measure.size(value) for value in one.value]) for one in series],
        "text": [_words(one) for one in series],
        "customdata": [starts] * len(series),
        "hovertemplate": "<b>%{y}</b>: %{text}<extra></extra>",
        "hoverongaps": True,
        "zmin": 0,
        "zmax": end,
        "colorscale": [[0, colour.HEAT[0]], [0.5, colour.HEAT[1]], [1, colour.HEAT[2]]],
        "ygap": 1,
        "colorbar": {
            "title": {"text": f"{measure.short}<br>(scale ends at {scale})", "side": "right", "font": {"size": 11}},
            "thickness": 10,
            "outlinewidth": 0,
            "len": 1,
            "nticks": 4,
            "tickformat": axis.PLAIN,
        },
    }


def _most(series: Sequence[Series], measure: Measure) -> float:
    """The end of the scale, so that one extreme day does not make all others pale."""
    values = [measure.size(value) for one in series for value in one.value if value is not None]
    return float(np.quantile(values, 0.98)) or max(values) or 1.0 if values else 1.0


def _words(one: Series) -> list[str]:
    """Value, verdict and n of each window, and which window it is."""
    return [f"{_hover_text(one, slot)}<br>{moment.period(one.time(slot), one.time(slot + 1))} UTC" for slot in range(len(one))]


def _hover_text(one: Series, slot: int) -> str:
    """The reading of a window as a text: value, verdict and n, or why there is none."""
    if one.value[slot] is None:
        return one.reason[slot] or "no reading"
    _, _, words = word.state_of(one.verdict[slot], one.reason[slot], limited=one.limited)
    return f"{word.number(one.value[slot])} · {words} · n {word.count(one.n[slot])}"


def _frame(start: int, step: int) -> axis.Figure:
    return {
        "type": "rect",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "x0": moment.text(start),
        "x1": moment.text(start + step),
        "line": {"width": 1, "color": colour.INK},
    }
