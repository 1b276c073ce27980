"""Answers as JSON, and pages of lists: `{"items": [...], "next": cursor or null}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import Response


def json(value: Any, *, headers: Mapping[str, str] | None = None, status: int = 200) -> Response:
    """`value` as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def page(items: Sequence[Any], after: str | None = None) -> Response:
    """A page of a list."""
    return json({"items": items, "next": after})
