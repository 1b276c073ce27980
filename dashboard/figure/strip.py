"""A strip of counts over time, each bar with the address of what it counts."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.figure import axis, colour


def strip(start: int, step: int, counts: Sequence[int], links: Sequence[str]) -> axis.Figure:
    """Bars of counts of slots of `step` microseconds from `start` on; a click on a bar opens its address."""
    bar = {
        "type": "bar",
        "name": "Events",
        **axis.windows(start, step),
        "y": list(counts),
        "customdata": [[link] for link in links],
        "marker": {"color": colour.ACCENT, "line": {"width": 0}},
        "hovertemplate": "%{y:,} events<extra></extra>",
    }
    return {
        "data": [bar],
        "layout": axis.layout(
            150,
            uirevision=f"{start} {step} {len(counts)}",
            meta={"pick": "span"},
            bargap=0.1,
            showlegend=False,
            margin={"l": 64, "r": 24, "t": 8, "b": 40},
            xaxis=axis.time_axis(start, start + step * len(counts), step),
            yaxis=axis.value_axis("events", rangemode="tozero", fixedrange=True, nticks=3),
        ),
    }
