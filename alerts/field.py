"""Readers of fields that people write in definitions of `alerts`. ConfigError says what is wrong, at which place, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from core import duration, moment
from core.error import ConfigError

_RATE = re.compile(r"\s*([1-9][0-9]{0,5})\s+per\s+([0-9]{1,6}[smhdw])\s*", re.ASCII)

T = TypeVar("T")
D = TypeVar("D")


def given(value: Any, at: str) -> Any:
    """A value that narrows something: left empty it would match everything, which somebody who writes the field does not mean."""
    if value is None:
        raise fault(at, "it is empty", "write a value, or leave the field out")
    return value


def each(value: Any, at: str, one: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
    """A list of mappings, each read by `one`."""
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise fault(at, "it is not a list of mappings", "write one `- {...}` for each")
    return tuple(one(item, f"{at}[{place}]") for place, item in enumerate(value))


def of(value: Any, at: str, known: Sequence[str] | None) -> tuple[str, ...]:
    """One text or a list of them, each once; of the known ones, if there are such."""
    listed = value if isinstance(value, list) else [value]
    found = [str(item).lower() if isinstance(item, bool) else str(item) for item in listed if not isinstance(item, list | Mapping)]
    wrong = [item for item in found if known is not None and item not in known]
    if len(found) != len(listed) or not found or wrong:
        allowed = f"one or more of {', '.join(known)}" if known else "a text or a list of texts"
        raise fault(at, f"`{wrong[0] if wrong else value}` is not allowed", f"write {allowed}")
    return tuple(dict.fromkeys(found))


def names(value: Any, at: str) -> tuple[str, ...]:
    """Names of destinations."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(name, str) and name for name in listed):
        raise fault(at, f"`{value}` is not a list of destinations", "write `[oncall]`")
    return tuple(dict.fromkeys(listed))


def flag(value: Any, at: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise fault(at, f"`{value}` is neither true nor false", "write true or false")
    return value


def rate(value: Any, at: str) -> tuple[int, int]:
    """How many in how many microseconds: `20 per 1h`."""
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise fault(at, f"`{value}` is no number in a time", "write `20 per 1h`")
    return int(found[1]), length(found[2], at)


def length(value: Any, at: str) -> int:
    """A length of time of at most a leap year, in microseconds."""
    try:
        found = duration.parse(value)
    except ConfigError as error:
        raise fault(at, error.message, error.remedy) from None
    if found > 366 * moment.DAY:
        raise fault(at, f"`{value}` is longer than a year", "write a shorter time")
    return found


def pause(value: Any, at: str) -> int:
    """A length of time that may be none."""
    return 0 if str(value) in {"0", "0s"} else length(value, at)


def read(document: Mapping[str, Any], key: str, at: str, reader: Callable[[Any, str], T], default: D) -> T | D:
    """What `reader` makes of a field, given its place; the default if the field is missing or null."""
    value = document.get(key)
    return default if value is None else reader(value, f"{at}.{key}" if at else key)


def only(document: Mapping[str, Any], fields: Collection[str], at: str, head: str = "") -> None:
    """Raise ConfigError if a document has another field than these. `head` is the field that says what it defines."""
    for name in document:
        if name not in fields:
            place, known = f"{at}.{name}" if at else str(name), ", ".join(sorted(set(fields) - {head}))
            raise fault(place, "there is no such field", f"write one of {known}")


def zone(value: Any, at: str) -> str:
    """The name of a time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError, TypeError):
        raise fault(at, f"there is no time zone `{value}`", "write one such as Europe/Rome") from None
    return str(value)


def whole(value: Any, at: str, least: int = 1) -> int:
    """A whole number, not less than `least` and at most a billion."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 1_000_000_000:
        raise fault(at, f"`{value}` is no whole number of at least {least}", f"write for example {max(least, 2)}")
    return value


def fault(at: str, problem: str, remedy: str) -> ConfigError:
    """The error of a field at a place."""
    return ConfigError(f"`{at}`: {problem}", remedy=remedy)
