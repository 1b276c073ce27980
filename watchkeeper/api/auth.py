"""Who may talk to us: everyone on an open loopback, else who brings the token. Wraps the whole application, pages included."""

from __future__ import annotations

import hmac
from http import HTTPMethod
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from watchkeeper.api.problem import Problem

_UNAUTHORIZED = Problem(
    401, "the token is missing or wrong", "send `Authorization: Bearer <token>`", headers={"WWW-Authenticate": 'Bearer realm="watchkeeper"'}
)
_FOREIGN = Problem(403, "the request comes from a page of another site", "call the API from a program, or from Watchkeeper's own pages")
_SAFE = {HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS}


class Auth:
    """Middleware. With a `token` every request needs it; without, a browser may change nothing from another site's page."""

    def __init__(self, app: ASGIApp, token: str | None = None) -> None:
        self.app = app
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan" or (problem := self._objection(scope)) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4401})
        else:
            await problem.response()(scope, receive, send)

    def _objection(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        if self._token is None:
            origin = headers.get("origin")
            foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
            return _FOREIGN if foreign and scope.get("method") not in _SAFE else None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        known = scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode("latin-1"), self._token)
        return None if known else _UNAUTHORIZED
