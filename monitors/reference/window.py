"""The windows that a reference consists of."""

from __future__ import annotations

import numpy as np

from core.block import Ints
from core.span import Flags, Spans
from core.window.kind import Window
from monitors.evaluation.plan import existing

_EVER = 1 << 62


def windows_of(window: Window, slots: Ints, pane: int) -> tuple[Spans, Flags]:
    """The disjoint windows of a reference with rows in these slots, in order, and which of them it fills from end to end.

    Of windows that overlap, the last one counts, and before it the last that ends where it begins or earlier, and so on.
    """
    if not len(slots):
        return Spans.none(), np.zeros(0, np.bool_)
    found = existing(window, slots, _EVER, live=False)
    kept, until = [], _EVER
    for place in np.lexsort((found.start, -found.end)).tolist():
        if found.end[place] <= until:
            kept.append(place)
            until = int(found.start[place])
    found = found.take(np.array(kept[::-1]))
    return found, (found.start >= slots[0]) & (found.end <= slots[-1] + pane)


def neighbourhood(windows: Spans, places: Ints) -> Spans:
    """The span of each of these windows together with the windows that it touches."""
    first, last = np.maximum(places - 1, 0), np.minimum(places + 1, len(windows) - 1)
    first = np.where(windows.end[first] == windows.start[places], first, places)
    last = np.where(windows.start[last] == windows.end[places], last, places)
    return Spans(windows.start[first], windows.end[last])
