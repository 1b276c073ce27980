"""GET /v1/readings."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
from fastapi import APIRouter, Request, Response

from core import moment
from core.baseline import kind as baselines
from core.reading import DOCUMENTS, SHOWN, TIMES, Query
from core.segment import grouping_of
from watchkeeper.api import answer, query
from watchkeeper.api.ports import Services

MOST = 10_000  # readings on a page

PARAMETERS = ("model", "monitor", "measure", "column", "segment", "from", "to", "revisions", "as_of", "limit", "cursor")


def items(table: pa.Table) -> list[dict[str, Any]]:
    """Readings in the form of the API."""
    columns = [_values(name, table[name].to_pylist()) for name in SHOWN]
    return [dict(zip(SHOWN, row, strict=True)) for row in zip(*columns, strict=True)]


def parse(given: dict[str, str]) -> Query:
    """The query of a request's parameters. An empty `column` means the whole model; other empty parameters count as missing."""
    newest = query.choice(given, "revisions", ("all", "newest")) != "all"
    names: dict[str, Any] = {name: given.get(name) or None for name in ("model", "monitor", "measure", "segment")}
    return Query(
        **names,
        column=given.get("column"),
        start=query.time(given, "from"),
        end=query.time(given, "to"),
        newest=newest,
        as_of=query.time(given, "as_of"),
        limit=query.count(given, "limit", 1_000, MOST),
        after=given.get("cursor") or None,
    )


def within(segment: str, asked: str) -> bool:
    """Whether a segment is meant by the query's text: that segment (`carrier=UA`), or every value of a grouping (`carrier`)."""
    return asked in (segment, "*".join(grouping_of(segment)))


def router(services: Services) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["readings"])
    parameters = [query.parameter(name) for name in PARAMETERS]

    @routes.get("/v1/readings", openapi_extra={"parameters": parameters}, summary="Readings, by window")
    def readings(request: Request) -> Response:
        table, after = services.readings(parse(query.only(request, *PARAMETERS)))
        return answer.page(items(table), after)

    return routes


def _values(name: str, values: list[Any]) -> list[Any]:
    if name in TIMES:
        return [moment.text(value) for value in values]
    if name in DOCUMENTS:
        return [msgspec.Raw((value or "{}").encode()) for value in values]
    if name == "baseline":
        return [None if value is None else baselines.written(value) for value in values]
    return values
