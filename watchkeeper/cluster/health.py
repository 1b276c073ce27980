"""Health, status and metrics of a process on its port, with the same access check as the API."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from fastapi.middleware import Middleware
from prometheus_client import ProcessCollector
from prometheus_client.registry import Collector

from core.error import Retryable
from watchkeeper.api import metrics, problem, status
from watchkeeper.api.auth import AccessPolicy, Auth
from watchkeeper.api.metrics import Metrics, RequestMetrics
from watchkeeper.api.status import HealthSource


def create_health(of: HealthSource, access: AccessPolicy, *collectors: Collector, more: bool = False) -> FastAPI:
    """The application of a process that serves nothing else, or that will serve `more` and is not ready yet. `access` says which requests are allowed."""
    registered = Metrics()
    for collector in collectors:
        registered.registry.register(collector)
    ProcessCollector(registry=registered.registry)
    app = FastAPI(
        title="Watchkeeper",
        version=version("watchkeeper"),
        openapi_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Auth, access=access), Middleware(RequestMetrics, metrics=registered)],
    )
    routers = [status.health(of), metrics.router(registered), *([_later(of)] if more else [])]
    for router in routers:
        app.include_router(router)
    problem.install(app, routers)
    return app


def _later(of: HealthSource) -> APIRouter:
    """A route for every other path, which answers 503: try again later."""
    routes = APIRouter()

    @routes.api_route("/{path:path}", methods=list(problem.METHODS), include_in_schema=False)
    def later() -> None:
        raise Retryable(f"this process is not ready yet: {'; '.join(of.ready()) or 'starting'}")

    return routes
