"""The windows before as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core.baseline.source import Source
from core.error import ConfigError
from core.span import Spans
from core.window.kind import Window


class Previous(msgspec.Struct, frozen=True, tag_field="kind", tag="previous"):
    """The `count` adjacent windows before each window, pooled."""

    count: int = 1

    source: ClassVar[Source] = Source.STREAM
    written: ClassVar[str] = "previous"
    brief: ClassVar[str] = "previous"
    words: ClassVar[str] = "the window before"

    @staticmethod
    def read(written: Any) -> Previous | None:
        """The baseline of `previous` or `{previous: 1}`; None if another kind is written. Raises ConfigError."""
        if written == "previous":
            return Previous()
        if not isinstance(written, dict) or set(written) != {"previous"}:
            return None
        count = written["previous"]
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            return None
        if count > 1:
            raise ConfigError("`baseline.previous above 1` is not available yet", remedy="write `reference` or `{previous: 1}`")
        return Previous(count)

    def check(self, _kind: Window, _pane: int) -> None:
        """Nothing: it fits windows of every kind."""

    def spans(self, windows: Spans, kind: Window) -> tuple[Spans, ...]:
        """The span before each window."""
        return (kind.before(windows, self.count),)
