"""Which windows are due: those that are new, and those whose value the events that were touched may change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.baseline.fixed import Fixed
from core.block import Ints
from core.monitor import Monitor
from core.span import Flags, Spans
from monitors.evaluation.pool import pool
from monitors.evaluation.watched import carries, counts_from_first, cumulates, earlier, sequential


def due(monitor: Monitor, windows: Spans, touched: Ints, done: Spans, others: Flags | None = None) -> Spans:
    """The existing windows that are not `done`, those that hold a touched slot, whose baseline or windows before hold one, and `others`."""
    times = np.unique(touched)
    changed = windows.holding(times) if others is None else windows.holding(times) | others
    if len(times):
        # Only a fixed baseline may lie after its window. So few baselines are made in most steps, which touch the last slots.
        place = np.flatnonzero((windows.end > times[0]) | isinstance(monitor.baseline, Fixed))
        near = windows.take(place)
        for part in (*pool(monitor, near), *earlier(monitor, near)):
            changed[place] |= part.holding(times)
    return windows.take(changed | ~windows.isin(done))


def others(monitor: Monitor, windows: Spans, slots: Ints, touched: Ints, slots_of_version: Callable[[], Ints]) -> Flags | None:
    """The windows that touched slots change though neither they nor their baselines hold one: (windows,); None for measures that have none.

    `slots` are those with predictions, ascending, `slots_of_version` those of the monitor's version.
    """
    if cumulates(monitor) or sequential(monitor):
        return np.asarray(windows.end > touched.min()) if len(touched) else None
    if carries(monitor):
        return following(windows, slots, touched)
    if len(touched) and counts_from_first(monitor):
        return since_first(pool(monitor, windows), slots if monitor.version is None else slots_of_version(), touched)
    return None


def since_first(parts: Sequence[Spans], slots: Ints, touched: Ints) -> Flags:
    """The windows of whose baseline the first event may have moved: (windows,). `parts` are the pool of the baseline, `slots` those with predictions, ascending.

    How many rows are expected of a baseline depends on how much of it lies after the first event. So an event before that one changes windows that do not hold it.
    """
    times, low, high = np.unique(touched), 1 << 62, 1 << 62
    if len(times):
        left = slots[~np.isin(slots, times)]
        low, high = int(times[0]), int(left[0]) if len(left) else high
    found = np.zeros(len(parts[0]) if parts else 0, np.bool_)
    for part in parts:
        found |= (part.start < high) & (part.end > low) & (low < high)
    return found


def following(windows: Spans, slots: Ints, touched: Ints) -> Flags:
    """The windows without rows whose last event before them may be in a touched slot: (windows,). `slots` are those with predictions, ascending."""
    before = np.searchsorted(slots, windows.start) - 1
    last = np.where(before >= 0, slots[np.maximum(before, 0)], windows.start) if len(slots) else windows.start
    times = np.unique(touched)
    return ~windows.holding(slots) & (np.searchsorted(times, windows.start) > np.searchsorted(times, last))
