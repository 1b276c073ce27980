"""Slices of the rows as bubbles: how much worse each is over its share of rows; the area is what it contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core import bin_text
from core.cause import SegmentCause
from dashboard import texts as word
from dashboard.figure import axis, colour

NAMED = 6  # bubbles with their names beside them, at most
_WIDE, _HIGH = 600, 290  # pixels of the plot, as a rule
_LETTER, _LINE = 6.5, 15  # pixels of a letter and of a line of names
_LARGEST, _SMALLEST = 46, 6  # diameters in pixels


def bubbles(slices: Sequence[SegmentCause], links: Mapping[str, str], *, unit: str, chosen: str = "") -> axis.Figure:
    """The chart of slices, those that contribute most first. `links` is the address that a click opens, `unit` what contributions are in, `chosen` the slice that is marked."""
    most = max((one.contribution for one in slices), default=0.0) or 1.0
    said = [
        f"<b>{axis.plain(word.cut(bin_text.of_slice(one.segment), 60))}</b><br>{word.share(one.share)} of rows, n {word.count(one.n)}<br>contributes {word.number(one.contribution)}"
        for one in slices
    ]
    sizes = [max(_SMALLEST, _LARGEST * (max(one.contribution, 0.0) / most) ** 0.5) for one in slices]
    x, y = [100 * one.share for one in slices], [one.contribution / one.share if one.share else 0.0 for one in slices]
    names = [word.cut(bin_text.of_slice(one.segment), 24) for one in slices]
    named = _apart(x, y, sizes, names)
    colours = [colour.INK if one.segment == chosen else colour.ACCENT for one in slices]
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": axis.rounded(x),
                "y": axis.rounded(y),
                "text": [axis.plain(name) if place in named else "" for place, name in enumerate(names)],
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


def _apart(x: Sequence[float], y: Sequence[float], sizes: Sequence[float], names: Sequence[str]) -> set[int]:
    """The places of the bubbles that are named: the first ones, without those whose name would stand over another."""
    across, up = max(x, default=0.0) or 1.0, max(y, default=0.0) or 1.0
    boxes: dict[int, tuple[float, float, float]] = {}
    for place, (right, high, size, name) in enumerate(zip(x, y, sizes, names, strict=True)):
        middle, foot, half = right / across * _WIDE, high / up * _HIGH + size / 2, len(name) * _LETTER / 2
        free = all(abs(middle - at) > half + other or abs(foot - bottom) > _LINE for at, bottom, other in boxes.values())
        if free and len(boxes) < NAMED:
            boxes[place] = middle, foot, half
    return set(boxes)
