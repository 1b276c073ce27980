"""Authentication, around the whole application with its pages: a request needs a token or a session, unless the settings have no token.

Each request that is allowed has a principal. Every principal may read; a route that needs a higher role says so by `needs`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPMethod
from typing import Any

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from alerts.action_link import PATH as LINK
from core.error import Retryable
from core.principal import LOCAL, Principal, Role
from watchkeeper.api.host import Hosts
from watchkeeper.api.key import Keys
from watchkeeper.api.login import HOME, LOGIN, LOGOUT, Login, to_login
from watchkeeper.api.problem import Problem
from watchkeeper.api.session import Sessions, cookie_name
from watchkeeper.training_address import PATH as TRAINING

_UNAUTHORIZED = Problem(
    401,
    "the token is missing or wrong",
    f"send `Authorization: Bearer <token>`; with a browser log in at {LOGIN}",
    headers={"WWW-Authenticate": 'Bearer realm="watchkeeper"'},
)
_FOREIGN = Problem(403, "the request comes from a page of another site", "call the API from a program, or from Watchkeeper's own pages")
_SAFE = {HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS}
# These paths need no token: those for probes, whose answer is then yes or no only, and those whose addresses are signed: training windows, and the links of notices.
OPEN = {"/v1/health/live", "/v1/health/ready", TRAINING, LINK}
CALLBACK = "/v1/retrains/{name}/callback"
"""The path at which a run reports: the token in its address is that of the run."""
REGISTRY = "/v1/registry/{name:path}"
"""The path at which a model registry tells of versions, for a hook: it signs what it sends."""
_SIGNED = (re.compile(r"/v1/retrains/[^/]+/callback"), re.compile(r"/v1/registry/.+"))
_PRINCIPAL = "watchkeeper.principal"


@dataclass(frozen=True)
class AccessPolicy:
    """Which requests are allowed: `hosts` are the server's names. If there are `keys`, a request needs one of them, or the cookie of one of the `sessions`."""

    keys: Keys = field(default_factory=Keys)
    hosts: Hosts = field(default_factory=Hosts)
    sessions: Sessions | None = None


class Auth:
    """The middleware. Without tokens, and with a session, it refuses changes that a page of another site asks a browser for."""

    def __init__(self, app: ASGIApp, access: AccessPolicy) -> None:
        self.app, self._doors = app, access
        self._login = Login(access.keys, access.sessions) if access.keys and access.sessions is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on or refuse it."""
        if scope["type"] == "lifespan" or (refusal := await self._refusal(scope, receive)) is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4401})
        else:
            await refusal(scope, receive, send)

    async def _refusal(self, scope: Scope, receive: Receive) -> Response | None:
        """The answer to a request that is refused; None if it is allowed."""
        headers, path = Headers(scope=scope), scope.get("path", "")
        if not self._doors.hosts.takes(host := headers.get("host")):
            detail = f"this server is not called {host}"
            return Problem(421, detail, "use the address that it listens on, or add the name to its setting `hosts`").response()
        foreign = (origin := headers.get("origin")) is not None and origin.partition("://")[2] != host and scope.get("method") not in _SAFE
        door = scope["type"] == "http" and path in {LOGIN, LOGOUT}
        if not self._doors.keys:
            scope[_PRINCIPAL] = LOCAL
            if door:
                return RedirectResponse(HOME, 303)
            return _FOREIGN.response() if foreign else None
        if (principal := self._bearer(headers)) is not None:
            scope[_PRINCIPAL] = principal
            return None
        if door and self._login is not None:
            return _FOREIGN.response() if foreign else await self._login.answer(Request(scope, receive))
        unknown: Response | None = None
        try:
            if (principal := await self._logged_in(headers)) is not None:
                scope[_PRINCIPAL] = principal
                return _FOREIGN.response() if foreign else None
        except Retryable as error:
            unknown = Problem(503, str(error), "try again in a moment", headers={"Retry-After": "2"}).response()
        if path in OPEN or any(one.fullmatch(path) for one in _SIGNED):
            return None
        if unknown is not None:
            return unknown
        if self._login is not None and scope.get("method") == HTTPMethod.GET and _page(path, headers):
            return to_login(scope["raw_path"].decode("latin-1"), scope.get("query_string", b"").decode("latin-1"))
        return _UNAUTHORIZED.response()

    def _bearer(self, headers: Headers) -> Principal | None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        return self._doors.keys.whose(token.strip().encode("latin-1")) if scheme.lower() == "bearer" else None

    async def _logged_in(self, headers: Headers) -> Principal | None:
        cookie = cookie_parser(headers.get("cookie", "")).get(cookie_name(headers.get("host")))
        return await asyncio.to_thread(self._doors.sessions.whose, cookie) if cookie and self._doors.sessions is not None else None


def principal_of(request: Request) -> Principal:
    """The principal of a request. Every request that `Auth` allows has one, except requests without a token to open paths."""
    found: Principal = request.scope[_PRINCIPAL]
    return found


@dataclass(frozen=True)
class Needs:
    """A dependency of a route: the principal must have this role or a higher one, else the answer is 403, before the body is read."""

    role: Role

    def __call__(self, request: Request) -> None:
        """Raise Forbidden unless the principal has the role."""
        principal_of(request).require(self.role)


def needs(role: Role) -> Any:
    """Declares the role that a route needs; without it every principal may ask."""
    return Depends(Needs(role))


def known(scope: Mapping[str, object]) -> Principal | None:
    """The principal of a request; None without one."""
    found = scope.get(_PRINCIPAL)
    return found if isinstance(found, Principal) else None


def stranger(scope: Mapping[str, object]) -> bool:
    """Whether a request came without a token; then the answer must not hold details."""
    return _PRINCIPAL not in scope


def _page(path: str, headers: Headers) -> bool:
    """Whether a browser asks for a page, as opposed to a page that asks for its data."""
    return (path == "/" or path.startswith("/ui")) and "text/html" in headers.get("accept", "")
