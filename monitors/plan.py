"""Which windows are due: those that exist, have closed, and are new or were touched."""

from __future__ import annotations

import numpy as np

from core.block import Ints
from core.monitor import Monitor
from core.window import LONGEST_GAP, Window


def existing(monitor: Monitor, slots: Ints, watermark: int, *, live: bool) -> Ints:
    """Starts of the monitor's windows that exist and have closed, ascending.

    They run from the first slot with predictions to the last; of a model that is live, to the watermark.
    """
    window = Window(monitor.window)
    starts = np.unique(window.start(slots))
    if live and len(starts):
        after = np.arange(starts[-1] + window.length, watermark, window.length)[:LONGEST_GAP]
        return np.concatenate([window.existing(starts, watermark), after[after + window.length <= watermark]])
    return window.existing(starts, watermark)


def due(monitor: Monitor, windows: Ints, touched: Ints, done: Ints) -> Ints:
    """Of the existing windows, those that are not `done` and those that a touched slot changes.

    A window whose baseline is the one before it changes with that one, too.
    """
    changed = Window(monitor.window).start(touched)
    if monitor.baseline == "previous":
        changed = np.concatenate([changed, changed + monitor.window])
    return windows[np.isin(windows, changed) | ~np.isin(windows, done)]


def chunks(windows: Ints, length: int, most: int) -> list[Ints]:
    """Windows in runs of at most `most` and without long gaps, so that a range query reads what is wanted."""
    if not len(windows):
        return []
    breaks = np.flatnonzero(np.diff(windows) > 8 * length) + 1
    return [run[place : place + most] for run in np.split(windows, breaks) for place in range(0, len(run), most)]
