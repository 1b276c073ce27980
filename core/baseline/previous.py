"""The windows before as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core.baseline.source import Source
from core.error import ConfigError
from core.span import Spans
from core.window.kind import Window

_MOST = 366


class Previous(msgspec.Struct, frozen=True, tag_field="kind", tag="previous"):
    """The `count` adjacent windows before each window, pooled; of a window to date, the same days of the `count` periods before."""

    count: int = 1

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> Previous | None:
        """The baseline of `previous` or `{previous: 3}`; None if another kind is written. Raises ConfigError."""
        if written == "previous":
            return Previous()
        if not isinstance(written, dict) or set(written) != {"previous"}:
            return None
        count = written["previous"]
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST:
            raise ConfigError(f"`previous: {count}` is no number of windows", remedy=f"write a number from 1 to {_MOST}")
        return Previous(count)

    @property
    def written(self) -> str | dict[str, int]:
        """The document that `read` reads."""
        return "previous" if self.count == 1 else {"previous": self.count}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return "previous" if self.count == 1 else f"previous {self.count}"

    @property
    def words(self) -> str:
        """A name for people."""
        return "the window before" if self.count == 1 else f"the {self.count} windows before"

    def check(self, _kind: Window, _pane: int) -> None:
        """Nothing: it fits windows of every kind."""

    def spans(self, windows: Spans, kind: Window) -> tuple[Spans, ...]:
        """The spans before each window."""
        return kind.before(windows, self.count)
