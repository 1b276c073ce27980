"""GET /v1/audit."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core import moment
from core.principal import Role
from storage.control.audit import AuditEntry
from watchkeeper.api import answer, query
from watchkeeper.api.auth import needs
from watchkeeper.api.ports import Services

MOST = 1_000  # entries on a page


def router(services: Services) -> APIRouter:
    """The route."""
    routes = APIRouter(tags=["definitions"])
    extra = {"parameters": [query.parameter(name) for name in ("limit", "cursor")]}

    @routes.get("/v1/audit", openapi_extra=extra, summary="Who changed what, the newest first", dependencies=[needs(Role.ADMIN)])
    def audit(request: Request) -> Response:
        given = query.only(request, "limit", "cursor")
        entries, after = services.audit(query.count(given, "limit", 100, MOST), given.get("cursor") or None)
        return answer.page([_item(entry) for entry in entries], after)

    return routes


def _item(entry: AuditEntry) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(entry)
    return built | {"at": moment.text(entry.at)}
