"""The application: every route under /v1, /metrics, problem documents for all other paths, and the access check around it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from fastapi.middleware import Middleware

from core.clock import Clock, SystemClock
from ingest.kafka.connection import Connection
from watchkeeper.api import (
    asyncapi,
    audit,
    budgets,
    causes,
    comparison,
    contracts,
    definitions,
    deliveries,
    destinations,
    episodes,
    event_reading,
    events,
    exports,
    hooks,
    links,
    measures,
    metrics,
    models,
    monitors,
    noise,
    openapi,
    people,
    policies,
    problem,
    ranking,
    readings,
    rebuild,
    retrains,
    status,
    trials,
    trust,
)
from watchkeeper.api.auth import AccessPolicy, Auth
from watchkeeper.api.metrics import Metrics, RequestMetrics
from watchkeeper.api.ports import Services

_OPEN = AccessPolicy()  # everyone on this machine
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_api(  # long: it lists every router
    services: Services,
    *,
    access: AccessPolicy | None = _OPEN,
    address: str = "",
    clock: Clock | None = None,
    registered: Metrics | None = None,
    lifespan: Lifespan | None = None,
    brokers: Connection | None = None,
) -> FastAPI:
    """The API of `services`.

    `access` says which requests are allowed; None leaves that to the caller, who wraps the application. `address` is that of the pages, for links. `clock`
    gives the time of events, `registered` are metrics in a shared registry, `lifespan` runs around the application, `brokers` are those of the log. There
    is no page at /docs, because it would load scripts from elsewhere.
    """
    registered = registered or Metrics()
    app = FastAPI(
        title="Watchkeeper",
        version=version("watchkeeper"),
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[*([Middleware(Auth, access=access)] if access else []), Middleware(RequestMetrics, metrics=registered)],
    )
    routers = _routers(services, address, clock or SystemClock(), registered, brokers)
    for router in routers:
        app.include_router(router)
    problem.install(app, routers)
    openapi.install(app, routers)
    return app


def _routers(services: Services, address: str, clock: Clock, registered: Metrics, brokers: Connection | None) -> list[APIRouter]:
    """The routers; one whose paths hold names with slashes comes after those whose paths it would take."""
    return [
        events.router(events.Intake(services, clock, registered)),
        event_reading.router(services),
        exports.router(services, clock or SystemClock()),
        asyncapi.router(brokers),
        readings.router(services),
        ranking.router(services),
        rebuild.router(services),
        trust.router(services),
        comparison.router(services),
        models.router(services),
        definitions.router(services),
        trials.router(services),
        monitors.router(services),
        budgets.router(services),
        contracts.router(services),
        deliveries.router(services),
        destinations.router(services),
        policies.router(services),
        hooks.router(services),
        retrains.router(services),
        audit.router(services),
        measures.router(),
        causes.router(services),
        episodes.router(services, address),
        noise.router(services),
        people.router(services, address),
        links.router(services, address, clock),
        status.router(services),
        metrics.router(registered),
    ]
