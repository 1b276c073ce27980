"""Events as lines of JSON, from the values that Python programs have: numbers of numpy and pandas, times, decimals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

_LARGEST = 10**308  # digits of whole numbers; the server takes longer ones as infinity
ZONE = "send a datetime with one, such as `.replace(tzinfo=UTC)`, in pandas `.tz_localize('UTC')`, or milliseconds since the epoch"


class Unsendable(Exception):
    """A value that cannot be written as JSON: where in the event it is, and why."""

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.field = ".".join(path)
        self.reason = reason


def line(event: object) -> bytes:
    """An event as JSON. Unsendable if a value cannot be written."""
    if not isinstance(event, Mapping):
        raise Unsendable((), f"{_kind(event)} where an event is expected; send a dict")
    try:  # most events need no conversion
        return _dumps(event, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return _dumps(_plain(event, ()))
    except RecursionError:
        raise Unsendable((), "is nested too deep; send one value for each feature") from None


def _dumps(value: object, *, allow_nan: bool = True) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=allow_nan).encode()


def _plain(value: Any, path: tuple[str, ...]) -> Any:
    """A value that `json` can write: times become texts, values of numpy and pandas become Python's, their nulls become None."""
    if type(value).__name__ in {"NAType", "NaTType"}:  # NA and NaT of pandas, which is not imported here
        return None
    if isinstance(value, Mapping):
        return {_key(key): _plain(part, (*path, str(key))) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, path) for part in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Unsendable(path, f"{value} has no time zone; {ZONE}")
        return value.isoformat()
    if isinstance(value, Decimal):
        return None if value.is_nan() else float(value)
    if isinstance(value, float):
        return None if value != value else float(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str | int | None):
        return value if not isinstance(value, int) or abs(value) < _LARGEST else float("inf")
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _numpy(value, path)
    raise Unsendable(path, f"{_kind(value)} cannot be sent; send a number, string, boolean or null")


def _numpy(value: Any, path: tuple[str, ...]) -> Any:
    """The Python value of numpy and similar types. An array of several values becomes a list, and the server reports what is wrong with it."""
    kind = getattr(value.dtype, "kind", "")
    if kind in {"M", "m"}:
        if str(value) == "NaT":
            return None
        remedy = f"which has no time zone; {ZONE}" if kind == "M" else "and cannot be sent; send its length as a number"
        raise Unsendable(path, f"{value} is of type {value.dtype}, {remedy}")
    plain = value.tolist()
    while isinstance(plain, list) and len(plain) == 1:
        plain = plain[0]
    return _plain(plain, path)


def _key(key: Any) -> Any:
    return key if isinstance(key, str | int | float | None) else str(key)


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
