"""GET /v1/hooks; DELETE one."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from alerts.retrain.document import written
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.change.delete import DeleteHook
from watchkeeper.command import role


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/hooks", summary="The hooks that ask for retraining, without their secrets")
    def hooks(request: Request, model: str | None = None) -> Response:
        query.only(request, "model", "limit", "cursor")
        return answer.page([written(one) for one in services.hooks(model or None)])

    @routes.delete(
        "/v1/hooks/{name:path}", summary="Delete a hook, and cancel what it has asked for", dependencies=[needs(role("delete hook"))]
    )
    def delete(name: str, request: Request) -> Response:
        query.only(request)
        return answer.json(services.do(principal_of(request), "delete hook", DeleteHook(name=name)))

    return routes
