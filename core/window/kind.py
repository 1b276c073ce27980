"""The kinds of windows. A new kind is a file in this folder, and its name in the union and in `KINDS` below.

A kind has `read` and `written` for the grammar and `text` for people. `step`, `longest`, `overlaps`, `fits`, `between`, `before`, `moved`,
`apart`, `at` and `closes` say which windows there are; `core.window.tumbling` describes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.window.period import Period
from core.window.sliding import Sliding
from core.window.to_date import ToDate
from core.window.tumbling import Tumbling

Window = Tumbling | Sliding | Period | ToDate
KINDS: tuple[type[Window], ...] = (Period, ToDate, Tumbling, Sliding)


def read(written: Mapping[str, Any]) -> Window | None:
    """The windows that a `target` defines; None if no kind reads it. Raises ConfigError if a kind reads it and finds a fault."""
    return next((found for kind in KINDS if (found := kind.read(written)) is not None), None)
