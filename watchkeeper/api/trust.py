"""GET /v1/models/{model}/trust: whether a model's predictions may be trusted now, by version and segment."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core import moment
from core.trust import Trust
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
        return answer.json({"items": [_item(one) for one in wanted], "next": None})

    return routes


def _item(one: Trust) -> dict[str, Any]:
    """A state in JSON, times as text."""
    reasons = [msgspec.to_builtins(reason) | {"window_start": moment.text(reason.window_start)} for reason in one.reasons]
    return {**msgspec.to_builtins(one), "since": None if one.since is None else moment.text(one.since), "reasons": reasons}
