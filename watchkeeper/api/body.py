"""Reads bodies of requests up to a limit, and checks their types."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request

from watchkeeper.api.problem import Problem


def media_type(request: Request, known: Sequence[str]) -> str:
    """The content type without parameters. Problem 415 if it is not one of `known`."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in known:
        raise Problem(415, f"the content type is {given[:60]!r}" if given else "there is no content type", f"send {' or '.join(known)}")
    return given


async def read(request: Request, largest: int) -> bytes:
    """The body. Raises Problem 413 as soon as it is known to be longer than `largest` bytes."""
    problem = Problem(413, f"the body is larger than {largest >> 20} MiB", "send it in smaller parts")
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
