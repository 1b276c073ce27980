"""The sources of a baseline's rows, and what its spans must be."""

from __future__ import annotations

from enum import StrEnum

from core import duration
from core.calendar import Unit
from core.error import ConfigError
from core.window.kind import Window


class Source(StrEnum):
    """The stream of events, or the reference of the contract."""

    STREAM = "stream"
    REFERENCE = "reference"


def whole(written: object, time: int, pane: int) -> None:
    """Raise ConfigError where a time or a length is no multiple of a pane, both in microseconds."""
    if time % pane:
        raise ConfigError(f"{_said(written)} is not made of whole panes of {duration.text(pane)}", remedy="write multiples of a pane")


def apart(written: object, kind: Window, unit: Unit) -> None:
    """Raise ConfigError where a window may overlap the same window one period earlier."""
    if not kind.apart(unit):
        raise ConfigError(f"{_said(written)} overlaps the window ({kind.text})", remedy="write a longer period, or `previous`")


def _said(written: object) -> str:
    """A baseline as YAML writes it in one line."""
    fields = ", ".join(f"{key}: {value}" for key, value in written.items()) if isinstance(written, dict) else ""
    return f"`{{{fields}}}`" if fields else f"`{written}`"
