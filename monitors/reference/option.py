"""The options of `watchkeeper reference`, which say how the columns of a reference file are used."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from core import moment
from core.contract import Task
from core.error import ConfigError

_LISTS = ("features", "categorical", "text", "exclude", "segments", "protected", "signals")
_NAME = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=,|\Z)|([^,"][^,]*|)(?=,|\Z)')
_OLDEST = moment.parse("1900-01-01T00:00:00Z")  # the times that the stores can hold


class Together(StrEnum):
    """Whether panes hold sums over all features together: if there are few features, always, or never."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options as given. None means the default name, and then the column may be missing.

    `segments` are columns and crosses (`x*y`); `interval` is (lower, upper, level); `earliest` is in microseconds. `latency` and
    the options after it have no default name: None means no column. `signals` are the signals to keep of those that the file gives; None keeps all.
    """

    task: Task
    id: str | None = None
    ts: str | None = None
    prediction: str | None = None
    score: str | None = None
    proba_prefix: str | None = None
    interval: tuple[str, str, float] | None = None
    label: str | None = None
    label_ts: str | None = None
    latency: str | None = None
    status: str | None = None
    caller: str | None = None
    prediction_set: str | None = None
    ensemble_prefix: str | None = None
    attribution_prefix: str | None = None
    signals: tuple[str, ...] | None = None
    multivariate: Together = Together.AUTO
    features: tuple[str, ...] | None = None
    categorical: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    positive: str = "1"
    threshold: float = 0.5
    earliest: int = 365 * moment.DAY  # 1971-01-01

    @staticmethod
    def of(texts: Mapping[str, Any]) -> Options:
        """The options from their texts, as the command line or a query gives them: lists joined by commas (`split`), `earliest` a date.

        Names may be written with `-` or `_`. Raises ConfigError that names the option.
        """
        given = {name.lstrip("-").replace("-", "_"): value for name, value in texts.items()}
        if unknown := given.keys() - set(Options.__struct_fields__):
            raise ConfigError(f"there is no option `{min(unknown)}`", remedy="options: " + ", ".join(Options.__struct_fields__))
        if "task" not in given:
            raise ConfigError("option `task` is missing", remedy="one of " + ", ".join(Task))
        return Options(**{name: _read(name, value) for name, value in given.items()})


def _read(name: str, value: Any) -> Any:
    try:
        return _value(name, value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"option `{name}` cannot be {value!r}: {error}") from None


def _value(name: str, value: Any) -> Any:
    """The value of an option; ValueError says what it should be."""
    if name in _LISTS:
        return tuple(dict.fromkeys(part for part in (split(value) if isinstance(value, str) else value) if part))
    if name == "task":
        return Task(value)
    if name == "multivariate":
        if value not in tuple(Together):
            raise ValueError("one of auto, on, off")
        return Together(value)
    if name == "interval":
        lower, upper, level = split(value) if isinstance(value, str) else value
        return lower, upper, _between(float(level), "the level")
    if name == "threshold":
        return _between(float(value), "the threshold")
    if name == "earliest":
        return _earliest(value)
    if not isinstance(value, str) or not value:
        raise ValueError("a name is expected")
    return value


def split(text: str) -> list[str]:
    """The names in a list with commas between. As in CSV, a name that holds a comma or a quote, or begins or ends with a space, is in quotes.

    >>> split('km, "a,b"')
    ['km', 'a,b']
    """
    found, place = [], 0
    while place <= len(text):
        match = _NAME.match(text, place)
        if match is None:
            raise ValueError(f"a quote is open or out of place after {text[:place]!r}")
        quoted, plain = match.groups()
        found.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        place = match.end() + 1
    return found


def _between(value: float, what: str) -> float:
    if not (math.isfinite(value) and 0 < value < 1):
        raise ValueError(f"{what} lies between 0 and 1")
    return value


def _earliest(value: Any) -> int:
    """Microseconds of a date or an RFC 3339 time; a number is microseconds already."""
    earliest = moment.parse_start(value) if isinstance(value, str) else int(value)
    if earliest < _OLDEST:
        raise ValueError("1900-01-01 is the earliest that can be kept")
    return earliest
