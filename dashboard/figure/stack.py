"""Several measures of one column over time, one strip above the other on one time axis, each on its own scale."""

from __future__ import annotations

from collections.abc import Sequence

from core import moment
from core.measure import Measure
from dashboard import texts as word
from dashboard.figure import axis, colour
from dashboard.series import Limit, Series

_STRIP, _GAP = 84, 30  # pixels

Strip = tuple[Measure, Series, Sequence[Limit]]


def stack(strips: Sequence[Strip], chosen: int | None = None) -> axis.Figure:
    """The chart: a line a measure, its baseline dashed, its thresholds dotted; `chosen` is the start of the selected window."""
    first = strips[0][1]
    height = len(strips) * (_STRIP + _GAP)
    layout = axis.layout(
        height + 58,
        meta={"pick": "window", "page": ""},
        margin={
            "l": 64,
            "r": max((20 + 6 * len(limit.label) for _, _, limits in strips for limit in limits), default=24),
            "t": 14,
            "b": 44,
        },
        showlegend=False,
        annotations=[],
        shapes=[],
        xaxis=axis.time_axis(first.start, first.time(len(first)), first.step, anchor=f"y{len(strips)}" if len(strips) > 1 else "y"),
    )
    data: list[axis.Figure] = []
    for place, (about, series, limits) in enumerate(strips):
        name = "y" if place == 0 else f"y{place + 1}"
        top = 1 - place * (_STRIP + _GAP) / height
        drawn = [limit for limit in limits if any(at is not None for at in limit.y)]
        layout[f"yaxis{place + 1 if place else ''}"] = _axis(series, drawn, top, height)
        layout["annotations"] += [_title(about, top), *(_label(limit, name) for limit in drawn)]
        data += [*_baseline(series, name), _line(about, series, name), *_breaches(series, name)]
        data += [_limit(limit, series, name) for limit in drawn]
    if chosen is not None:
        layout["shapes"].append(
            {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": moment.text(chosen), "x1": moment.text(chosen + first.step)}
            | {"fillcolor": colour.BAND, "line": {"width": 1, "color": colour.ACCENT}, "layer": "below"}
        )
    return {"data": data, "layout": layout}


def _axis(series: Series, limits: Sequence[Limit], top: float, height: int) -> axis.Figure:
    """The scale of the strip whose upper end is at `top`, a part of the height."""
    reach = axis.reach([*series.value, *series.baseline, *(at for limit in limits for at in limit.y)], zero=True)
    return {
        "domain": [top - _STRIP / height, top - _GAP * 0.6 / height],
        "range": reach if reach and reach[1] > 0 else [0, 1],
        "fixedrange": True,
        "nticks": 3,
        "tickformat": axis.PLAIN,
        "zeroline": False,
    }


def _title(about: Measure, top: float) -> axis.Figure:
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": top, "xanchor": "left", "yanchor": "top", "yshift": 4}
    return {"text": about.title, "showarrow": False, "font": {"size": 12, "color": colour.INK}, **place}


def _line(about: Measure, series: Series, name: str) -> axis.Figure:
    starts = [moment.text(series.time(slot)) for slot in range(len(series))]
    said = [f"{about.short} {word.number(value)} · n {word.count(n)}" for value, n in zip(series.value, series.n, strict=True)]
    alone = len([value for value in series.value if value is not None]) < 2
    return {
        "type": "scatter",
        "mode": "lines+markers" if alone else "lines",
        "yaxis": name,
        **axis.windows(series.start, series.step),
        "y": axis.rounded(series.value),
        "customdata": [[start, text] for start, text in zip(starts, said, strict=True)],
        "line": {"color": colour.ACCENT, "width": 1.8},
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        "connectgaps": False,
    }


def _baseline(series: Series, name: str) -> list[axis.Figure]:
    if not any(value is not None for value in series.baseline):
        return []
    line = {"color": colour.BASELINE, "width": 1.5, "dash": "dash"}
    drawn: axis.Figure = {
        "type": "scatter",
        "mode": "lines",
        "yaxis": name,
        "y": axis.rounded(series.baseline),
        "line": line,
        "hoverinfo": "skip",
    }
    return [drawn | axis.windows(series.start, series.step)]


def _breaches(series: Series, name: str) -> list[axis.Figure]:
    found = []
    for level, symbol in (("warn", "diamond"), ("critical", "square")):
        slots = [slot for slot, verdict in enumerate(series.verdict) if verdict == level and series.value[slot] is not None]
        if slots:
            found.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "yaxis": name,
                    "x": [moment.text(series.time(slot)) for slot in slots],
                    "y": axis.rounded([series.value[slot] for slot in slots]),
                    "customdata": [[moment.text(series.time(slot))] for slot in slots],
                    "marker": {"symbol": symbol, "size": 7, "color": colour.LEVELS[level]},
                    "hovertemplate": f"{word.VERDICTS[level][1]}<extra></extra>",
                    **axis.centred(series.time(0), series.step),
                }
            )
    return found


def _limit(limit: Limit, series: Series, name: str) -> axis.Figure:
    line = {"color": colour.LEVELS.get(limit.level, colour.INK), "width": 1.2, "dash": "dot"}
    drawn: axis.Figure = {"type": "scatter", "mode": "lines", "yaxis": name, "y": axis.rounded(limit.y), "line": line, "hoverinfo": "skip"}
    return drawn | axis.windows(series.start, series.step)


def _label(limit: Limit, name: str) -> axis.Figure:
    at = next(y for y in reversed(limit.y) if y is not None)
    font = {"size": 11, "color": colour.LEVELS.get(limit.level, colour.INK)}
    return {
        "text": limit.label,
        "xref": "paper",
        "x": 1,
        "xanchor": "left",
        "xshift": 6,
        "yref": name,
        "y": at,
        "showarrow": False,
        "font": font,
    }
