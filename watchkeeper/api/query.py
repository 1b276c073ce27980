"""Reads query parameters, and says what is wrong with them. An empty value counts as a missing parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import unquote

from fastapi import Request

from core import moment
from watchkeeper.api.problem import Problem

Name = TypeVar("Name", bound=str)


def only(request: Request, *known: str) -> dict[str, str]:
    """The parameters by name. Raises Problem 400 for one that is not `known` or comes twice."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known:
            raise Problem(400, f"there is no parameter {name[:60]!r} here", f"use {', '.join(known)}" if known else "leave it out")
        if name in given:
            raise Problem(400, f"`{name}` is given twice", "give it once")
        given[name] = value
    return given


def parameter(name: str) -> dict[str, Any]:
    """A parameter as the OpenAPI document describes it."""
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}


def choice(given: dict[str, str], name: str, values: Sequence[Name]) -> Name | None:
    """One of `values`, or None."""
    value = given.get(name) or None
    if value is not None and value not in values:
        raise Problem(400, f"`{name}` is {value[:60]!r}", f"use one of: {', '.join(values)}")
    return next((one for one in values if one == value), None)


def flag(given: dict[str, str], name: str) -> bool:
    """Whether a parameter is true; it is false where it is missing."""
    return choice(given, name, ("true", "false", "1", "0")) in {"true", "1"}


def count(given: dict[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`."""
    value = given.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= most):
        raise Problem(400, f"`{name}` is {value[:60]!r}", f"use a whole number from 1 to {most}")
    return int(value)


def time(given: dict[str, str], name: str) -> int | None:
    """Microseconds of an RFC 3339 time or of milliseconds since the epoch, or None."""
    value = given.get(name)
    if not value:
        return None
    try:
        return moment.parse_query(value)
    except ValueError as error:
        raise Problem(400, f"`{name}`: {error}", "use RFC 3339, such as 2022-07-01T00:00:00Z, or milliseconds since the epoch") from None


def pairs(request: Request, prefix: str) -> list[tuple[str, str]]:
    """The pairs of model and name that an address `prefix` + model + `/` + name may mean.

    Both may hold slashes. A slash within one of them may be written %2F; else every slash may be the one between them.
    """
    parts = request.scope["raw_path"].decode("latin-1").removeprefix(prefix).split("/")
    return [(unquote("/".join(parts[:place])), unquote("/".join(parts[place:]))) for place in range(1, len(parts))]
