"""Groups over time: a line for the figure of each group, above a line for its rows, on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core import moment
from dashboard import texts as word
from dashboard.figure import axis, colour

# How groups are told apart, also without colours.
_LOOKS = [(paint, dash) for dash in ("solid", "dash") for paint in (colour.ACCENT, colour.INK, colour.QUIET, colour.BASELINE)]
MOST = len(_LOOKS)


@dataclass(frozen=True)
class GroupLine:
    """A group: by window the start, the figure with its interval, None where it is suppressed, and the rows."""

    name: str
    start: Sequence[int]
    value: Sequence[float | None]
    between: Sequence[str]
    n: Sequence[int]


def groups(lines: Sequence[GroupLine], *, y: str, span: tuple[int, int], step: int, chosen: int | None = None) -> axis.Figure:
    """The chart of at most `MOST` groups over `span`; `y` names the figure, `chosen` is the start of the selected window."""
    data: list[axis.Figure] = []
    for line, (paint, dash) in zip(lines, _LOOKS, strict=False):
        times = [moment.text(start) for start in line.start]
        shared = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": axis.plain(line.name),
            "legendgroup": line.name,
            "x": times,
            "customdata": [[time, ""] for time in times],
            "connectgaps": False,
            "line": {"color": paint, "width": 1.6, "dash": dash},
            "marker": {"color": paint, "size": 5},
            **axis.centred(line.start[0] if line.start else span[0], step),
        }
        said = [
            f"{word.number(value)} ({between}), n {word.count(n)}"
            for value, between, n in zip(line.value, line.between, line.n, strict=True)
        ]
        data.append({**shared, "y": axis.rounded(line.value), "text": said, "hovertemplate": "%{text}<extra>%{fullData.name}</extra>"})
        data.append({**shared, "y": list(line.n), "yaxis": "y2", "showlegend": False, "hoverinfo": "skip"})
    values = [value for line in lines for value in line.value]
    return {
        "data": data,
        "layout": axis.layout(
            340,
            meta={"pick": "window", "page": ""},
            margin={"l": 64, "r": 24, "t": 34, "b": 44},
            shapes=[] if chosen is None else [_window(chosen, step)],
            xaxis=axis.time_axis(*span, step, anchor="y2", domain=[0, 1]),
            yaxis=axis.value_axis(y, domain=[0.34, 1], range=axis.reach(values, zero=False) or [0, 1], fixedrange=True),
            yaxis2=axis.value_axis("rows", domain=[0, 0.22], rangemode="tozero", tickformat="~s", nticks=3, fixedrange=True),
        ),
    }


def _window(chosen: int, step: int) -> axis.Figure:
    band = {"fillcolor": colour.BAND, "line": {"width": 1, "color": colour.ACCENT}, "layer": "below"}
    return {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": moment.text(chosen), "x1": moment.text(chosen + step)} | band
