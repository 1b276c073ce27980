"""GET /v1/models/{model}/trust: whether a model's predictions may be trusted now, by version and segment."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from watchkeeper.api import answer, query
from watchkeeper.api.models import missing
from watchkeeper.api.ports import Services

PARAMETERS = ("segment", "version")


def router(services: Services) -> APIRouter:
    """The route. It comes before the others of a model, whose name may hold slashes."""
    routes = APIRouter(tags=["models"])
    described = [query.parameter(name) for name in PARAMETERS]

    @routes.get(
        "/v1/models/{model:path}/trust", openapi_extra={"parameters": described}, summary="Whether a model's predictions may be trusted now"
    )
    def states(model: str, request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        if services.contract(model) is None:
            raise missing(model)
        wanted = [one for one in services.trust(model) if all(getattr(one, name) == value for name, value in given.items() if value)]
        return answer.json({"items": [one.document() for one in wanted], "next": None})

    return routes
