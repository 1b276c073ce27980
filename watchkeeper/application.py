"""The ASGI application: API and pages over the whole behind them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from prometheus_client import ProcessCollector

from dashboard.mount import mount
from watchkeeper.api.app import create_api
from watchkeeper.api.auth import Auth
from watchkeeper.api.metrics import Metrics
from watchkeeper.cluster.connection import connection
from watchkeeper.gauges import Gauges
from watchkeeper.services import Pages, Services
from watchkeeper.spine import Spine

_log = logging.getLogger(__name__)


def create_application(spine: Spine) -> FastAPI:
    """The application; it serves `spine`, which is started and closed by whoever made it."""
    services = Services(spine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await warm()
        _log.info("Watchkeeper is at %s/ui/", spine.settings.url)
        yield

    metrics = Metrics()
    for collector in (Gauges(spine.status), *spine.collectors()):
        metrics.registry.register(collector)
    ProcessCollector(registry=metrics.registry)
    settings = spine.settings
    brokers = connection(settings) if settings.kafka.bootstrap else None
    api = create_api(services, registered=metrics, address=settings.url, clock=spine.clock, lifespan=lifespan, brokers=brokers)
    warm = mount(api, Pages(services.reader))
    api.add_middleware(Auth, token=settings.secret)  # the last added is the outermost: nothing is answered without it
    return api
