"""GET /v1/contracts: the versions of a model's contract."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from core import moment
from core.contract_version import ContractVersion
from watchkeeper.api import answer, query
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem

_TIMES = ("saved_at", "start", "end")


def router(services: Services) -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["definitions"])

    @routes.get(
        "/v1/contracts",
        openapi_extra={"parameters": [query.parameter("model")]},
        summary="The versions of a model's contract, the newest first: what changed, when, by whom, and the reference",
    )
    def contracts(request: Request) -> Response:
        model = query.only(request, "model", "limit", "cursor").get("model") or ""
        if not model:
            raise Problem(400, "`model` is missing", "name a model; GET /v1/models lists them")
        if services.contract(model) is None:
            raise Problem(404, f"there is no model {model[:100]!r}", "GET /v1/models lists them")
        return answer.page([_document(one) for one in services.contract_versions(model)])

    return routes


def _document(one: ContractVersion) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(one)
    return found | {name: None if (at := getattr(one, name)) is None else moment.text(at) for name in _TIMES}
