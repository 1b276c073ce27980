"""GET /v1/monitors and one monitor; DELETE it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from core import moment
from core.error import Retryable
from core.monitor import Monitor
from core.monitor_document import document
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem
from watchkeeper.change.delete import DeleteMonitor
from watchkeeper.command import role


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/monitors", openapi_extra={"parameters": [query.parameter("model")]}, summary="Monitors, all or of a model")
    def monitors(request: Request) -> Response:
        given = query.only(request, "model", "limit", "cursor")
        return answer.page([document(monitor) for monitor in services.monitors(given.get("model") or None)])

    @routes.get("/v1/monitors/{model}/{name:path}", summary="One monitor; of one that was deleted the last definition, and when that was")
    def one(model: str, name: str, request: Request) -> Response:
        query.only(request)
        for place in query.pairs(request, "/v1/monitors/"):
            if (found := services.monitor(*place)) is not None:
                retired = {"retired_at": None if found[1] is None else moment.text(found[1])}
                return answer.json(document(found[0]) | retired | {"calibration": None if found[1] else _calibration(services, found[0])})
        raise _missing(model, name)

    @routes.delete("/v1/monitors/{model}/{name:path}", summary="Delete a monitor", dependencies=[needs(role("delete monitor"))])
    def delete(model: str, name: str, request: Request) -> Response:
        query.only(request)
        there = [
            place for place in query.pairs(request, "/v1/monitors/") if (found := services.monitor(*place)) is not None and found[1] is None
        ]
        if not there:
            raise _missing(model, name)
        if len(there) > 1:
            raise Problem(400, f"that may be any of {len(there)} monitors", "write %2F for each slash within a name")
        wanted = DeleteMonitor(model=there[0][0], name=there[0][1])
        return answer.json(services.do(principal_of(request), "delete monitor", wanted))

    return routes


def _calibration(services: Services, monitor: Monitor) -> Mapping[str, Any] | None:
    """The calibration of a monitor; None if it has none, or none yet."""
    try:
        return services.calibration(monitor)
    except Retryable:
        return None


def _missing(model: str, name: str) -> Problem:
    return Problem(404, f"there is no monitor {name[:100]!r} of {model[:100]!r}", "GET /v1/monitors lists them")
