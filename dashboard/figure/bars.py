"""Bars by name, the first on top, with a second number of each as a point on the same axis."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.figure import axis, colour

Numbers = tuple[str, Sequence[float]]
"""What the numbers are, and one for each name."""


def bars(names: Sequence[str], sizes: Numbers, points: Numbers, said: Sequence[str]) -> axis.Figure:
    """The chart; `said` are the texts of the names."""
    shared: axis.Figure = {
        "y": [axis.plain(name) for name in names],
        "text": list(said),
        "hovertemplate": "<b>%{y}</b><br>%{text}<extra></extra>",
    }
    bar = {"type": "bar", "orientation": "h", "name": sizes[0], "x": axis.rounded(sizes[1]), "textposition": "none"}
    point = {"type": "scatter", "mode": "markers", "name": points[0], "x": axis.rounded(points[1])}
    return {
        "data": [
            {**shared, **bar, "marker": {"color": colour.LABELLED, "line": {"width": 0}}},
            {**shared, **point, "marker": {"symbol": "diamond", "size": 9, "color": colour.ACCENT}},
        ],
        "layout": axis.layout(
            90 + 24 * max(len(names), 3),
            meta={},
            hovermode="closest",
            bargap=0.3,
            margin={"l": 110, "r": 24, "t": 34, "b": 44},
            xaxis=axis.value_axis("error", zeroline=True, zerolinecolor=colour.QUIET, fixedrange=True),
            yaxis={"type": "category", "autorange": "reversed", "showgrid": False, "automargin": True, "fixedrange": True}
            | axis.names(names),
        ),
    }
