"""Binds the parameters of a statement that are too long for the driver: they are written into the statement itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# A server takes no field of a form that is longer than 128 KiB, in bytes; a character has four at most. And the driver takes a microsecond for each character.
_LONGEST = 30_000
_PARAMETER = re.compile(r"\{(\w+):([^{}]+)\}")


def bound(sql: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The statement, and the parameters that are left to the driver."""
    long = {name: _literal(value) for name, value in parameters.items() if _length(value) > _LONGEST}
    if not long:
        return sql, dict(parameters)
    written = _PARAMETER.sub(lambda match: f"CAST({long[match[1]]}, '{match[2]}')" if match[1] in long else match[0], sql)
    return written, {name: value for name, value in parameters.items() if name not in long}


def _length(value: Any) -> int:
    """About how many characters a parameter has."""
    if isinstance(value, str):
        return len(value)
    return sum(_length(item) + 3 for item in value) if isinstance(value, list) else 20


def _literal(value: Any) -> str:
    """A value as ClickHouse's SQL writes it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"[{','.join(map(_literal, value))}]" if isinstance(value, list) else str(value)
