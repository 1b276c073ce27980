"""Windows of event time: half-open, tumbling, aligned to the Unix epoch in UTC."""

from __future__ import annotations

import re

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.error import ConfigError

_UNITS = {"s": moment.SECOND, "m": moment.MINUTE, "h": moment.HOUR, "d": moment.DAY, "w": 7 * moment.DAY}
_TEXT = re.compile(r"([1-9][0-9]{0,17})([smhdw])", re.ASCII)

LONGEST_GAP = 1_000  # of more empty windows in a row than this, only the first is there


def duration(text: str) -> int:
    """Microseconds of a text such as `90s`, `5m`, `1h`, `1d`, `2w`.

    >>> duration("1h")
    3600000000
    """
    if not isinstance(text, str) or (match := _TEXT.fullmatch(text)) is None:
        raise ConfigError(f"{text!r} is not a duration", remedy="write a whole number and a unit: 30s, 5m, 1h, 1d, 1w")
    return int(match.group(1)) * _UNITS[match.group(2)]


def duration_text(microseconds: int) -> str:
    """The shortest text that `duration` reads back as `microseconds`."""
    for unit in ("w", "d", "h", "m"):
        if microseconds % _UNITS[unit] == 0 and (unit != "w" or microseconds > 7 * moment.DAY):
            return f"{microseconds // _UNITS[unit]}{unit}"
    return f"{microseconds // moment.SECOND}s"


class Window(msgspec.Struct, frozen=True):
    """Tumbling windows of `length` microseconds: [k * length, (k + 1) * length)."""

    length: int

    def start(self, ts: Ints) -> Ints:
        """The start of the window that each time falls into."""
        return ts // self.length * self.length

    def existing(self, occupied: Ints, until: int) -> Ints:
        """Starts of the windows that exist and end at or before `until`, ascending.

        `occupied` are the starts of windows with rows. Windows run from the first of them to the last; of more than
        `LONGEST_GAP` empty ones in a row only the first exists.
        """
        starts = np.unique(occupied)
        gaps = np.diff(starts) // self.length - 1
        empty = [
            start + self.length * np.arange(1, (gap if gap <= LONGEST_GAP else 1) + 1)
            for start, gap in zip(starts[:-1], gaps, strict=True)
            if gap
        ]
        every = np.sort(np.concatenate([starts, *empty])) if empty else starts
        return every[every + self.length <= until]
