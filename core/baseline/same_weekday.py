"""The same window of the same weekday in the weeks before as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core import moment
from core.baseline.source import Source, apart, whole
from core.calendar import Unit
from core.error import ConfigError
from core.span import Spans
from core.window.kind import Window

_MOST = 104


class SameWeekday(msgspec.Struct, frozen=True, tag_field="kind", tag="same_weekday"):
    """Each window is compared with the same one in each of the last `count` weeks, pooled."""

    count: int

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> SameWeekday | None:
        """The baseline of `{same_weekday: 3}`; None if another kind is written. Raises ConfigError."""
        if not isinstance(written, dict) or written.keys() != {"same_weekday"}:
            return None
        count = written["same_weekday"]
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST:
            raise ConfigError(f"`same_weekday: {count}` is no number of weeks", remedy=f"write a number from 1 to {_MOST}")
        return SameWeekday(count)

    @property
    def written(self) -> dict[str, int]:
        """The document that `read` reads."""
        return {"same_weekday": self.count}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return "same weekday" if self.count == 1 else f"same weekday, {self.count} weeks"

    @property
    def words(self) -> str:
        """A name for people."""
        return "the same weekday " + ("of the week before" if self.count == 1 else f"of the last {self.count} weeks")

    def check(self, kind: Window, pane: int) -> None:
        """Raise ConfigError where the baseline would overlap the target, or is not made of whole panes of `pane` microseconds."""
        apart(self.written, kind, Unit.WEEK)
        whole(self.written, 7 * moment.DAY, pane)

    def spans(self, windows: Spans, kind: Window) -> tuple[Spans, ...]:
        """The window of each week before."""
        return tuple(kind.moved(windows, Unit.WEEK, weeks) for weeks in range(1, self.count + 1))
