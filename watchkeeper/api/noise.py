"""GET /v1/noise: what the episodes of each monitor were worth."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from watchkeeper.api import answer, query
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

PARAMETERS = ("model", "monitor", "from", "to", "suggest")


def router(services: Services) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["episodes"])
    described = [query.parameter(name) for name in PARAMETERS]

    @routes.get("/v1/noise", openapi_extra={"parameters": described}, summary="What became of the episodes of each monitor")
    def noise(request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        model, monitor = given.get("model") or None, given.get("monitor") or None
        start, end = query.time(given, "from"), query.time(given, "to")
        suggests = query.choice(given, "suggest", ("true", "false")) == "true"
        if suggests and (model is None or monitor is None):
            raise Problem(400, "a suggestion is for one monitor", "give `model` and `monitor`, too")
        items: list[dict[str, Any]] = [msgspec.to_builtins(row) for row in services.noise(model, monitor, start, end)]
        if suggests and items:
            found, retired = services.monitor(model or "", monitor or "") or (None, None)
            items[0]["suggestion"] = services.suggestion(found, start, end) if found is not None and retired is None else None
        return answer.page(items)

    return routes
