"""GET /v1/episodes and one episode."""

from __future__ import annotations

from typing import Literal, cast

from fastapi import APIRouter, Request, Response

from watchkeeper.api import answer, query
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

MOST = 1_000  # episodes on a page
PARAMETERS = ("state", "model", "monitor", "limit", "cursor")


def router(services: Services, address: str) -> APIRouter:
    """The routes; `address` is that of the pages."""
    routes = APIRouter(tags=["episodes"])
    parameters = [query.parameter(name) for name in PARAMETERS]

    @routes.get("/v1/episodes", openapi_extra={"parameters": parameters}, summary="Episodes, the last fired first")
    def episodes(request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        state = cast("Literal['open', 'closed'] | None", query.choice(given, "state", ("open", "closed")))
        limit = query.count(given, "limit", 100, MOST)
        model, monitor, cursor = (given.get(name) or None for name in ("model", "monitor", "cursor"))
        found, after = services.episodes(state, model, limit, cursor, monitor=monitor)
        return answer.page([episode.document(address) for episode in found], after)

    @routes.get("/v1/episodes/{name}", summary="One episode")
    def one(name: str, request: Request) -> Response:
        query.only(request)
        episode = services.episode(name)
        if episode is None:
            raise Problem(404, f"there is no episode {name[:100]!r}", "GET /v1/episodes lists them")
        return answer.json(episode.document(address))

    return routes
