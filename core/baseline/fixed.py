"""A span that stays where it is as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import numpy as np

from core import moment
from core.baseline.source import Source, whole
from core.span import Spans
from core.window.kind import Window


class Fixed(msgspec.Struct, frozen=True, tag_field="kind", tag="fixed"):
    """Each window is compared with the events of `[start, end)`, in microseconds. A window that overlaps the span has no baseline."""

    start: int
    end: int

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> Fixed | None:
        """The baseline of `{from: 2026-01-01, to: 2026-02-01}`; None if another kind is written. Raises ConfigError."""
        if not isinstance(written, dict) or written.keys() != {"from", "to"}:
            return None
        return Fixed(*moment.span_of(written))

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"from": moment.text(self.start), "to": moment.text(self.end)}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return moment.period(self.start, self.end)

    @property
    def words(self) -> str:
        """A name for people."""
        return f"the span {self.brief}"

    def check(self, _kind: Window, pane: int) -> None:
        """Raise ConfigError where the baseline is not made of whole panes of `pane` microseconds."""
        for bound in (self.start, self.end):
            whole(self.written, bound, pane)

    def spans(self, windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """The span for each window; an empty one for a window that overlaps it."""
        overlaps = (windows.start < self.end) & (windows.end > self.start)
        return (Spans(np.full_like(windows.start, self.start), np.where(overlaps, self.start, self.end)),)
