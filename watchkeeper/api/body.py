"""Reads bodies of requests up to a limit, and checks their types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from fastapi import Request

from watchkeeper.api.problem import Problem

SMALL = 1 << 16  # bytes
JSON = ("application/json",)
T = TypeVar("T")


def media_type(request: Request, known: Sequence[str]) -> str:
    """The content type without parameters. Problem 415 if it is not one of `known`."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in known:
        raise Problem(415, f"the content type is {given[:60]!r}" if given else "there is no content type", f"send {' or '.join(known)}")
    return given


async def read(request: Request, largest: int) -> bytes:
    """The body. Raises Problem 413 as soon as it is known to be longer than `largest` bytes."""
    most = f"{largest >> 20} MiB" if largest >= 1 << 20 else f"{largest >> 10} KiB"
    problem = Problem(413, f"the body is larger than {most}", "send it in smaller parts")
    length = request.headers.get("content-length", "")
    if length.isdigit() and len(length) < 20 and int(length) > largest:
        raise problem
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise problem
        parts.append(part)
    return b"".join(parts)


async def decoded(request: Request, kind: type[T], example: str) -> T:
    """A small JSON body; an empty one is `{}`. Raises Problem."""
    text = await read(request, SMALL)
    if text:
        media_type(request, JSON)
    try:
        return msgspec.json.decode(text or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, f"the body cannot be read: {error}", f"send {example}") from None


def schema(required: list[str], **properties: Any) -> dict[str, Any]:
    """A JSON object as the body of an operation, as the OpenAPI document describes it."""
    described = {"type": "object", "required": required, "additionalProperties": False, "properties": properties}
    return {"requestBody": {"required": bool(required), "content": {"application/json": {"schema": described}}}}
