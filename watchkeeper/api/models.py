"""Routes of models: GET /v1/models, one model, its contract; PUT its reference; DELETE it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from core import moment
from core.name import TAKEN
from monitors.reference.learned import OPTIONS as LEARNED
from watchkeeper import document
from watchkeeper.api import answer, body, query
from watchkeeper.api.auth import needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem
from watchkeeper.change.delete import DeleteModel
from watchkeeper.change.production import ProductionReference
from watchkeeper.change.proposal import TakenProposal
from watchkeeper.change.reference import ReferenceFile
from watchkeeper.command import role

LARGEST = 512 * 2**20  # bytes of a reference
PARQUET = ("application/vnd.apache.parquet", "application/octet-stream")

OPTIONS = (
    *("task", "id", "ts", "prediction", "score", "proba_prefix", "interval", "label", "label_ts"),
    *("latency", "status", "caller", "prediction_set", "ensemble_prefix", "attribution_prefix", "signals", "multivariate"),
    *("features", "categorical", "text", "exclude", "segments", "protected", "positive", "threshold", "earliest"),
)


def router(services: Services) -> APIRouter:  # long: a list of routes
    """The routes. A model's name may hold slashes, so the longer paths come first."""
    routes = APIRouter(tags=["models"])

    @routes.get("/v1/models", summary="All models")
    def models(request: Request) -> Response:
        query.only(request, "limit", "cursor")
        return answer.page([_row(row) for row in services.models()])

    @routes.get("/v1/models/{model:path}/contract", summary="The newest contract of a model")
    def contract(model: str, request: Request) -> Response:
        query.only(request)
        found = services.contract(model)
        if found is None:
            raise missing(model)
        return answer.json(document.written(found))

    @routes.get("/v1/models/{model:path}/proposal", summary="The contract that is proposed for a model that has none")
    def proposal(model: str, request: Request) -> Response:
        query.only(request)
        return answer.json(services.proposal(model))

    @routes.post(
        "/v1/models/{model:path}/proposal",
        openapi_extra={"parameters": [query.parameter(name) for name in LEARNED]},
        summary="Take the proposed contract of a model",
        dependencies=[needs(role("proposal"))],
    )
    def take(model: str, request: Request) -> Response:
        given = query.only(request, *LEARNED)
        return answer.json(services.do(principal_of(request), "proposal", TakenProposal(model=model, options=given)))

    editors = [needs(role("reference"))]

    @routes.put("/v1/models/{model:path}/reference", openapi_extra=_PUT, summary="Give a model its reference", dependencies=editors)
    async def reference(model: str, request: Request) -> Response:
        given = query.only(request, *OPTIONS)
        body.media_type(request, PARQUET)
        parquet = await body.read(request, LARGEST)
        wanted = ReferenceFile(model=model, parquet=parquet, options=given)
        return answer.json(await asyncio.to_thread(services.do, principal_of(request), "reference", wanted))

    @routes.post(
        "/v1/models/{model:path}/reference",
        openapi_extra={"parameters": [query.parameter("from"), query.parameter("to")]},
        summary="Make a period of production a model's reference",
        dependencies=editors,
    )
    def production(model: str, request: Request) -> Response:
        given = query.only(request, "from", "to")
        wanted = ProductionReference(model=model, start=query.time(given, "from"), end=query.time(given, "to"))
        return answer.json(services.do(principal_of(request), "reference from production", wanted))

    @routes.delete(
        "/v1/models/{model:path}",
        openapi_extra={"parameters": [query.parameter("purge")]},
        summary="Delete a model; with `purge=true`, which needs the role `admin`, what is kept of it as well",
        dependencies=[needs(role("delete model"))],
    )
    def delete(model: str, request: Request) -> Response:
        if (ending := model.rpartition("/")[2]) in TAKEN and "/" in model:  # these are parts of a model's address, not names
            raise HTTPException(405, headers={"Allow": f"GET{_ALSO.get(ending, '')}"})
        purge = query.choice(query.only(request, "purge"), "purge", ("true", "false", "1", "0")) in {"true", "1"}
        command = "purge model" if purge else "delete model"
        return answer.json(services.do(principal_of(request), command, DeleteModel(model=model)))

    @routes.get("/v1/models/{model:path}", summary="One model")
    def one(model: str, request: Request) -> Response:
        query.only(request)
        row = services.model(model)
        if row is None:
            raise missing(model)
        return answer.json(_row(row))

    return routes


_ALSO = {"proposal": ", POST", "reference": ", PUT, POST", "rebuild": ", POST"}  # what else is taken there

_PUT = {
    "parameters": [{"name": name, "in": "query", "required": name == "task", "schema": {"type": "string"}} for name in OPTIONS],
    "requestBody": {"required": True, "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in PARQUET}},
}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: moment.text(value) if name in {"first_ts", "last_ts"} and value is not None else value for name, value in row.items()}


def missing(model: str) -> Problem:
    """The problem for a model that does not exist."""
    return Problem(404, f"there is no model {model[:100]!r}", "GET /v1/models lists them; `watchkeeper reference` makes one")
