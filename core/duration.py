"""Durations as people write them: `90s`, `1h`, `7d`."""

from __future__ import annotations

import re

from core import moment
from core.error import ConfigError

_UNITS = {"s": moment.SECOND, "m": moment.MINUTE, "h": moment.HOUR, "d": moment.DAY, "w": 7 * moment.DAY}
_TEXT = re.compile(r"([1-9][0-9]{0,17})([smhdw])", re.ASCII)


def parse(written: str) -> int:
    """Microseconds of a text such as `90s`, `5m`, `1h`, `1d`, `2w`.

    >>> parse("1h")
    3600000000
    """
    if not isinstance(written, str) or (match := _TEXT.fullmatch(written)) is None:
        raise ConfigError(f"{written!r} is not a duration", remedy="write a whole number and a unit: 30s, 5m, 1h, 1d, 1w")
    return int(match.group(1)) * _UNITS[match.group(2)]


def text(microseconds: int) -> str:
    """The shortest text that `parse` reads back as `microseconds`."""
    for unit in ("w", "d", "h", "m"):
        if microseconds % _UNITS[unit] == 0 and (unit != "w" or microseconds > 7 * moment.DAY):
            return f"{microseconds // _UNITS[unit]}{unit}"
    return f"{microseconds // moment.SECOND}s"
