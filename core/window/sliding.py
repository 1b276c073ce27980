"""Sliding windows: windows of one length, one of which begins at each multiple of `every`. They are aligned to the Unix epoch in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from core import duration, moment
from core.calendar import Unit
from core.error import ConfigError
from core.span import Spans
from core.window.tumbling import LONGEST, shifted


class Sliding(msgspec.Struct, frozen=True, tag_field="kind", tag="sliding"):
    """Windows `[k * every, k * every + length)`, in microseconds; `length` is a multiple of `every`."""

    length: int
    every: int

    @staticmethod
    def read(written: Mapping[str, Any]) -> Sliding | None:
        """The windows of `{window: 1d, every: 1h}`; None if another kind is written. Raises ConfigError."""
        if written.keys() != {"window", "every"}:
            return None
        length, every = duration.parse(written["window"]), duration.parse(written["every"])
        if length == every:
            return None
        if length > LONGEST:
            raise ConfigError(f"a window of {written['window']} is too long", remedy="at most " + duration.text(LONGEST))
        if length % every:
            raise ConfigError(f"`every: {written['every']}` does not divide the window of {written['window']}", remedy="write a part of it")
        return Sliding(length, every)

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"window": duration.text(self.length), "every": duration.text(self.every)}

    @property
    def text(self) -> str:
        """For people: `1d every 1h`."""
        return f"{duration.text(self.length)} every {duration.text(self.every)}"

    @property
    def step(self) -> int:
        """The time between two starts, in microseconds."""
        return self.every

    @property
    def longest(self) -> int:
        """The length of a window, in microseconds."""
        return self.length

    @property
    def overlaps(self) -> bool:
        """Whether two windows may share an event: yes."""
        return True

    def fits(self, pane: int, _since: int = 0) -> bool:
        """Whether every window is made of whole panes of `pane` microseconds."""
        return self.every % pane == 0

    def between(self, first: int, last: int) -> Spans:
        """The windows in order, from the first that holds an event at `first` to the last that holds an event at `last` (microseconds)."""
        start = np.arange((first - self.length) // self.every + 1, last // self.every + 1) * self.every
        return Spans(start, start + self.length)

    def before(self, spans: Spans, count: int) -> tuple[Spans, ...]:
        """For each window the span of `count` times its length just before it."""
        return (Spans(spans.start - count * self.length, spans.start),)

    def moved(self, spans: Spans, unit: Unit, count: int) -> Spans:
        """The same windows `count` days, weeks, months, quarters or years of the calendar in UTC earlier."""
        return shifted(spans, unit, count)

    def apart(self, unit: Unit) -> bool:
        """Whether a window never overlaps the same window one such period earlier."""
        return self.length <= unit.days * moment.DAY

    def at(self, time: int) -> tuple[int, int]:
        """The last window that begins at a time or before it."""
        start = time // self.every * self.every
        return start, start + self.length

    def closes(self, after: int) -> int:
        """The first end of a window that is later than `after`, in microseconds."""
        return (after // self.every + 1) * self.every
