"""GET /v1/events: raw events with their labels, as pages or as a file, and one of them."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter, Request, Response

from core.event_query import EventQuery, Label, Order
from watchkeeper.api import answer, query
from watchkeeper.api.exports import stream
from watchkeeper.api.models import missing
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem
from watchkeeper.export_file import FILES, Format

PARAMETERS = ("model", "from", "to", "segment", "column", "bin", "version", "role", "label", "order", "as_of", "limit", "cursor", "format")
LABELS: tuple[Label, ...] = get_args(Label)
ORDERS: tuple[Order, ...] = get_args(Order)
FORMATS = ("json", *FILES)
_MOST = 10_000  # of a page
_MOST_OF_FILE = 999_999_999


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["events"])
    described = [query.parameter(name) for name in PARAMETERS]
    described[0]["required"] = True
    described[PARAMETERS.index("label")]["schema"] |= {"enum": list(LABELS)}
    described[PARAMETERS.index("format")]["schema"] |= {"enum": list(FORMATS), "default": FORMATS[0]}
    described[PARAMETERS.index("order")]["schema"] |= {"enum": list(ORDERS), "default": ORDERS[0]}

    @routes.get("/v1/events", openapi_extra={"parameters": described}, summary="Events with their labels")
    def events(request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        wanted = query.choice(given, "format", FORMATS)
        for kind in FILES:
            if kind == wanted:
                return _file(services, given, kind)
        found, after = services.events(parse(services, given))
        return answer.page(found, after)

    @routes.get("/v1/events/{model}/{prediction_id:path}", summary="One event, with all labels that came for it")
    def event(model: str, prediction_id: str, request: Request) -> Response:
        query.only(request)
        known = [pair for pair in query.pairs(request, "/v1/events/") if services.contract(pair[0]) is not None]
        if not known:
            raise missing(model)
        found = next((one for pair in known if (one := services.event(*pair)) is not None), None)
        if found is None:
            raise Problem(
                404,
                f"there is no event {prediction_id[:80]!r} of {model[:80]!r}",
                "GET /v1/events lists events; an event is there seconds after it was sent",
            )
        return answer.json(found)

    return routes


def _file(services: Services, given: dict[str, str], kind: Format) -> Response:
    """All events that are asked for, or `limit`, as a file."""
    if given.pop("cursor", ""):
        raise Problem(400, "a file has no pages", "leave `cursor` out; `limit` says how many events the file has at most")
    limit = given.pop("limit", "")
    most = query.count({"limit": limit}, "limit", 1, _MOST_OF_FILE) if limit else None
    return stream(services, parse(services, given), most, kind, beside=True)


def parse(services: Services, given: dict[str, str]) -> EventQuery:
    """The query of a request's parameters. Raises Problem, and ConfigError for a column or bin that is not there."""
    model, column, name = given.get("model") or "", given.get("column") or None, given.get("bin") or None
    if services.contract(model) is None:
        raise missing(model)
    if (column is None) != (name is None):
        raise Problem(400, "`column` and `bin` go together", "give both, or neither; bin=null asks for missing values")
    return EventQuery(
        model=model,
        start=query.time(given, "from"),
        end=query.time(given, "to"),
        segment=given.get("segment") or "all",
        column=column,
        values=None if column is None or name is None else services.values(model, column, name),
        version=given.get("version") or None,
        role=given.get("role") or None,
        label=query.choice(given, "label", LABELS),
        order=query.choice(given, "order", ORDERS) or "newest",
        as_of=query.time(given, "as_of"),
        limit=query.count(given, "limit", 100, _MOST),
        after=given.get("cursor") or None,
    )
