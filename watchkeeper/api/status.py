"""Routes of status, health, and the version tag that changes when anything is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response

from watchkeeper.api import answer
from watchkeeper.api.auth import stranger
from watchkeeper.api.ports import Services
from watchkeeper.api.problem import Problem


class HealthSource(Protocol):
    """Something that has a status."""

    def status(self) -> Mapping[str, Any]:
        """What `GET /v1/status` says."""
        ...

    def ready(self) -> Sequence[str]:
        """Sentences that say what keeps this process from its work; empty if nothing does."""
        ...


def health(of: HealthSource) -> APIRouter:
    """The routes of every process."""
    routes = APIRouter(tags=["health"])

    @routes.get("/v1/status", summary="Whether all is quiet, how far everything is, what is wrong")
    def status() -> Response:
        return answer.json(of.status())

    @routes.get("/v1/health/live", summary="Whether this process runs")
    async def live() -> Response:
        return answer.json({"status": "live"})

    @routes.get("/v1/health/ready", summary="Whether this process can serve")
    def ready(request: Request) -> Response:
        if problems := of.ready():
            detail = "not ready" if stranger(request.scope) else "; ".join(problems)
            raise Problem(503, detail, "wait, and look at the server's log if it stays", headers={"Retry-After": "1"})
        return answer.json({"status": "ready"})

    return routes


def router(services: Services) -> APIRouter:
    """The routes of a process that serves."""
    routes = health(services)

    @routes.get("/v1/version", summary="A tag that changes when anything that can be read has changed")
    def version(request: Request) -> Response:
        tag = services.version_tag()
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        if headers["ETag"] in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        return answer.json({"version": tag}, headers=headers)

    return routes
