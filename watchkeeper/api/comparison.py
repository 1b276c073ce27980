"""GET /v1/models/{model}/compare: what comparisons of a model's versions, roles and arms tell."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from core.comparison import ComparisonQuery, Side, side
from core.error import ConfigError
from core.segment import ALL
from watchkeeper.api import answer, query
from watchkeeper.api.models import missing
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

PARAMETERS = ("a", "b", "of", "margin", "segment", "window", "from", "to", "monitor")
_ASKED = ("of", "margin", "window", "from", "to")


def router(services: Services) -> APIRouter:
    """The route. It comes before the others of a model, whose name may hold slashes."""
    routes = APIRouter(tags=["models"])
    described = [query.parameter(name) for name in PARAMETERS]

    @routes.get(
        "/v1/models/{model:path}/compare",
        openapi_extra={"parameters": described},
        summary="How versions, roles and arms of a model compare",
    )
    def compare(model: str, request: Request) -> Response:
        given = {name: value for name, value in query.only(request, *PARAMETERS).items() if value}
        if services.contract(model) is None:
            raise missing(model)
        if "a" in given or "b" in given:
            return answer.json({"items": [one.document() for one in services.compared(_asked(model, given))], "next": None})
        if alone := next((name for name in _ASKED if name in given), None):
            raise Problem(400, f"`{alone}` is of a comparison that is computed now", "name its sides, too: a=version:1&b=version:2")
        wanted = {name: given[name] for name in ("segment", "monitor") if name in given}
        found = [one for one in services.comparisons(model) if all(getattr(one, name) == value for name, value in wanted.items())]
        return answer.json({"items": [one.document() for one in found], "next": None})

    return routes


def _asked(model: str, given: dict[str, str]) -> ComparisonQuery:
    """The comparison that a request asks for."""
    if "of" not in given:
        raise Problem(400, "`of` is missing", "name the measure that is compared, such as of=performance.accuracy")
    try:
        margin = float(given.get("margin", "0"))
    except ValueError:
        raise Problem(400, f"`margin` is {given['margin'][:60]!r}", "use a number from 0 on, in the measure's unit") from None
    return ComparisonQuery(
        model=model,
        a=_side(given, "a"),
        b=_side(given, "b"),
        of=given["of"],
        margin=margin,
        segment=given.get("segment", ALL),
        window=given.get("window", "1d"),
        start=query.time(given, "from"),
        end=query.time(given, "to"),
    )


def _side(given: dict[str, str], name: str) -> Side:
    try:
        found = side(given.get(name, ""))
    except ConfigError:
        found = None
    if found is None:
        raise Problem(400, f"`{name}` is {given.get(name, '')[:60]!r}", "write version:2, or role:champion")
    return found
