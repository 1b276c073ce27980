"""Tells in the header `Server-Timing` of an answer how long each of its panels took: tools of browsers show it, and `make bench-ui` reads it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST, _LONGEST = 30, 32  # panels of an answer that are told, and characters of a title: proxies refuse a head of a few KB
_taken: ContextVar[list[tuple[str, float]] | None] = ContextVar("taken", default=None)


@contextmanager
def timed(title: str) -> Iterator[None]:
    """Note how long the block took for a panel of this title. Panels of an answer are drawn at once, so their times overlap."""
    began = time.perf_counter()
    try:
        yield
    finally:
        if (taken := _taken.get()) is not None:
            taken.append((title, time.perf_counter() - began))


class PanelTimes:
    """Adds the header to answers in which panels were drawn."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken: list[tuple[str, float]] = []  # one list, which tasks that a request starts share with it
        _taken.set(taken)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and taken:
                names = ((re.sub(r"[^\w-]", "_", title[:_LONGEST], flags=re.ASCII), seconds) for title, seconds in taken[:_MOST])
                MutableHeaders(scope=message)["Server-Timing"] = ", ".join(f"{name};dur={seconds * 1e3:.1f}" for name, seconds in names)
            await send(message)

        await self._app(scope, receive, told)
