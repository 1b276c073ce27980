"""GET /v1/trainings, POST and GET /v1/retrains, one of them, its approval and cancellation, the callback of its run, and what a model registry tells of it."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, Request, Response

from alerts.retrain.registry_notice import Notice
from core.principal import Principal, Role
from core.retrain import RetrainState
from watchkeeper.api import answer, body, query
from watchkeeper.api.auth import CALLBACK, REGISTRY, needs, principal_of
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem
from watchkeeper.change.retrain import DECISIONS, RegistryNotice, RetrainDecision, RetrainReport, RetrainRequest
from watchkeeper.command import role

RUN = Principal("the run", Role.VIEWER)
"""Whoever has the address of a callback."""
MLFLOW = Principal("MLflow", Role.VIEWER)
"""Whoever has the secret of a hook's model registry."""


class AskBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hook that somebody asks by, and why."""

    hook: str
    reason: str = ""


class DecisionBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What comes with a decision."""

    comment: str = ""


class ReportBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a run reports. Fields that are not known are left out, because targets send more."""

    state: str
    version: str | int | None = None
    url: str | None = None
    metrics: dict[str, float] | None = None


def router(services: Services) -> APIRouter:  # long: a route after the other
    """The routes."""
    routes = APIRouter(tags=["retraining"])

    @routes.get(
        "/v1/retrains",
        openapi_extra={"parameters": [query.parameter(name) for name in ("model", "state", "limit", "cursor")]},
        summary="Requests for retraining, the newest first",
    )
    def retrains(request: Request) -> Response:
        given = query.only(request, "model", "state", "limit", "cursor")
        states = _states(given)
        found, after = services.retrains(
            given.get("model") or None, states, query.count(given, "limit", 100, 1_000), given.get("cursor") or None
        )
        return answer.page([one.document() for one in found], after)

    @routes.get(
        "/v1/trainings",
        openapi_extra={"parameters": [query.parameter("model")]},
        summary="When models were trained last, and whether that is overdue",
    )
    def trainings(request: Request) -> Response:
        found = services.trainings(query.only(request, "model").get("model") or None)
        return answer.page([one.document() for one in found], None)

    @routes.post("/v1/retrains", openapi_extra=_ASK, summary="Ask for a retraining", dependencies=[needs(role("ask for retraining"))])
    async def ask(request: Request) -> Response:
        query.only(request)
        found = await body.decoded(request, AskBody, '{"hook": ..., "reason": ...}')
        wanted = RetrainRequest(hook=found.hook, reason=found.reason)
        made = await asyncio.to_thread(services.do, principal_of(request), "ask for retraining", wanted)
        return answer.json(made.document())

    @routes.get("/v1/retrains/{name}", summary="One request for retraining, with its history")
    def retrain(name: str, request: Request) -> Response:
        query.only(request)
        if (found := services.retrain(name)) is None:
            raise Problem(404, f"there is no request for retraining {name[:100]!r}", "GET /v1/retrains lists them")
        return answer.json(found.document())

    @routes.post(CALLBACK, openapi_extra=_REPORT, summary="Tell what became of the run; the token in the address ends with the run")
    async def callback(name: str, request: Request) -> Response:
        token = query.only(request, "token").get("token", "")
        found = await body.decoded(request, ReportBody, '{"state": "succeeded", "version": ..., "url": ..., "metrics": {...}}')
        version = None if found.version is None else str(found.version)
        told = RetrainReport(id=name, token=token, state=found.state, version=version, url=found.url, metrics=found.metrics or {})
        after = await asyncio.to_thread(services.do, RUN, "report of retraining", told)
        return answer.json({"id": after.id, "state": after.state})

    @routes.post(REGISTRY, openapi_extra=_REGISTRY, summary="Tell that an alias names a version: a webhook of MLflow, signed by it")
    async def registry(name: str, request: Request) -> Response:
        query.only(request)
        signed = {field: request.headers.get(f"x-mlflow-{header}", "") for field, header in _HEADERS.items()}
        told = RegistryNotice(hook=name, notice=Notice(**signed, body=await body.read(request, body.SMALL)))
        after = await asyncio.to_thread(services.do, MLFLOW, "notice of the model registry", told)
        return answer.json({"id": after and after.id, "state": after and after.state})

    @routes.post(
        "/v1/retrains/{name}/{action}",
        openapi_extra=_DECISION,
        summary="Approve or cancel a request",
        dependencies=[needs(role("decide on retraining"))],
    )
    async def decide(name: str, action: str, request: Request) -> Response:
        query.only(request)
        if action not in DECISIONS:
            raise Problem(404, f"there is no action {action[:60]!r}", f"use one of {', '.join(DECISIONS)}")
        found = await body.decoded(request, DecisionBody, '{"comment": ...}')
        wanted = RetrainDecision(id=name, action=action, comment=found.comment)
        after = await asyncio.to_thread(services.do, principal_of(request), "decide on retraining", wanted)
        return answer.json(after.document())

    return routes


def _states(given: dict[str, str]) -> list[RetrainState]:
    """The states that are asked for: one, or several with commas between them."""
    wanted = [query.choice({"state": one}, "state", tuple(RetrainState)) for one in (given.get("state") or "").split(",")]
    return [one for one in wanted if one is not None]


_TEXT, _MAYBE = {"type": "string"}, {"type": ["string", "null"]}
_HEADERS = {"delivery": "delivery-id", "timestamp": "timestamp", "signature": "signature"}
_REGISTRY = body.schema(["entity", "action", "data"], entity=_TEXT, action=_TEXT, timestamp=_TEXT, data={"type": "object"}) | {
    "parameters": [{"name": f"X-MLflow-{one.title()}", "in": "header", "required": True, "schema": _TEXT} for one in _HEADERS.values()]
}
_ASK = body.schema(["hook"], hook=_TEXT, reason=_TEXT)
_DECISION = body.schema([], comment=_TEXT)
_REPORT = body.schema(
    ["state"],
    state={"type": "string", "enum": ["running", "succeeded", "failed"]},
    version={"type": ["string", "integer", "null"]},
    url=_MAYBE,
    metrics={"type": ["object", "null"], "additionalProperties": {"type": "number"}},
) | {"parameters": [query.parameter("token")]}
