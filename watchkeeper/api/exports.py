"""Events as files: the export of a list of events, and GET /v1/exports/training for whoever has a signed address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from threading import BoundedSemaphore

import pyarrow as pa
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from core.clock import Clock
from core.event_query import EventQuery
from core.signed_address import Refused
from watchkeeper.api import query
from watchkeeper.api.ports import Overloaded, Services
from watchkeeper.api.problem import Problem
from watchkeeper.export_file import FILES, Format
from watchkeeper.training_address import PARAMETERS, PATH, window_of

_AT_ONCE = BoundedSemaphore(4)  # exports under way in this process; each holds about a hundred thousand events
_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def router(services: Services, clock: Clock) -> APIRouter:
    """The route of training windows."""
    routes = APIRouter(tags=["events"])
    described = [{**query.parameter(name), "required": True} for name in PARAMETERS]

    @routes.get(PATH, openapi_extra={"parameters": described}, summary="A training window as Parquet, by an address that a manifest gave")
    def training(request: Request) -> Response:
        given = query.only(request, *PARAMETERS)
        try:
            window = window_of(given, services.signing_key(), clock.now())
        except Refused as error:
            raise Problem(403, str(error), "take `export_url` from a newer manifest, and use it as it is") from None
        asked = EventQuery(model=window.model, start=window.start, end=window.end, as_of=window.as_of, order="oldest")
        return stream(services, asked, None, "parquet", beside=False)

    return routes


def stream(services: Services, asked: EventQuery, most: int | None, format_: Format, *, beside: bool) -> Response:
    """The events as a file in parts. The first portion is read before the answer begins, so that errors have a status; a later one breaks the connection off.

    Raises Overloaded if other exports are under way.
    """
    if not _AT_ONCE.acquire(blocking=False):
        raise Overloaded("several exports are under way", after=10)
    tables = _released(services.export(asked, most, beside=beside))
    first = next(tables)
    file = FILES[format_]
    name = _NAME.sub("-", asked.model)[:80] or "events"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format_}"', "Cache-Control": "no-store"}
    return StreamingResponse(file.write(chain([first], tables)), media_type=file.media_type, headers=headers)


def _released(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables; another export may begin after the last one, or when the caller goes."""
    try:
        yield from tables
    finally:
        _AT_ONCE.release()
