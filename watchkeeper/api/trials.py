"""POST /v1/evaluate and POST /v1/monitors/backtest: monitors are tried, and nothing is written."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.trial import Trial
from watchkeeper.api import answer, body, query, readings
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

LARGEST = 1 << 20  # bytes
JSON = ("application/json",)


class TrialRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A monitor, with the fields of the grammar, and the windows to try it over; `segment`: only this one."""

    monitor: dict[str, Any]
    start: str | int | None = msgspec.field(name="from", default=None)
    end: str | int | None = msgspec.field(name="to", default=None)
    segment: str | None = None


def router(services: Services) -> APIRouter:
    """The routes; they come before those of one monitor, whose model and name may hold slashes."""
    routes = APIRouter(tags=["readings"])

    @routes.post("/v1/evaluate", openapi_extra=_BODY, summary="The readings of a monitor, computed now and not stored")
    async def evaluate(request: Request) -> Response:
        table = await asyncio.to_thread(services.evaluate, await _trial(request))
        return answer.page(readings.items(table) if table.num_rows else [], None)

    @routes.post("/v1/monitors/backtest", openapi_extra=_BODY, summary="What a monitor would have raised over the events that are there")
    async def backtest(request: Request) -> Response:
        return answer.json(await asyncio.to_thread(services.backtest, await _trial(request)))

    return routes


async def _trial(request: Request) -> Trial:
    """What a request asks for. Raises Problem."""
    query.only(request)
    body.media_type(request, JSON)
    try:
        found = msgspec.json.decode(await body.read(request, LARGEST), type=TrialRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(
            400, f"the body is no trial: {error}", 'send {"monitor": {"model": ..., "measure": ...}, "from": ..., "to": ...}'
        ) from None
    return Trial(found.monitor, _time("from", found.start), _time("to", found.end), found.segment)


def _time(name: str, value: str | int | None) -> int | None:
    return None if value is None else query.time({name: str(value)}, name)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["monitor"],
                    "additionalProperties": False,
                    "properties": {
                        "monitor": {"type": "object"},
                        "from": {"type": ["string", "integer", "null"]},
                        "to": {"type": ["string", "integer", "null"]},
                        "segment": {"type": ["string", "null"]},
                    },
                }
            }
        },
    }
}
