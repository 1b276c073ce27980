"""POST /v1/apply."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from watchkeeper.api import answer, body, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem
from watchkeeper.change.apply import ApplyRequest
from watchkeeper.command import role

LARGEST = 4 * 2**20  # bytes of definitions
YAML = ("application/yaml", "application/x-yaml", "text/yaml")  # content types that a form of another site cannot send


def router(services: Services) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["definitions"])

    @routes.post("/v1/apply", openapi_extra=_APPLY, summary="Apply definitions written in YAML", dependencies=[needs(role("apply"))])
    async def apply(request: Request) -> Response:
        given = query.only(request, "dry_run", "replace")
        flags = {name: query.choice(given, name, ("true", "false", "1", "0")) in {"true", "1"} for name in ("dry_run", "replace")}
        body.media_type(request, YAML)
        text = await body.read(request, LARGEST)
        try:
            definitions = text.decode()
        except UnicodeDecodeError as error:
            raise Problem(400, f"the definitions are not UTF-8 at byte {error.start}", "save the file as UTF-8") from None
        wanted = ApplyRequest(text=definitions, **flags)
        return answer.json({"items": await asyncio.to_thread(services.do, principal_of(request), "apply", wanted)})

    return routes


_APPLY = {
    "parameters": [query.parameter("dry_run"), query.parameter("replace")],
    "requestBody": {"required": True, "content": {"application/yaml": {"schema": {"type": "string"}}}},
}
