"""The reference of the model's contract as the baseline."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core.baseline.source import Source
from core.span import Spans
from core.window.kind import Window


class Reference(msgspec.Struct, frozen=True, tag_field="kind", tag="reference"):
    """Each segment is compared with its own summary in the reference."""

    source: ClassVar[Source] = Source.REFERENCE
    written: ClassVar[str] = "reference"
    brief: ClassVar[str] = "reference"
    words: ClassVar[str] = "the reference"

    @staticmethod
    def read(written: Any) -> Reference | None:
        """The baseline of `reference`; None if another kind is written."""
        return Reference() if written == "reference" else None

    def check(self, _kind: Window, _pane: int) -> None:
        """Nothing: it fits windows of every kind."""

    def spans(self, _windows: Spans, _kind: Window) -> tuple[Spans, ...]:
        """None: nothing of the stream is read."""
        return ()
