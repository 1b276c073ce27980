"""GET /v1/ranking: the readings of one window of a monitor, ranked by evidence."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from core import moment
from core.reading import Query
from watchkeeper.api import answer, query, readings
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

PARAMETERS = ("model", "monitor", "window", "segment", "procedure", "limit")
PROCEDURES = ("benjamini-hochberg", "benjamini-yekutieli")
_RUN = 200_000  # readings of one window


def router(services: Services) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["readings"])
    described = [query.parameter(name) for name in PARAMETERS]
    for one in described[:2]:
        one["required"] = True
    described[PARAMETERS.index("procedure")]["schema"] |= {"enum": list(PROCEDURES), "default": PROCEDURES[0]}

    @routes.get(
        "/v1/ranking", openapi_extra={"parameters": described}, summary="The readings of one window of a monitor, ranked by q-value"
    )
    def ranking(request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        limit, start = query.count(given, "limit", 100, readings.MOST), query.time(given, "window")
        procedure = query.choice(given, "procedure", PROCEDURES) or PROCEDURES[0]
        monitor, retired = services.monitor(given.get("model") or "", given.get("monitor") or "") or (None, None)
        if monitor is None or retired is not None:
            raise Problem(404, "`model` and `monitor` name no monitor", "GET /v1/monitors lists them")
        start = services.newest_window(monitor) if start is None else start
        asked = Query(model=monitor.model, monitor=monitor.name, start=start or 0, end=(start or 0) + 1, limit=_RUN)
        table = services.ranking(asked, dependent=procedure == PROCEDURES[1])
        run: dict[str, Any] = {
            "window_start": None if start is None else moment.text(start),
            "procedure": procedure,
            "tests": len(table) - table["q"].null_count,
        }
        if segment := given.get("segment"):
            table = table.filter([readings.within(name, segment) for name in table["segment"].to_pylist()])
        rows = table.slice(0, limit)
        items = [item | {"q": q} for item, q in zip(readings.items(rows), rows["q"].to_pylist(), strict=True)]
        return answer.json(run | {"items": items, "next": None})

    return routes
