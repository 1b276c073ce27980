"""Who looks at a page: the name of the principal of the request, for lists of what is theirs."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

person: ContextVar[str] = ContextVar("person", default="")


class Person:
    """Keeps who asks while a request is answered; `name` reads it from the request's scope."""

    def __init__(self, app: ASGIApp, *, name: Callable[[Scope], str]) -> None:
        self._app, self._name = app, name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            person.set(self._name(scope))
        await self._app(scope, receive, send)
