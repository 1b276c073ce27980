"""POST /v1/predictions and /v1/labels: decode the body, append it to the log, and answer when it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from core.clock import Clock
from core.principal import Role
from ingest.decode.decoded import LISTED
from ingest.decode.label import Label, decode_labels
from ingest.decode.layout import Prediction
from ingest.decode.payload import LARGEST, Kind, PayloadError, unpack
from ingest.decode.prediction import decode_predictions
from watchkeeper.api import answer, body
from watchkeeper.api.auth import needs
from watchkeeper.api.metrics import Metrics
from watchkeeper.api.ports import AnyDecoded, Overloaded, Services, Topic
from watchkeeper.api.problem import Problem

KINDS: dict[str, Kind] = {"application/json": "json", "application/x-ndjson": "ndjson"}
MOST_IN_FLIGHT = 256 * 2**20  # bytes of bodies that are read and decoded at the same time

_REMEDIES = {
    400: "send a JSON array of events, or NDJSON with its content type",
    413: "send fewer or smaller events at a time",
    415: "send `Content-Encoding: gzip`, or none",
}


class Intake:
    """Handles requests with events, as many bytes at a time as memory allows."""

    def __init__(self, services: Services, clock: Clock, metrics: Metrics) -> None:
        self._services, self._clock, self._metrics = services, clock, metrics
        self._in_flight = 0

    async def take(self, topic: Topic, request: Request) -> Response:
        """Decode, append, answer."""
        kind = KINDS[body.media_type(request, tuple(KINDS))]
        try:
            packed = await body.read(request, LARGEST)
        except ClientDisconnect:
            raise Problem(400, "the client went away before the body was complete", "send it again") from None
        with self._admitted(len(packed)):
            now = self._clock.now()
            encoding = request.headers.get("content-encoding", "").strip().lower()
            plain, decoded = await asyncio.to_thread(self._decode, topic, packed, encoding, kind, now)
            self._metrics.decoded(topic, decoded)
            if decoded.rows and not decoded.accepted:
                raise Problem(
                    422, "every row was rejected; nothing was kept", "see `errors` for the reason of each row", more=_summary(decoded)
                )
            if decoded.accepted:
                try:
                    await self._services.append(topic, plain, kind, decoded, now)
                except PayloadError as error:  # the log takes no event of that size
                    raise Problem(error.status, str(error), _REMEDIES[error.status]) from None
        return answer.json(_summary(decoded))

    def _decode(self, topic: Topic, packed: bytes, encoding: str, kind: Kind, now: int) -> tuple[bytes, AnyDecoded]:
        try:
            plain = unpack(packed, encoding)
            if topic == "predictions":
                return plain, decode_predictions(plain, kind, self._services.contract, now, keep=self._services.keeps_unknown)
            return plain, decode_labels(plain, kind, self._services.contract, now, keep=self._services.keeps_unknown)
        except PayloadError as error:
            raise Problem(error.status, str(error), _REMEDIES[error.status]) from None

    @contextmanager
    def _admitted(self, size: int) -> Iterator[None]:
        if self._in_flight and self._in_flight + size > MOST_IN_FLIGHT:
            raise Overloaded("too many events are being taken in", after=1.0)
        self._in_flight += size
        try:
            yield
        finally:
            self._in_flight -= size


def _summary(decoded: AnyDecoded) -> dict[str, Any]:
    def listed(faults: Any) -> list[dict[str, Any]]:
        return [{"row": fault.row, "field": fault.field, "reason": fault.reason} for fault in faults[:LISTED]]

    return {
        "accepted": decoded.accepted,
        "rejected": len(decoded.rejects),
        "errors": listed(decoded.rejects),
        "cells": listed(decoded.cells),
        **({"waiting": len(decoded.waiting)} if decoded.waiting else {}),
    }


def router(intake: Intake) -> APIRouter:
    """The two routes."""
    routes = APIRouter(tags=["events"], dependencies=[needs(Role.SENDER)])

    @routes.post("/v1/predictions", openapi_extra=_schema(Prediction), summary="Send predictions")
    async def predictions(request: Request) -> Response:
        return await intake.take("predictions", request)

    @routes.post("/v1/labels", openapi_extra=_schema(Label), summary="Send labels (ground truth)")
    async def labels(request: Request) -> Response:
        return await intake.take("labels", request)

    return routes


def _schema(event: Any) -> dict[str, Any]:
    schema = schema_of(event)
    content = {"application/json": {"schema": {"type": "array", "items": schema}}, "application/x-ndjson": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def schema_of(event: Any) -> dict[str, Any]:
    """The JSON Schema of an event's struct, without references."""
    (schema,), parts = msgspec.json.schema_components([event], ref_template="#/{name}")
    inlined: dict[str, Any] = _inlined(schema, parts)
    return inlined


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        return (
            _inlined(parts[schema["$ref"].removeprefix("#/")], parts)
            if "$ref" in schema
            else {k: _inlined(v, parts) for k, v in schema.items()}
        )
    return [_inlined(item, parts) for item in schema] if isinstance(schema, list) else schema
