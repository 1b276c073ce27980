"""Curves over scores: lines on two axes that both are shares, scores or ratios, with the selected cut as a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.figure import axis, colour


@dataclass(frozen=True)
class Line:
    """A line through points; `text` is what is said of each, `dots`: the points themselves are drawn, too, `area`: what is below is filled."""

    name: str
    x: Sequence[float | None]
    y: Sequence[float | None]
    text: Sequence[str] = ()
    paint: str = colour.ACCENT
    dash: str = "solid"
    dots: bool = False
    area: bool = False


def curve(
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    span: tuple[Sequence[float], Sequence[float]] = ((0, 1), (0, 1.02)),
    point: tuple[float | None, float | None] | None = None,
    cut: float | None = None,
    height: int = 280,
) -> axis.Figure:
    """The chart; `span` are the ranges of both axes. The selected cut is a `point` on the line, or a line at the x of `cut`."""
    marked = [] if point is None or None in point else [_point(point)]
    shapes = [] if cut is None else [_upright(cut)]
    return {
        "data": [*(_drawn(line) for line in lines), *marked],
        "layout": axis.layout(
            height,
            meta={},
            hovermode="closest",
            margin={"l": 56, "r": 16, "t": 30 if len(lines) > 2 else 12, "b": 44},
            showlegend=len(lines) > 2,
            shapes=shapes,
            xaxis=axis.value_axis(x, range=list(span[0]), fixedrange=True),
            yaxis=axis.value_axis(y, range=list(span[1]), fixedrange=True),
        ),
    }


def _drawn(line: Line) -> axis.Figure:
    drawn: axis.Figure = {
        "type": "scatter",
        "mode": "lines+markers" if line.dots else "lines",
        "name": line.name,
        "x": axis.rounded(line.x),
        "y": axis.rounded(line.y),
        "line": {"color": line.paint, "width": 0 if line.area else 1.8, "dash": line.dash},
        "marker": {"color": line.paint, "size": 6},
        "connectgaps": False,
    }
    if line.area:
        drawn |= {"fill": "tozeroy", "fillcolor": colour.VOLUME}
    return drawn | ({"text": list(line.text), "hovertemplate": "%{text}<extra></extra>"} if line.text else {"hoverinfo": "skip"})


def _point(at: tuple[float | None, float | None]) -> axis.Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "The cut",
        "x": axis.rounded([at[0]]),
        "y": axis.rounded([at[1]]),
        "marker": {"symbol": "diamond", "size": 11, "color": colour.INK},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _upright(x: float) -> axis.Figure:
    line = {"width": 1.5, "color": colour.INK, "dash": "dot"}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": line}
