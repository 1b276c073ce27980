"""Slices of the rows as bubbles: how much worse each is over its share of rows; the area is what it contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import bin_text
from core.cause import SegmentCause
from dashboard import texts as word
from dashboard.figure import axis, colour

NAMED = 6  # bubbles with their names beside them
_LARGEST, _SMALLEST = 46, 6  # diameters in pixels


def bubbles(slices: Sequence[SegmentCause], links: Mapping[str, str], *, unit: str, chosen: str = "") -> axis.Figure:
    """The chart of slices, those that contribute most first. `links` is the address that a click opens, `unit` what contributions are in, `chosen` the slice that is marked."""
    most = max((one.contribution for one in slices), default=0.0) or 1.0
    said = [
        f"<b>{axis.plain(word.cut(bin_text.of_slice(one.segment), 60))}</b><br>{word.share(one.share)} of rows, n {word.count(one.n)}<br>contributes {word.number(one.contribution)}"
        for one in slices
    ]
    sizes = [max(_SMALLEST, _LARGEST * (max(one.contribution, 0.0) / most) ** 0.5) for one in slices]
    colours = [colour.INK if one.segment == chosen else colour.ACCENT for one in slices]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": axis.rounded([100 * one.share for one in slices]),
                "y": axis.rounded([one.contribution / one.share if one.share else 0.0 for one in slices]),
                "text": [
                    axis.plain(word.cut(bin_text.of_slice(one.segment), 24)) if place < NAMED else "" for place, one in enumerate(slices)
                ],
                "textposition": "top center",
                "textfont": {"size": 11, "color": colour.INK},
                "marker": {"size": axis.rounded(sizes), "color": colours, "opacity": 0.6, "line": {"width": 1, "color": colour.GROUND}},
                "customdata": [[links[one.segment], told] for one, told in zip(slices, said, strict=True)],
                "hovertemplate": "%{customdata[1]}<extra></extra>",
                "cliponaxis": False,
            }
        ],
        "layout": axis.layout(
            380,
            meta={"pick": "address"},
            hovermode="closest",
            showlegend=False,
            margin={"l": 72, "r": 60, "t": 40, "b": 48},
            xaxis=axis.value_axis("share of rows, %", rangemode="tozero", ticks="outside", ticklen=4, tickcolor=colour.QUIET),
            yaxis=axis.value_axis(unit, rangemode="tozero"),
        ),
    }
