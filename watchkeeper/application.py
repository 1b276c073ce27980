"""The ASGI application: API and pages over a backend."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import ProcessCollector

from alerts.action_link import PATH as LINK
from core.struct_types import prepare
from dashboard.mount import KNOWN, mount
from watchkeeper.api.app import create_api
from watchkeeper.api.auth import AccessPolicy, Auth, known
from watchkeeper.api.host import Hosts
from watchkeeper.api.key import Keys
from watchkeeper.api.login import LOGOUT
from watchkeeper.api.metrics import Metrics
from watchkeeper.api.session import Sessions
from watchkeeper.backend import Backend
from watchkeeper.brokers import connection
from watchkeeper.services import Pages, Services
from watchkeeper.telemetry.gauges import Gauges

_log = logging.getLogger(__name__)


def create_application(backend: Backend) -> FastAPI:
    """The application that serves `backend`. The caller starts and closes the backend."""
    prepare()  # the types of the API, too
    services = Services(backend)
    settings = backend.settings
    keys, token = Keys(settings.keys), settings.secret
    sessions = Sessions(keys, settings.session, backend.stores.control, backend.clock) if keys else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await warm({} if token is None else {"authorization": f"Bearer {token}"})
        _log.info("Watchkeeper is at %s/ui/", backend.settings.url)
        yield

    metrics = Metrics()
    for collector in (Gauges(backend.status), *backend.collectors()):
        metrics.registry.register(collector)
    ProcessCollector(registry=metrics.registry)
    brokers = connection(settings) if settings.kafka.bootstrap else None
    api = create_api(
        services, registered=metrics, address=settings.public, clock=backend.clock, lifespan=lifespan, brokers=brokers, access=None
    )
    warm = mount(
        api,
        Pages(services.reader, tuple(principal for _, principal in keys)),
        known=(*KNOWN, LINK),
        who=known,
        logout=None if sessions is None else LOGOUT,
    )
    access = AccessPolicy(keys, Hosts(settings.host, settings.names), sessions)
    api.add_middleware(Auth, access=access)  # the middleware that is added last is the outermost: every request passes it first
    return api
