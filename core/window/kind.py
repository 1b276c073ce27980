"""The kinds of windows: a new one is a file beside this and its name here.

Each has `read` and `written` for the grammar, `text` for people, and `step`, `longest`, `fits`, `between`, `before` and `closes` for the plan of
evaluation (see `core.window.tumbling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.window.sliding import Sliding
from core.window.tumbling import Tumbling

Window = Tumbling | Sliding
KINDS: tuple[type[Window], ...] = (Tumbling, Sliding)


def read(written: Mapping[str, Any]) -> Window | None:
    """The windows that a `target` means; None if no kind reads it. Raises ConfigError where one does and finds a fault."""
    return next((found for kind in KINDS if (found := kind.read(written)) is not None), None)
