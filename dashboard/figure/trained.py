"""Retrainings on any chart with a time axis."""

from __future__ import annotations

from collections.abc import Sequence

from core import moment
from core.retrain import Retrain
from dashboard.figure import axis, colour


def trained(figure: axis.Figure, requests: Sequence[Retrain]) -> tuple[axis.Figure, list[str]]:
    """The chart with an upright line for each run that has succeeded, and the same in words; a chart without a time axis, or without a run on it, as it is.

    Charts are of the time of events, so a run is where the data end that it was trained on: the new version has events from about then on, also in a stream that is replayed.
    """
    over = figure["layout"].get("xaxis", {})
    if over.get("type") != "date":
        return figure, []
    start, end = (moment.parse(time) for time in over["range"])
    found: dict[int, list[str]] = {}
    for one in reversed(requests):
        if one.succeeded_at is not None and start <= (at := one.succeeded_at if one.manifest is None else one.manifest.end) <= end:
            found.setdefault(at, []).append(f"retrained: {f'version {one.version}, ' if one.version else ''}{one.state}")
    if not found:
        return figure, []
    layout = figure["layout"]
    drawn = {
        "shapes": [*layout.get("shapes", []), *(_line(at) for at in found)],
        "annotations": [*layout.get("annotations", []), *(_sign(at, said) for at, said in found.items())],
    }
    words = [f"{moment.text(at)[:10]} {', '.join(said)}" for at, said in sorted(found.items())]
    return {**figure, "layout": {**layout, **drawn}}, words


def _line(at: int) -> axis.Figure:
    place = {"yref": "paper", "y0": 0, "y1": 1, "x0": moment.text(at), "x1": moment.text(at)}
    return {"type": "line", **place, "line": {"color": colour.INK, "width": 1.2, "dash": "dashdot"}, "layer": "above"}


def _sign(at: int, said: Sequence[str]) -> axis.Figure:
    """A sign at the upper end of the line, which says more when it is pointed at."""
    place = {"yref": "paper", "y": 1, "yanchor": "top", "x": moment.text(at), "xanchor": "center"}
    text = "<br>".join(axis.plain(one) for one in (moment.text(at)[:16].replace("T", " "), *said))
    look = {"font": {"size": 11, "color": colour.INK}, "bgcolor": colour.GROUND, "borderpad": 1}
    return {"text": "↻", "showarrow": False, **look, "hovertext": text, **place}
