"""Tumbling windows: windows of one length that follow one another, aligned to the Unix epoch in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from core import duration, moment
from core.calendar import Calendar, Unit
from core.error import ConfigError
from core.span import Spans

LONGEST = 3_660 * moment.DAY


class Tumbling(msgspec.Struct, frozen=True, tag_field="kind", tag="tumbling"):
    """Windows `[k * length, (k + 1) * length)`, `length` in microseconds."""

    length: int

    @staticmethod
    def read(written: Mapping[str, Any]) -> Tumbling | None:
        """The windows of `{window: 1d}`; None if another kind is written. Raises ConfigError."""
        if "window" not in written or not written.keys() <= {"window", "every"}:
            return None
        length = duration.parse(written["window"])
        if length > LONGEST:
            raise ConfigError(f"a window of {written['window']} is too long", remedy="at most " + duration.text(LONGEST))
        every = written.get("every")
        return Tumbling(length) if every is None or duration.parse(every) == length else None

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"window": duration.text(self.length)}

    @property
    def text(self) -> str:
        """For people: `1d`."""
        return duration.text(self.length)

    @property
    def step(self) -> int:
        """The shortest time between two starts, in microseconds."""
        return self.length

    @property
    def longest(self) -> int:
        """The length of the longest window, in microseconds."""
        return self.length

    @property
    def overlaps(self) -> bool:
        """Whether two windows may share an event: no."""
        return False

    def fits(self, pane: int, _since: int = 0) -> bool:
        """Whether every window is made of whole panes of `pane` microseconds."""
        return self.length % pane == 0

    def between(self, first: int, last: int) -> Spans:
        """The windows in order, from the first that holds an event at `first` to the last that holds an event at `last` (microseconds)."""
        start = np.arange(first // self.length, last // self.length + 1) * self.length
        return Spans(start, start + self.length)

    def before(self, spans: Spans, count: int) -> tuple[Spans, ...]:
        """What the `count` windows before each window are: one set of spans for each part. Here one span, just before it."""
        return (Spans(spans.start - count * self.length, spans.start),)

    def moved(self, spans: Spans, unit: Unit, count: int) -> Spans:
        """The same windows `count` days, weeks, months, quarters or years of the calendar in UTC earlier."""
        return shifted(spans, unit, count)

    def apart(self, unit: Unit) -> bool:
        """Whether a window never overlaps the same window one such period earlier."""
        return self.length <= unit.days * moment.DAY

    def at(self, time: int) -> tuple[int, int]:
        """The window that holds a time."""
        start = time // self.length * self.length
        return start, start + self.length

    def closes(self, after: int) -> int:
        """The first end of a window that is later than `after`, in microseconds."""
        return (after // self.length + 1) * self.length


def shifted(spans: Spans, unit: Unit, count: int) -> Spans:
    """Spans as long as these, which begin at the same time of the day (UTC) `count` periods earlier."""
    date, time = np.divmod(spans.start, moment.DAY)
    start = Calendar().moved(unit, date, -count) * moment.DAY + time
    return Spans(start, start + spans.end - spans.start)
