"""Which windows exist and have closed, and how many are evaluated at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from core.block import Ints
from core.span import Spans
from core.window.kind import Window
from core.window.period import Period
from core.window.to_date import ToDate

LONGEST_GAP = 1_000  # of more empty windows in a row than this only the first exists


def existing(window: Window, slots: Ints, watermark: int, *, live: bool) -> Spans:
    """The windows that exist and have closed.

    `slots` are the times of panes with predictions, ascending. There are windows from the first slot to the last. A live model also has windows from there to the
    watermark, `LONGEST_GAP` at most.
    """
    if not len(slots):
        return Spans.none()
    found = _between(window, slots)
    if live:
        last = int(slots[-1])
        until = min(watermark, last + (LONGEST_GAP + 1) * window.step + window.longest)
        later = window.between(last, until) if until > last else Spans.none()
        found = found.join(later.take(~later.isin(found)).take(slice(LONGEST_GAP)))
    return found.take(found.end <= watermark)


def chunks(windows: Spans, most: int) -> list[Spans]:
    """Windows in runs of at most `most`, without long gaps, so that a range query reads little else."""
    if not len(windows):
        return []
    gap = np.diff(windows.start) > 8 * (windows.end - windows.start)[:-1]
    bounds = [0, *(np.flatnonzero(gap) + 1).tolist(), len(windows)]
    return [windows.take(slice(index, min(index + most, high))) for low, high in pairwise(bounds) for index in range(low, high, most)]


def _between(window: Window, slots: Ints) -> Spans:
    """The windows from the first slot to the last, without those of long gaps."""
    # The windows of a gap that is too long are not made at all: there may be millions of them.
    breaks = np.flatnonzero(np.diff(slots) > (LONGEST_GAP + 1) * window.step + window.longest) + 1
    runs = np.split(slots, breaks)
    parts = [window.between(int(run[0]), int(run[-1]) if run is runs[-1] else _passed(window, int(run[-1]))) for run in runs]
    found = parts[0].join(*parts[1:])
    empty = ~found.holding(slots)
    index = np.arange(len(found))
    last = np.maximum.accumulate(np.where(empty, -1, index))  # the last window with rows
    following = np.minimum.accumulate(np.where(empty, len(found), index)[::-1])[::-1]
    long = empty & (following - last - 1 > LONGEST_GAP) & (index > last + 1)
    return found.take(~long)


def _passed(window: Window, last: int) -> int:
    """A time in the first window that is later than an event at `last`. Windows to date hold it until their period ends."""
    return Period(window.unit, window.calendar).closes(last) if isinstance(window, ToDate) else window.closes(last)
