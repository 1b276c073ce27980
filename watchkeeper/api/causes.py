"""GET /v1/cause and GET /v1/episodes/{id}/cause: what a measure's change comes from."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.cause import CauseQuery
from detectors.catalogue import MEASURES
from watchkeeper.api import answer, query
from watchkeeper.api.models import missing
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

PARAMETERS = ("model", "measure", "from", "to", "baseline", "segment", "column", "version")
_REQUIRED = 4  # of these, the first ones


def router(services: Services) -> APIRouter:
    """The routes; they come before that of one episode."""
    routes = APIRouter(tags=["causes"])
    described = [query.parameter(name) for name in PARAMETERS]
    for one in described[:_REQUIRED]:
        one["required"] = True

    @routes.get("/v1/cause", openapi_extra={"parameters": described}, summary="What a measure's change in a window comes from")
    def cause(request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        model, measure = given.get("model") or "", given.get("measure") or ""
        if services.contract(model) is None:
            raise missing(model)
        if measure not in MEASURES:
            raise Problem(400, f"there is no measure {measure[:60]!r}", "GET /v1/measures lists them")
        start, end = query.time(given, "from"), query.time(given, "to")
        if start is None or end is None:
            raise Problem(400, "`from` and `to` are not both there", "give both ends of the window")
        asked = CauseQuery(
            model=model,
            measure=measure,
            start=start,
            end=end,
            baseline=_baseline(given.get("baseline") or None),
            segment=given.get("segment") or "all",
            column=given.get("column") or "",
            version=given.get("version") or None,
        )
        return answer.json(services.cause(asked).document())

    @routes.get(
        "/v1/episodes/{name}/cause", openapi_extra={"parameters": [query.parameter("segment")]}, summary="What an episode comes from"
    )
    def of_episode(name: str, request: Request) -> Response:
        found = services.cause_of(name, query.only(request, "segment").get("segment") or None)
        if found is None:
            raise Problem(404, f"there is no episode {name[:100]!r}", "GET /v1/episodes lists them")
        return answer.json(found.document())

    return routes


def _baseline(text: str | None) -> Any:
    """A baseline as it is written in monitors: a word, or an object as JSON; `previous` is the window before. Raises Problem."""
    if text is None or not text.startswith("{"):
        return {"previous": 1} if text == "previous" else text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Problem(400, f"`baseline`: {error}", 'write a baseline as in a monitor: reference, or {"prior": "7d"}') from None
