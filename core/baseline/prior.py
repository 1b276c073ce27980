"""The same window some time earlier as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core import duration
from core.baseline.source import Source, whole
from core.error import ConfigError
from core.span import Spans
from core.window.kind import Window


class Prior(msgspec.Struct, frozen=True, tag_field="kind", tag="prior"):
    """Each window is compared with the one `shift` microseconds earlier."""

    shift: int

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> Prior | None:
        """The baseline of `{prior: 7d}`; None if another kind is written. Raises ConfigError."""
        return Prior(duration.parse(written["prior"])) if isinstance(written, dict) and written.keys() == {"prior"} else None

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"prior": duration.text(self.shift)}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return f"{duration.text(self.shift)} earlier"

    @property
    def words(self) -> str:
        """A name for people."""
        return f"the window {duration.text(self.shift)} earlier"

    def check(self, kind: Window, pane: int) -> None:
        """Raise ConfigError where the baseline would overlap the target, or is not made of whole panes of `pane` microseconds."""
        if self.shift < kind.longest:
            least = f"write at least {duration.text(kind.longest)}, `previous` or `same_period_last`"
            raise ConfigError(f"`{{prior: {duration.text(self.shift)}}}` overlaps the window", remedy=least)
        whole(self.written, self.shift, pane)

    def spans(self, windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """The span of each window, `shift` microseconds earlier."""
        return (Spans(windows.start - self.shift, windows.end - self.shift),)
