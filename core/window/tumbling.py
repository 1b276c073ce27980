"""Tumbling windows: windows of one length that follow one another, aligned to the Unix epoch in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from core import duration, moment
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

    def fits(self, pane: int) -> bool:
        """Whether every window is made of whole panes of `pane` microseconds."""
        return self.length % pane == 0

    def between(self, first: int, last: int) -> Spans:
        """The windows in order, from the first that holds an event at `first` to the last that holds an event at `last` (microseconds)."""
        start = np.arange(first // self.length, last // self.length + 1) * self.length
        return Spans(start, start + self.length)

    def before(self, spans: Spans, count: int) -> Spans:
        """For each window the span of the `count` windows just before it."""
        return Spans(spans.start - count * self.length, spans.start)

    def closes(self, after: int) -> int:
        """The first end of a window that is later than `after`, in microseconds."""
        return (after // self.length + 1) * self.length
