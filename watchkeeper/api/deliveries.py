"""GET /v1/deliveries, and one; POST to send again; POST to test a destination."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from core import moment
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState
from core.error import Missing
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.change.delivery import CheckDestination, ReplayDead, ReplayDelivery
from watchkeeper.command import role

_MOST = 1_000  # on a page
_FILTERS = ("state", "destination", "limit", "cursor")


def router(services: Services) -> APIRouter:  # long: a function for each route
    """The routes."""
    routes = APIRouter(tags=["deliveries"])
    extra = {"parameters": [query.parameter(name) for name in _FILTERS]}

    @routes.get("/v1/deliveries", openapi_extra=extra, summary="Notifications and what became of them, the newest first")
    def deliveries(request: Request) -> Response:
        given = query.only(request, *_FILTERS)
        state = query.choice(given, "state", list(DeliveryState))
        found, after = services.deliveries(
            None if state is None else DeliveryState(state),
            given.get("destination") or None,
            query.count(given, "limit", 100, _MOST),
            given.get("cursor") or None,
        )
        return answer.page([item(one) for one in found], after)

    @routes.get("/v1/deliveries/{id}", summary="A notification with its body and its last attempts")
    def delivery(id: str, request: Request) -> Response:  # noqa: A002 - the name in the path
        query.only(request)
        if (found := services.delivery(id)) is None:
            raise Missing(f"there is no delivery {id[:100]!r}", remedy="GET /v1/deliveries lists them")
        one, tried = found
        return answer.json({**item(one), "body": one.body, "tried": [_attempt(attempt) for attempt in tried]})

    extra = {"parameters": [query.parameter("destination"), query.parameter("dry_run")]}

    @routes.post(
        "/v1/deliveries/replay", openapi_extra=extra, summary="Send again what was given up", dependencies=[needs(role("replay dead"))]
    )
    def replay_dead(request: Request) -> Response:
        given = query.only(request, "destination", "dry_run")
        wanted = ReplayDead(destination=given.get("destination") or None, dry_run=query.flag(given, "dry_run"))
        return answer.json(services.do(principal_of(request), "replay dead", wanted))

    @routes.post("/v1/deliveries/{id}/replay", summary="Send a notification again", dependencies=[needs(role("replay delivery"))])
    def replay(id: str, request: Request) -> Response:  # noqa: A002 - the name in the path
        query.only(request)
        return answer.json(item(services.do(principal_of(request), "replay delivery", ReplayDelivery(id=id))))

    @routes.post(
        "/v1/destinations/{name:path}/test", summary="Send a test to a destination", dependencies=[needs(role("test destination"))]
    )
    def test(name: str, request: Request) -> Response:
        query.only(request)
        return answer.json(item(services.do(principal_of(request), "test destination", CheckDestination(name=name))))

    return routes


def item(one: Delivery) -> dict[str, Any]:
    """A delivery as the API gives it."""
    names = ("id", "destination", "episode", "type", "state", "attempts", "last_status", "reason")
    waits = one.state is DeliveryState.PENDING
    return {
        **{name: getattr(one, name) for name in names},
        "created": moment.text(one.created),
        "next_attempt": moment.text(one.due) if waits else None,
        "last_attempt": None if one.begun is None else moment.text(one.begun),
    }


def _attempt(tried: Tried) -> dict[str, Any]:
    return {"began": moment.text(tried.began), "ended": moment.text(tried.ended), "status": tried.status, "reason": tried.reason}
