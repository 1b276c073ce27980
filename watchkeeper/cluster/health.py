"""The port of a process: health, status and metrics, behind the same guard as the API."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware import Middleware
from prometheus_client import ProcessCollector
from prometheus_client.registry import Collector

from watchkeeper.api import metrics, problem, status
from watchkeeper.api.auth import Auth
from watchkeeper.api.metrics import Measure, Metrics
from watchkeeper.api.status import Condition


def create_health(of: Condition, token: str | None, *collectors: Collector) -> FastAPI:
    """The application of a process that serves nothing else. With a `token` every request must bring it."""
    registered = Metrics()
    for collector in collectors:
        registered.registry.register(collector)
    ProcessCollector(registry=registered.registry)
    app = FastAPI(
        title="Watchkeeper",
        version=version("watchkeeper"),
        openapi_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Auth, token=token), Middleware(Measure, metrics=registered)],
    )
    routers = [status.health(of), metrics.router(registered)]
    for router in routers:
        app.include_router(router)
    problem.install(app, routers)
    return app
