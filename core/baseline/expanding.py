"""Everything before each window as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import numpy as np

from core import moment
from core.baseline.source import Source
from core.span import Spans
from core.window.kind import Window


class Expanding(msgspec.Struct, frozen=True, tag_field="kind", tag="expanding"):
    """Each window is compared with all events from the first one to the window's start."""

    source: ClassVar[Source] = Source.STREAM
    written: ClassVar[str] = "expanding"
    brief: ClassVar[str] = "past"
    words: ClassVar[str] = "everything before"

    @staticmethod
    def read(written: Any) -> Expanding | None:
        """The baseline of `expanding`; None if another kind is written."""
        return Expanding() if written == "expanding" else None

    def check(self, _kind: Window, _pane: int) -> None:
        """Nothing: it fits windows of every kind."""

    def spans(self, windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """From the earliest time that there can be to the start of each window."""
        return (Spans(np.full_like(windows.start, moment.EARLIEST), windows.start),)
