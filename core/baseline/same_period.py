"""The same window of the last week, month, quarter or year as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core import moment
from core.baseline.source import Source, apart, whole
from core.calendar import Unit
from core.error import ConfigError
from core.span import Spans
from core.window.kind import Window

_UNITS = [unit for unit in Unit if unit is not Unit.DAY]


class SamePeriod(msgspec.Struct, frozen=True, tag_field="kind", tag="same_period_last"):
    """Each window is compared with the same one a week, month, quarter or year earlier."""

    unit: Unit

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> SamePeriod | None:
        """The baseline of `{same_period_last: year}`; None if another kind is written. Raises ConfigError."""
        if not isinstance(written, dict) or written.keys() != {"same_period_last"}:
            return None
        if (unit := written["same_period_last"]) not in _UNITS:
            raise ConfigError(f"`same_period_last: {unit}` is no period", remedy="write one of " + ", ".join(_UNITS))
        return SamePeriod(Unit(unit))

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"same_period_last": str(self.unit)}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return f"last {self.unit}"

    @property
    def words(self) -> str:
        """A name for people."""
        return f"the same window of the last {self.unit}"

    def check(self, kind: Window, pane: int) -> None:
        """Raise ConfigError where the baseline would overlap the target, or is not made of whole panes of `pane` microseconds."""
        apart(self.written, kind, self.unit)
        whole(self.written, moment.DAY, pane)

    def spans(self, windows: Spans, kind: Window) -> tuple[Spans, ...]:
        """The window one period earlier."""
        return (kind.moved(windows, self.unit, 1),)
