"""What windows are compared with: the spans of the stream that are pooled as their baselines."""

from __future__ import annotations

import numpy as np

from core.monitor import Monitor
from core.span import Spans

_EVER = 1 << 62


def pool(monitor: Monitor, windows: Spans) -> tuple[Spans, ...]:
    """The spans that are the baselines of windows: one set for each part of the pool, index i of each for window i. A span may be empty. No set without a baseline from the stream."""
    parts = monitor.baseline.spans(windows, monitor.window) if monitor.baseline else ()
    return tuple(piece for part in parts for piece in _without(part, monitor.exclude)) if monitor.exclude else parts


def _without(spans: Spans, excluded: tuple[tuple[int, int], ...]) -> list[Spans]:
    """What is left of spans before, between and after those that are excluded, which are in order."""
    found, low = [], -_EVER
    for start, end in (*excluded, (_EVER, _EVER)):
        begin = np.maximum(spans.start, low)
        found.append(Spans(begin, np.maximum(np.minimum(spans.end, start), begin)))
        low = max(low, end)
    return found
