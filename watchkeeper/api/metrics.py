"""GET /metrics, and the metrics of the API. Labels are bounded: routes, statuses, topics, models; never columns or segments."""

from __future__ import annotations

import time

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchkeeper.api.ports import AnyDecoded, Topic


class Metrics:
    """The API's own metrics, in a registry of this application."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.requests = Histogram(
            "watchkeeper_http_request_seconds", "Time to answer a request.", ["method", "route", "status"], registry=self.registry
        )
        self.events = Counter("watchkeeper_events", "Events that came in over HTTP.", ["topic", "outcome"], registry=self.registry)
        self.cells = Counter(
            "watchkeeper_unknown_cells", "Cells of columns that are not in the contract.", ["model"], registry=self.registry
        )

    def decoded(self, topic: Topic, decoded: AnyDecoded) -> None:
        """Count a request's events."""
        self.events.labels(topic, "accepted").inc(decoded.accepted)
        self.events.labels(topic, "rejected").inc(len(decoded.rejects))
        for (model, _), cells in decoded.unknown.items():
            self.cells.labels(model).inc(cells)


class RequestMetrics:
    """Middleware that measures the time of every request, by its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and record how long it took."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(scope["method"], route, status).observe(time.perf_counter() - start)


def router(metrics: Metrics) -> APIRouter:
    """GET /metrics."""
    routes = APIRouter(tags=["health"])

    media = {CONTENT_TYPE_LATEST.partition(";")[0]: {"schema": {"type": "string"}}}

    @routes.get("/metrics", summary="Prometheus metrics", response_class=Response, responses={200: {"content": media}})
    def expose() -> Response:
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes
