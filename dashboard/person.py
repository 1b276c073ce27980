"""Who looks at a page: the name of the principal of the request, for lists of what is theirs, and its role."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

from core.principal import Principal, Role

person: ContextVar[str] = ContextVar("person", default="")
role: ContextVar[Role] = ContextVar("role", default=Role.VIEWER)


class Person:
    """Keeps who asks while a request is answered; `who` reads it from the request's scope."""

    def __init__(self, app: ASGIApp, *, who: Callable[[Scope], Principal | None]) -> None:
        self._app, self._who = app, who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            found = self._who(scope)
            person.set("" if found is None else found.name)
            role.set(Role.VIEWER if found is None else found.role)
        await self._app(scope, receive, send)
