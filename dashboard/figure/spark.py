"""Spark lines: a series as the `data:` address of a small picture. The style sheet uses it as a mask, and so draws it in the theme's colour."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

WIDTH, HEIGHT = 120, 28
_POINTS = 120


def spark(values: Sequence[float | None], *, zero: bool = False) -> str:
    """The `data:` address of the line, with gaps where values are missing; "" if there is nothing to draw. With `zero` the scale begins at zero."""
    thinned = _thin(values)
    there = [value for value in thinned if value is not None]
    if not there:
        return ""
    low, high = (min(0.0, *there) if zero else min(there)), max(there)
    span = (high - low) or 1.0
    step = WIDTH / max(len(thinned) - 1, 1)
    pieces, pen = [], "M"  # each height is a part of the span, because the inverse of a tiny span is infinite
    for index, value in enumerate(thinned):
        if value is None:
            pen = "M"
            continue
        pieces.append(f"{pen}{index * step:.1f} {HEIGHT - 3 - (value - low) / span * (HEIGHT - 6):.1f}" + ("h.1" if pen == "M" else ""))
        pen = "L"
    path = "".join(pieces)
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        f'<path d="{path}" fill="none" stroke="#000" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" vector-effect="non-scaling-stroke"/></svg>'
    )
    return "data:image/svg+xml," + quote(picture, safe="/:= '")


def _thin(values: Sequence[float | None]) -> list[float | None]:
    """At most `_POINTS` values: from each part of the series the value furthest from the part's first one, so that spikes stay."""
    if len(values) <= _POINTS:
        return list(values)
    thinned: list[float | None] = []
    for index in range(_POINTS):
        stretch = [value for value in values[index * len(values) // _POINTS : (index + 1) * len(values) // _POINTS] if value is not None]
        thinned.append(max(stretch, key=lambda value, first=stretch[0]: abs(value - first)) if stretch else None)  # type: ignore[misc]
    return thinned
