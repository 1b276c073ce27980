"""POST /v1/episodes/{id}/{action} and /v1/groups/{id}/acknowledge; GET and POST /v1/silences; DELETE one."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core.clock import SystemClock
from watchkeeper.api import answer, body, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem
from watchkeeper.change.people import ACTIONS, ActRequest, DeleteSilence, GroupRequest, SilenceRequest, advised, document
from watchkeeper.command import role


class ActBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes with an act."""

    comment: str = ""
    to: str | None = None
    until: str | int | None = None
    useful: bool | None = None


class GroupBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes with the acknowledgement of a group."""

    comment: str = ""


class SilenceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A silence."""

    match: dict[str, Any]
    ends_at: str | int
    starts_at: str | int | None = None
    comment: str = ""


def router(services: Services, address: str) -> APIRouter:  # long: a function for each route
    """The routes; `address` is that of the pages."""
    routes = APIRouter(tags=["episodes"])

    @routes.post(
        "/v1/episodes/{name}/{action}", openapi_extra=_ACT, summary="Act on an episode", dependencies=[needs(role("act on episode"))]
    )
    async def act(name: str, action: str, request: Request) -> Response:
        query.only(request)
        if action not in ACTIONS:
            raise Problem(404, f"there is no action {action[:60]!r}", f"use one of {', '.join(ACTIONS)}")
        found = await body.decoded(request, ActBody, '{"comment": ..., "to": ..., "until": ..., "useful": ...}')
        until = _time("until", found.until)
        wanted = ActRequest(episode=name, action=action, comment=found.comment, to=found.to, until=until, useful=found.useful)
        episode = await asyncio.to_thread(services.do, principal_of(request), "act on episode", wanted)
        advice = {"advice": advised(action, await asyncio.to_thread(services.policy))} if action == "snooze" else {}
        return answer.json(episode.document(address) | advice)

    @routes.post(
        "/v1/groups/{name}/acknowledge",
        openapi_extra=_GROUP,
        summary="Acknowledge all of a group or digest",
        dependencies=[needs(role("acknowledge group"))],
    )
    async def acknowledge(name: str, request: Request) -> Response:
        dry = query.flag(query.only(request, "dry_run"), "dry_run")
        found = await body.decoded(request, GroupBody, '{"comment": ...}')
        wanted = GroupRequest(group=name, comment=found.comment, dry_run=dry)
        return answer.json(await asyncio.to_thread(services.do, principal_of(request), "acknowledge group", wanted))

    @routes.get("/v1/silences", openapi_extra={"parameters": [query.parameter("state")]}, summary="Silences, the last to end first")
    def silences(request: Request) -> Response:
        given = query.only(request, "state", "limit", "cursor")
        active = query.choice(given, "state", ("active", "all")) != "all"
        return answer.page([document(one) for one in services.silences(SystemClock().now() if active else None)])

    @routes.post("/v1/silences", openapi_extra=_SILENCE, summary="Silence what matches", dependencies=[needs(role("silence"))])
    async def silence(request: Request) -> Response:
        dry = query.flag(query.only(request, "dry_run"), "dry_run")
        found = await body.decoded(request, SilenceBody, '{"match": {...}, "starts_at": ..., "ends_at": ..., "comment": ...}')
        starts, ends = _time("starts_at", found.starts_at), _time("ends_at", found.ends_at)
        wanted = SilenceRequest(match=found.match, starts_at=starts, ends_at=ends or 0, comment=found.comment, dry_run=dry)
        return answer.json(await asyncio.to_thread(services.do, principal_of(request), "silence", wanted))

    @routes.delete("/v1/silences/{name}", summary="Delete a silence", dependencies=[needs(role("delete silence"))])
    def delete(name: str, request: Request) -> Response:
        query.only(request)
        return answer.json(services.do(principal_of(request), "delete silence", DeleteSilence(id=name)))

    return routes


def _time(name: str, value: str | int | None) -> int | None:
    return None if value is None else query.time({name: str(value)}, name)


_TEXT, _TIME = {"type": "string"}, {"type": ["string", "integer", "null"]}
_ACT = body.schema([], comment=_TEXT, to={"type": ["string", "null"]}, until=_TIME, useful={"type": ["boolean", "null"]})
_GROUP = {**body.schema([], comment=_TEXT), "parameters": [query.parameter("dry_run")]}
_SILENCE = {
    **body.schema(["match", "ends_at"], match={"type": "object"}, starts_at=_TIME, ends_at={"type": ["string", "integer"]}, comment=_TEXT),
    "parameters": [query.parameter("dry_run")],
}
