"""POST and GET /v1/models/{model}/rebuild."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core import moment
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.models import missing
from watchkeeper.api.ports import Services
from watchkeeper.change.rebuild import RebuildRequest
from watchkeeper.command import role

_PATH = "/v1/models/{model:path}/rebuild"


def router(services: Services) -> APIRouter:
    """The routes; they come before that of one model, whose name may hold slashes."""
    routes = APIRouter(tags=["models"])

    @routes.get(_PATH, summary="How far the last rebuild of a model's panes is")
    def rebuilding(model: str, request: Request) -> Response:
        query.only(request)
        if services.contract(model) is None:
            raise missing(model)
        return answer.json(_row({"model": model, **msgspec.to_builtins(services.rebuilding(model))}))

    @routes.post(_PATH, summary="Make a model's panes again from raw events", dependencies=[needs(role("rebuild"))])
    async def rebuild(model: str, request: Request) -> Response:
        query.only(request)
        return answer.json(_row(await asyncio.to_thread(services.do, principal_of(request), "rebuild", RebuildRequest(model=model))))

    return routes


def _row(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**found, "at": None if found["at"] is None else moment.text(found["at"])}
