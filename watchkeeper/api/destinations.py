"""GET /v1/destinations; DELETE one."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from core.destination import Destination
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.change.delete import DeleteDestination
from watchkeeper.command import role


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["definitions"])

    @routes.get("/v1/destinations", summary="Destinations, without their secrets")
    def destinations(request: Request) -> Response:
        query.only(request, "limit", "cursor")
        return answer.page([_document(destination) for destination in services.destinations()])

    @routes.delete("/v1/destinations/{name:path}", summary="Delete a destination", dependencies=[needs(role("delete destination"))])
    def delete(name: str, request: Request) -> Response:
        query.only(request)
        return answer.json(services.do(principal_of(request), "delete destination", DeleteDestination(name=name)))

    return routes


def _document(destination: Destination) -> dict[str, Any]:
    shown = destination.shown()
    return {"destination": shown.pop("name"), **shown}
