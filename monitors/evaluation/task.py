"""The tasks of a step: the windows to evaluate for each monitor, and which monitors share their reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from core.block import Ints
from core.monitor import Monitor
from core.span import Spans
from monitors.evaluation.watched import in_background, places

_NEVER = -(1 << 62)
_STORED = 500_000  # readings that are compared with stored ones at a time


@dataclass
class EvaluatedWindows:
    """Which windows of a monitor have a reading in each column and segment."""

    windows: Spans
    readings: Ints

    @property
    def until(self) -> int:
        """The end of the last window. A window that closed in silence stays closed: its later events change its readings."""
        return int(self.windows.end.max(initial=_NEVER))

    def complete(self, each: int) -> Spans:
        """The windows with so many readings."""
        return self.windows.take(self.readings == each)

    def add(self, windows: Spans, each: int) -> None:
        """Add windows with so many readings each."""
        self.drop(windows)
        start, end = (np.concatenate([getattr(self.windows, name), getattr(windows, name)]) for name in ("start", "end"))
        order = np.lexsort((end, start))
        self.windows = Spans(start[order], end[order])
        self.readings = np.concatenate([self.readings, np.full(len(windows), each)])[order]

    def drop(self, windows: Spans) -> None:
        """Remove windows."""
        rest = ~self.windows.isin(windows)
        self.windows, self.readings = self.windows.take(rest), self.readings[rest]


@dataclass(frozen=True)
class MonitorTask:
    """The task of a monitor: windows that are due, windows that no longer exist, and the first ones of its stream (`early_windows`) if it is calibrated on them."""

    monitor: Monitor
    segments: tuple[str, ...]
    columns: tuple[str, ...]
    due: Spans
    gone: Spans
    early: Spans | None
    done: EvaluatedWindows

    @property
    def each(self) -> int:
        """How many readings a window has."""
        return int(places(self.monitor, self.columns, self.segments).sum())

    @property
    def key(self) -> tuple[object, ...]:
        """Tasks of one key have the same windows and read the same rows."""
        return self.segments, self.monitor.version or "", self.due.start.tobytes(), self.due.end.tobytes()


def groups(tasks: Sequence[MonitorTask]) -> list[list[MonitorTask]]:
    """The tasks with windows that are due, but those of the background, grouped by key."""
    due = sorted((task for task in tasks if len(task.due) and not in_background(task.monitor)), key=lambda task: task.key)
    return [list(group) for _, group in groupby(due, key=lambda task: task.key)]


def portions(tasks: Sequence[MonitorTask], windows: int) -> Iterator[list[MonitorTask]]:
    """Tasks in order, in portions of about `_STORED` readings."""
    ends = np.cumsum([windows * task.each for task in tasks]) // _STORED
    for _, group in groupby(zip(ends.tolist(), tasks, strict=True), key=lambda pair: pair[0]):
        yield [task for _, task in group]
