"""GET /v1/policies; DELETE one."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from alerts.policy.document import written
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.change.delete import DeletePolicy
from watchkeeper.command import role


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/policies", summary="The policy that says what is told of episodes; an empty list without one")
    def policies(request: Request) -> Response:
        query.only(request, "limit", "cursor")
        found = services.policy()
        return answer.page([] if found is None else [written(found)])

    @routes.delete("/v1/policies/{name:path}", summary="Delete the policy", dependencies=[needs(role("delete policy"))])
    def delete(name: str, request: Request) -> Response:
        query.only(request)
        return answer.json(services.do(principal_of(request), "delete policy", DeletePolicy(name=name)))

    return routes
