"""A heat map of segments over time, of whose cells some can be selected: darker is worse."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from core import moment, text
from core.measure import Measure
from dashboard.figure import axis, colour
from dashboard.figure.heat import ROWS, heat
from dashboard.selection import Selection
from dashboard.series import Series


def cells(rows: Mapping[str, Series], *, measure: Measure, chosen: Selection | None) -> axis.Figure:
    """The map. A brush or a click selects cells; a frame is around what is selected."""
    names = list(rows)[:ROWS]
    figure = heat(dict(zip(_labels(names), (rows[name] for name in names), strict=True)), measure=measure)
    (drawn,), layout = figure["data"], figure["layout"]
    values = [value for row in drawn["z"] for value in row if value is not None]
    drawn |= {"zmin": min(values, default=0), "zmax": max(values, default=1), "reversescale": measure.better > 0}
    drawn["colorbar"]["title"]["text"] = measure.short
    layout["meta"] = {"pick": "cells", "rows": names, "step": rows[names[0]].step // moment.SECOND}
    del layout["yaxis"]["autorange"]
    layout["yaxis"] |= {"range": [len(names) - 0.5, -0.5], "fixedrange": False}
    layout["shapes"] = [] if chosen is None else _frames(names, chosen)
    return figure


def _labels(names: list[str]) -> list[str]:
    """The segments with their values as they were sent; as they are written, where two would be the same: null, and a text `null`."""
    read = [text.unquote(name) for name in names]
    return read if len({*read}) == len(read) else names


def _frames(names: list[str], chosen: Selection) -> list[dict[str, Any]]:
    """A frame around each run of selected rows."""
    frames = []
    for held, run in groupby(range(len(names)), lambda row: names[row] in chosen.segments):
        if held:
            places = list(run)
            frames.append(
                {
                    "type": "rect",
                    "x0": moment.text(chosen.start),
                    "x1": moment.text(chosen.end),
                    "y0": places[0] - 0.5,
                    "y1": places[-1] + 0.5,
                    "line": {"width": 2, "color": colour.INK},
                }
            )
    return frames
