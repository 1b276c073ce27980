"""A chart of a measure over time above its sample sizes: thresholds are lines, breaches are marked, gaps are hatched and give their reason.

The first `customdata` of a point is the start of its window, which a click selects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from core import moment
from core.measure import Measure
from dashboard import texts as word
from dashboard.figure import axis, colour
from dashboard.series import Limit, Series

_CLOSE = 0.07  # labels nearer than this part of the axis are moved apart
_MANY = 40  # breaches that are more than this are drawn smaller
LABELLED = "labelled"  # the name of rows that have a label: predictions without one are hatched
_HATCHED = {"color": "rgba(0,0,0,0)", "pattern": {"shape": "/", "size": 4, "solidity": 0.3, "fgcolor": colour.LABELLED}}
_SHAPES = {"warn": "diamond", "critical": "square"}


@dataclass(frozen=True)
class Mark:
    """Something that happened at a time, drawn at the top edge of the chart."""

    time: int
    text: str
    level: str


def timeline(
    series: Series,
    *,
    measure: Measure,
    limits: Sequence[Limit] = (),
    traffic: Sequence[int | None] | None = None,
    marks: Sequence[Mark] = (),
    chosen: int | None = None,
    rows: str = "rows",
    height: int = 360,
    page: str = "",
    beside: tuple[str, Series] | None = None,
) -> axis.Figure:
    """The chart. `traffic` is the number of predictions a slot, drawn beside the sample sizes; `chosen` is the start of the selected window.

    `beside` is another measure on the same scale and grid, with its title: an estimate beside what labels give. A click on a window selects it on the same page, or on the page at the address `page`.
    """
    judged = [value if verdict != "insufficient" else None for value, verdict in zip(series.value, series.verdict, strict=True)]
    limit_values = [value for limit in limits for value in limit.y]
    others = [] if beside is None else [*beside[1].value, *beside[1].lower, *beside[1].upper]
    span = axis.reach([*series.value, *series.baseline, *limit_values, *series.lower, *series.upper, *others], zero=measure.from_zero)
    end = series.time(len(series))
    traces = [
        *_band(series),
        *_baseline(series),
        *_beside(beside),
        _line(series, judged, measure),
        *_few(series),
        *_breaches(series),
        *_gaps(series),
        *_marks(marks, series),
        *_volume(series, traffic, rows),
    ]
    lines, labels = _limits(limits, series, span or [0.0, 1.0])
    band = [] if chosen is None else [_window(*_of(chosen, series))]
    return {
        "data": traces,
        "layout": axis.layout(
            height,
            meta={"pick": "window", "page": page},
            margin={"l": 64, "r": max((20 + 6 * len(limit.label) for limit in limits), default=24), "t": 34, "b": 44},
            shapes=[*band, *lines],
            annotations=labels,
            xaxis=axis.time_axis(series.start, end, series.step, anchor="y2", domain=[0, 1]),
            yaxis=axis.value_axis(
                measure.short + (f" ({measure.axis})" if measure.axis else ""), domain=[0.34, 1], range=span or [0, 1], fixedrange=True
            ),
            yaxis2=axis.value_axis(rows, domain=[0, 0.2], rangemode="tozero", tickformat="~s", fixedrange=True, **_counts(series, traffic)),
            yaxis3={"domain": [0.34, 1], "range": [0, 1], "overlaying": "y", "visible": False, "fixedrange": True},
        ),
    }


def _counts(series: Series, traffic: Sequence[int | None] | None) -> axis.Figure:
    """The ticks of an axis of counts: whole numbers only, also if the largest is one or two."""
    most = max((n or 0 for n in (*series.n, *(traffic or ()))), default=0)
    return {"nticks": 3} if most > 2 else {"dtick": 1}


def _grid(series: Series) -> axis.Figure:
    return axis.windows(series.start, series.step)


def _some(series: Series, slots: Sequence[int], words: Sequence[str]) -> axis.Figure:
    """Some windows, with words about each."""
    return {
        "x": [moment.text(series.time(slot)) for slot in slots],
        "customdata": [[moment.text(series.time(slot)), said] for slot, said in zip(slots, words, strict=True)],
        **axis.centred(series.time(0), series.step),
    }


def _every(series: Series, words: Sequence[str]) -> axis.Figure:
    """All windows, with words about each."""
    return {"customdata": _some(series, range(len(series)), words)["customdata"], **_grid(series)}


def _line(series: Series, judged: Sequence[float | None], measure: Measure) -> axis.Figure:
    alone = [
        value is not None and (i == 0 or judged[i - 1] is None) and (i + 1 == len(judged) or judged[i + 1] is None)
        for i, value in enumerate(judged)
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers" if any(alone) else "lines",
        "name": measure.short,
        **_every(series, [f"<b>{word.number(value)}</b> · n {word.count(n)}" for value, n in zip(series.value, series.n, strict=True)]),
        "y": axis.rounded(judged),
        "line": {"color": colour.ACCENT, "width": 1.8},
        "marker": {"color": colour.ACCENT, "size": [5 if one else 0 for one in alone]},
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        "connectgaps": False,
    }


def _band(series: Series) -> list[axis.Figure]:
    if not any(value is not None for value in series.lower):
        return []
    edge: dict[str, Any] = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", **_grid(series)}
    # Without an interval the band is as thin as the line, because plotly would fill the space between the intervals on either side.
    lower, upper = (
        [value if at is None else at for at, value in zip(side, series.value, strict=True)] for side in (series.lower, series.upper)
    )
    return [
        {**edge, "y": axis.rounded(lower), "showlegend": False},
        {**edge, "y": axis.rounded(upper), "fill": "tonexty", "fillcolor": colour.BAND, "name": "95 % interval"},
    ]


def _baseline(series: Series) -> list[axis.Figure]:
    if not any(value is not None for value in series.baseline):
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Baseline",
            **_grid(series),
            "y": axis.rounded(series.baseline),
            "line": {"color": colour.BASELINE, "width": 1.5, "dash": "dash"},
            "text": [word.number(value) for value in series.baseline],
            "hovertemplate": "%{text} baseline<extra></extra>",
        }
    ]


def _beside(beside: tuple[str, Series] | None) -> list[axis.Figure]:
    """Another measure as a dotted line with thin bounds."""
    if beside is None:
        return []
    title, series = beside
    edge: dict[str, Any] = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False, "connectgaps": False}
    edge |= {"line": {"color": colour.QUIET, "width": 0.6}, **_grid(series)}
    line: axis.Figure = {
        "type": "scatter",
        "mode": "lines+markers" if len([value for value in series.value if value is not None]) < 2 else "lines",
        "name": title,
        **_grid(series),
        "y": axis.rounded(series.value),
        "line": {"color": colour.INK, "width": 1.5, "dash": "dot"},
        "text": [f"{word.number(value)} · n {word.count(n)}" for value, n in zip(series.value, series.n, strict=True)],
        "hovertemplate": f"{title}: %{{text}}<extra></extra>",
        "connectgaps": False,
    }
    return [*({**edge, "y": axis.rounded(side)} for side in (series.lower, series.upper)), line]


def _few(series: Series) -> list[axis.Figure]:
    slots = [i for i, verdict in enumerate(series.verdict) if verdict == "insufficient" and series.value[i] is not None]
    if not slots:
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "Too few samples",
            **_some(series, slots, [series.reason[slot] or f"too few samples (n {word.count(series.n[slot])})" for slot in slots]),
            "y": axis.rounded([series.value[slot] for slot in slots]),
            "cliponaxis": False,
            "marker": {"symbol": "circle-open", "size": 6, "color": colour.QUIET, "line": {"width": 1}},
            "text": [word.number(series.value[slot]) for slot in slots],
            "hovertemplate": "%{text} · %{customdata[1]}<extra></extra>",
        }
    ]


def _breaches(series: Series) -> list[axis.Figure]:
    traces = []
    for level, symbol in _SHAPES.items():
        if slots := [i for i, verdict in enumerate(series.verdict) if verdict == level and series.value[i] is not None]:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": word.VERDICTS[level][1],
                    **_some(series, slots, [word.VERDICTS[level][1]] * len(slots)),
                    "y": axis.rounded([series.value[slot] for slot in slots]),
                    "marker": {"symbol": symbol, "size": 8 if len(slots) <= _MANY else 5, "color": colour.LEVELS[level]},
                    "hovertemplate": f"{word.VERDICTS[level][1]}<extra></extra>",
                }
            )
    return traces


def _gaps(series: Series) -> list[axis.Figure]:
    """Windows without a value, hatched over the height of the chart."""
    slots = [i for i, value in enumerate(series.value) if value is None]
    if not slots:
        return []
    reasons = [series.reason[i] or word.VERDICTS.get(series.verdict[i], ("", "no reading"))[1].lower() for i in slots]
    return [
        {
            "type": "bar",
            "name": "No value",
            **_some(series, slots, reasons),
            "y": [1] * len(slots),
            "width": axis.milliseconds(series.step),
            "yaxis": "y3",
            "marker": {
                "color": "rgba(0,0,0,0)",
                "line": {"width": 0},
                "pattern": {"shape": "/", "size": 6, "solidity": 0.2, "fgcolor": colour.GAP},
            },
            "hovertemplate": "%{customdata[1]}<extra></extra>",
        }
    ]


def _marks(marks: Sequence[Mark], series: Series) -> list[axis.Figure]:
    marks = [mark for mark in marks if series.start <= mark.time <= series.time(len(series))]
    kinds = {"Episode fired": [mark for mark in marks if mark.level], "Changed": [mark for mark in marks if not mark.level]}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "yaxis": "y3",
            "x": [moment.text(mark.time) for mark in of],
            **axis.centred(series.time(0), series.step),  # a trace without a period would take every hover near it
            "xperiodalignment": "start",
            "y": [0.985] * len(of),
            "marker": {"symbol": "triangle-down", "size": 9, "color": [colour.LEVELS.get(mark.level, colour.INK) for mark in of]},
            "customdata": [axis.plain(mark.text) for mark in of],
            "hovertemplate": "%{customdata}<extra></extra>",
            "cliponaxis": False,
        }
        for name, of in kinds.items()
        if of
    ]


def _volume(series: Series, traffic: Sequence[int | None] | None, rows: str) -> list[axis.Figure]:
    bar: dict[str, Any] = {"type": "bar", "yaxis": "y2", "width": axis.milliseconds(series.step), "showlegend": False}
    bar |= _every(series, [""] * len(series))
    drawn = []
    if traffic is not None:
        drawn.append(
            {
                **bar,
                "y": list(traffic),
                "marker": {"color": colour.VOLUME, "line": {"width": 0}} | (_HATCHED if rows == LABELLED else {}),
                "hovertemplate": "%{y:,} predictions<extra></extra>",
            }
        )
    shade = colour.LABELLED if traffic is not None else colour.VOLUME
    drawn.append(
        {**bar, "y": series.n, "marker": {"color": shade, "line": {"width": 0}}, "hovertemplate": f"%{{y:,}} {rows}<extra></extra>"}
    )
    return drawn


def _limits(limits: Sequence[Limit], series: Series, span: Sequence[float]) -> tuple[list[axis.Figure], list[axis.Figure]]:
    """Each threshold as pieces of lines, with its text at the right edge."""
    lines: list[axis.Figure] = []
    labels: list[axis.Figure] = []
    for limit in limits:
        there = [(slot, y) for slot, y in enumerate(limit.y) if y is not None]
        if not there:
            continue
        paint = colour.LEVELS.get(limit.level, colour.INK)
        for first, last, y in _pieces(there):
            lines.append(
                {
                    "type": "line",
                    "x0": moment.text(series.time(first)),
                    "x1": moment.text(series.time(last + 1)),
                    "y0": y,
                    "y1": y,
                    "line": {"color": paint, "width": 1.2, "dash": "dot"},
                    "layer": "between",  # above the lines of the grid
                }
            )
        labels.append(
            {
                "text": limit.label,
                "xref": "paper",
                "x": 1,
                "xanchor": "left",
                "xshift": 6,
                "y": there[-1][1],
                "showarrow": False,
                "font": {"size": 11, "color": paint},
            }
        )
    labels.sort(key=lambda label: label["y"])
    for low, high in pairwise(labels):
        if high["y"] - low["y"] < _CLOSE * (span[1] - span[0]):  # moved apart, so that both can be read
            low["yshift"], high["yshift"] = -7, 7
    return lines, labels


def _pieces(there: Sequence[tuple[int, float]]) -> list[tuple[int, int, float]]:
    """Runs of one height: (first slot, last slot, y)."""
    pieces: list[tuple[int, int, float]] = []
    for slot, y in there:
        if pieces and pieces[-1][2] == y:
            pieces[-1] = (pieces[-1][0], slot, y)
        else:
            pieces.append((slot, slot, y))
    return pieces


def _of(chosen: int, series: Series) -> tuple[int, int]:
    """The stretch of the selected window: a step, or a window of the calendar."""
    slot = None if series.kind is None else series.slot(chosen)
    return (chosen, chosen + series.step) if slot is None else (series.time(slot), series.window(slot)[1])


def _window(start: int, end: int) -> axis.Figure:
    return {
        "type": "rect",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "x0": moment.text(start),
        "x1": moment.text(end),
        "fillcolor": colour.BAND,
        "line": {"width": 1, "color": colour.ACCENT},
        "layer": "below",
    }
