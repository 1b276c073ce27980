"""Importance against drift: a point a column. What is at the upper right has moved and matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.measure import Measure
from dashboard import texts as word
from dashboard.figure import axis, colour

NAMED = 8  # points with their names beside them


def quadrant(
    drift: Mapping[str, float],
    importance: Mapping[str, float],
    links: Mapping[str, str],
    *,
    measure: Measure,
    limits: Sequence[tuple[str, float]] = (),
) -> axis.Figure:
    """The chart. `importance` is each column's share of that of all, `links` the address that a click opens, `limits` are thresholds by level."""
    names = sorted(drift.keys() & importance.keys(), key=lambda name: -drift[name] * importance[name])
    return {
        "data": [_points(names, drift, importance, links, measure)],
        "layout": axis.layout(
            320,
            meta={"pick": "address"},
            uirevision=measure.name,
            hovermode="closest",
            showlegend=False,
            margin={"l": 64, "r": 60, "t": 24, "b": 48},
            shapes=[_line(level, y) for level, y in limits],
            annotations=[_label(level, y) for level, y in limits],
            xaxis=axis.value_axis("importance, share of all", rangemode="tozero", ticks="outside", ticklen=4, tickcolor=colour.QUIET),
            yaxis=axis.value_axis(measure.short + (f" ({measure.axis})" if measure.axis else ""), rangemode="tozero"),
        ),
    }


def _points(
    names: Sequence[str], drift: Mapping[str, float], importance: Mapping[str, float], links: Mapping[str, str], measure: Measure
) -> axis.Figure:
    """A point a column; the first ones with their names."""
    said = [
        f"<b>{axis.plain(word.cut(name))}</b><br>{measure.short} {word.number(drift[name])} · importance {word.number(importance[name])}"
        for name in names
    ]
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": axis.rounded([importance[name] for name in names]),
        "y": axis.rounded([drift[name] for name in names]),
        "text": [axis.plain(word.cut(name, 20)) if place < NAMED else "" for place, name in enumerate(names)],
        "textposition": "top center",
        "textfont": {"size": 11, "color": colour.INK},
        "marker": {"size": 9, "color": colour.ACCENT, "opacity": 0.75, "line": {"width": 1, "color": colour.GROUND}},
        "customdata": [[links[name], text] for name, text in zip(names, said, strict=True)],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
        "cliponaxis": False,
    }


def _line(level: str, y: float) -> axis.Figure:
    line = {"color": colour.LEVELS.get(level, colour.INK), "width": 1.2, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": line}


def _label(level: str, y: float) -> axis.Figure:
    font = {"size": 11, "color": colour.LEVELS.get(level, colour.INK)}
    return {"text": level, "xref": "paper", "x": 1, "xanchor": "left", "xshift": 6, "y": y, "showarrow": False, "font": font}
