"""Problem documents (RFC 9457) for all errors, with what to do in `remedy`."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from core.error import ConfigError, Fatal, Forbidden, Missing, Retryable
from watchkeeper.api.ports import Overloaded

_LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

_REMEDIES = {
    404: "see /v1/openapi.json for what there is",
    405: "use one of the methods in the Allow header",
    500: "this is a defect; the server's log says more",
}


class Problem(Exception):
    """A request that is answered with an error. `more` are members of the document beside the standard ones."""

    def __init__(
        self, status: int, detail: str, remedy: str, *, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.remedy = remedy
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self) -> bytes:
        """The document."""
        document = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail}
        whole = {**document, "remedy": self.remedy, **self.more}
        try:
            return msgspec.json.encode(whole)
        except UnicodeEncodeError:  # a lone surrogate, which UTF-8 cannot encode, is shown as \ud800
            return msgspec.json.encode(_writable(whole))

    def response(self) -> Response:
        """The document as an answer."""
        return Response(self.body(), self.status, self.headers, MEDIA_TYPE)


def _writable(value: Any) -> Any:
    """A value whose texts UTF-8 can encode."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_writable(key): _writable(part) for key, part in value.items()}
    return [_writable(part) for part in value] if isinstance(value, list | tuple) else value


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Answer every error of `app`, and every request under /v1 that matches no route of `routers`, with a problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ConfigError, _refused)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(Missing, _missing)
    app.add_exception_handler(Retryable, _later)
    app.add_exception_handler(Fatal, _stuck)
    app.add_exception_handler(Exception, _defect)

    async def unknown(request: Request) -> Response:
        near = [route for router in routers for route in router.routes if route.matches(request.scope)[0] is Match.PARTIAL]
        if allowed := {method for route in near if isinstance(route, Route) for method in route.methods or ()}:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
        raise HTTPException(404)

    # A route of its own, because the pages answer every path without a route.
    for path in ("/v1", "/v1/{path:path}"):
        app.add_api_route(path, unknown, methods=METHODS, include_in_schema=False)


def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  # how Starlette types handlers
    return error.response()


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    what = f"{request.method} {request.url.path}"
    detail = {404: f"there is nothing at {what}", 405: f"{what} is not possible"}.get(error.status_code, str(error.detail))
    return Problem(error.status_code, detail, _REMEDIES.get(error.status_code, "see /v1/openapi.json"), headers=error.headers).response()


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = "; ".join(f"{'.'.join(map(str, fault['loc'][1:]))}: {fault['msg']}" for fault in error.errors())
    return Problem(400, faults, "see /v1/openapi.json for the parameters").response()


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConfigError)  # noqa: S101
    return Problem(400 if request.method == "GET" else 422, error.message, error.remedy or "correct it and send it again").response()


def _forbidden(_: Request, error: Exception) -> Response:
    assert isinstance(error, Forbidden)  # noqa: S101
    return Problem(403, str(error), error.remedy).response()


def _missing(_: Request, error: Exception) -> Response:
    assert isinstance(error, Missing)  # noqa: S101
    return Problem(404, str(error), error.remedy).response()


def _later(_: Request, error: Exception) -> Response:
    assert isinstance(error, Retryable)  # noqa: S101
    headers = {"Retry-After": str(max(1, math.ceil(error.after)))}
    return Problem(
        429 if isinstance(error, Overloaded) else 503, str(error), "send the same again after Retry-After seconds", headers=headers
    ).response()


def _stuck(_: Request, error: Exception) -> Response:
    """The problem for a store that refuses us: its message goes to the log, not into the answer."""
    _LOG.error("%s", error)
    remedy = "ask the operator to run `watchkeeper doctor` and to read the server's log; then send the same again"
    return Problem(
        503, "the server cannot use one of its stores until a person has looked at it", remedy, headers={"Retry-After": "60"}
    ).response()


def _defect(_: Request, error: Exception) -> Response:
    return Problem(500, f"the server failed: {type(error).__name__}", _REMEDIES[500]).response()
