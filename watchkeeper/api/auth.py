"""Who may talk to us: everyone on an open loopback, else who brings the token or has logged in. Wraps the whole application, pages included."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPMethod

from starlette.datastructures import Headers
from starlette.requests import Request, cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from core.error import Retryable
from watchkeeper.api.host import Hosts
from watchkeeper.api.login import HOME, LOGIN, LOGOUT, Login, to_login
from watchkeeper.api.problem import Problem
from watchkeeper.api.session import Sessions, cookie_name

_UNAUTHORIZED = Problem(
    401,
    "the token is missing or wrong",
    f"send `Authorization: Bearer <token>`; with a browser log in at {LOGIN}",
    headers={"WWW-Authenticate": 'Bearer realm="watchkeeper"'},
)
_FOREIGN = Problem(403, "the request comes from a page of another site", "call the API from a program, or from Watchkeeper's own pages")
_SAFE = {HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS}
# Anybody may ask these, as probes do; a stranger hears yes or no.
OPEN = {"/v1/health/live", "/v1/health/ready"}
_STRANGER = "watchkeeper.stranger"


@dataclass(frozen=True)
class Doors:
    """Who is let in: `hosts` are our names; with a `token` every request needs it, or the cookie of one of the `sessions`."""

    token: str | None = None
    hosts: Hosts = field(default_factory=Hosts)
    sessions: Sessions | None = None


class Auth:
    """Middleware. Without a token a browser may change nothing from another site's page; with a session neither."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self.app, self._doors = app, doors
        self._token = None if doors.token is None else doors.token.encode()
        self._login = None if doors.token is None or doors.sessions is None else Login(doors.token, doors.sessions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan" or (refusal := await self._refusal(scope, receive)) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4401})
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        """What to answer instead of what was asked for."""
        headers, path = Headers(scope=scope), scope.get("path", "")
        if not self._doors.hosts.takes(host := headers.get("host")):
            detail = f"this server is not called {host}"
            return Problem(421, detail, "use the address that it listens on, or add the name to its setting `hosts`").response()
        foreign = (origin := headers.get("origin")) is not None and origin.partition("://")[2] != host and scope.get("method") not in _SAFE
        door = scope["type"] == "http" and path in {LOGIN, LOGOUT}
        if self._token is None:
            if door:
                return RedirectResponse(HOME, 303)
            return _FOREIGN.response() if foreign else None
        if self._bearer(headers):
            return None
        if door and self._login is not None:
            return _FOREIGN.response() if foreign else await self._login.answer(Request(scope, receive))
        unknown: Response | None = None
        try:
            if await self._logged_in(headers):
                return _FOREIGN.response() if foreign else None
        except Retryable as error:
            unknown = Problem(503, str(error), "try again in a moment", headers={"Retry-After": "2"}).response()
        if path in OPEN:
            scope[_STRANGER] = True
            return None
        if unknown is not None:
            return unknown
        if self._login is not None and scope.get("method") == HTTPMethod.GET and _page(path, headers):
            return to_login(scope["raw_path"].decode("latin-1"), scope.get("query_string", b"").decode("latin-1"))
        return _UNAUTHORIZED.response()

    def _bearer(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._token is not None and scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode("latin-1"), self._token)

    async def _logged_in(self, headers: Headers) -> bool:
        cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name(headers.get("host")))
        return bool(cookie) and self._doors.sessions is not None and await asyncio.to_thread(self._doors.sessions.holds, cookie or "")


def stranger(scope: Mapping[str, object]) -> bool:
    """Whether a request came in without the token: then it is told nothing about how things stand."""
    return bool(scope.get(_STRANGER))


def _page(path: str, headers: Headers) -> bool:
    """Whether a browser asks for a page, and not a page for its numbers."""
    return (path == "/" or path.startswith("/ui")) and "text/html" in headers.get("accept", "")
