"""The span just before each window as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core import duration
from core.baseline.source import Source, whole
from core.error import ConfigError
from core.span import Spans
from core.window.kind import Window
from core.window.tumbling import LONGEST


class Rolling(msgspec.Struct, frozen=True, tag_field="kind", tag="rolling"):
    """Each window is compared with the `length` microseconds that end where it begins."""

    length: int

    source: ClassVar[Source] = Source.STREAM

    @staticmethod
    def read(written: Any) -> Rolling | None:
        """The baseline of `{rolling: 30d}`; None if another kind is written. Raises ConfigError."""
        if not isinstance(written, dict) or written.keys() != {"rolling"}:
            return None
        found = Rolling(duration.parse(written["rolling"]))
        if found.length > LONGEST:
            raise ConfigError(f"a baseline of {written['rolling']} is too long", remedy=f"at most {duration.text(LONGEST)}, or `expanding`")
        return found

    @property
    def written(self) -> dict[str, str]:
        """The document that `read` reads."""
        return {"rolling": duration.text(self.length)}

    @property
    def brief(self) -> str:
        """A short name for people."""
        return f"{duration.text(self.length)} before"

    @property
    def words(self) -> str:
        """A name for people."""
        return f"the {duration.text(self.length)} before"

    def check(self, _kind: Window, pane: int) -> None:
        """Raise ConfigError where the baseline is not made of whole panes of `pane` microseconds."""
        whole(self.written, self.length, pane)

    def spans(self, windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """The span before each window."""
        return (Spans(windows.start - self.length, windows.start),)
