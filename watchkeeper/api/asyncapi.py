"""GET /v1/asyncapi.json: describes the topics that other programs write and read, from the code that reads and writes them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response

from core.trust import CHANGED, Reason, TrustState
from ingest.dead_letter import HEADERS
from ingest.decode.label import Label
from ingest.decode.layout import Prediction
from ingest.kafka.connection import Connection
from ingest.kafka.topics import LARGEST, SETTINGS
from watchkeeper.api import answer
from watchkeeper.api.events import schema_of
from watchkeeper.api.problem import Problem

_ABOUT = f"""Watchkeeper reads predictions and labels from Kafka, and writes what it cannot use to the dead letters.
Events of a model that has no contract are dead letters, or wait for one, as the setting `ingest.unknown_models` says.

One event a message (an array of events is taken, too), at most {LARGEST >> 20} MiB. Produce with `acks=all` and idempotence, key each message by its
`prediction_id` in UTF-8, and use the murmur2 partitioner of the Java clients (librdkafka: `partitioner=murmur2_random`), so that an id has one partition.
Sending again is safe: of predictions with the same model and id the first in the log counts, of labels the one with the highest `ts`."""

_KEY = {"type": "string", "description": "the event's prediction_id: partitioned by murmur2", "minLength": 1}
_LETTER_KEY = {"type": "string", "description": "topic/partition/offset/row", "pattern": r"^(predictions|labels)/\d+/\d+/\d+$"}
_TRUST_KEY = {"type": "string", "description": "model|version|segment"}
_TEXT = {"type": "string"}
_TRUST = {
    "type": {"const": CHANGED},
    "timestamp": {"type": "string", "format": "date-time"},
    "data": {
        "type": "object",
        "properties": {
            **dict.fromkeys(("model", "version", "segment", "url"), _TEXT),
            **{name: {"enum": [str(state.value) for state in TrustState]} for name in ("state", "before")},
            "since": {"type": ["string", "null"], "format": "date-time"},
            "reasons": {"type": "array", "items": {"type": "object", "properties": dict.fromkeys(Reason.__struct_fields__, _TEXT)}},
        },
    },
}
_NUMBERS = ("partition", "offset", "row", "logged")


def router(brokers: Connection | None) -> APIRouter:
    """The route; it answers 404 without Kafka."""
    routes = APIRouter(tags=["events"])

    @routes.get("/v1/asyncapi.json", summary="The topics in Kafka, described (AsyncAPI); 404 where events come over HTTP only")
    async def asyncapi() -> Response:
        if brokers is None:
            raise Problem(404, "this server takes events over HTTP only", "see /v1/openapi.json; set kafka.bootstrap for a cluster")
        return answer.json(document(brokers))

    return routes


def document(brokers: Connection) -> dict[str, Any]:
    """The AsyncAPI document of a deployment."""
    secured = str(brokers.options.get("security.protocol", "PLAINTEXT")).upper() != "PLAINTEXT"
    hosts = {f"broker-{i}": host.strip() for i, host in enumerate(brokers.bootstrap.split(","), 1)}
    messages = {
        "prediction": _event("A prediction", Prediction),
        "label": _event("A label: the truth about a prediction", Label),
        "dead-letter": {
            "title": "A record, or a row of an array, that could not be used: its bytes as they came",
            "contentType": "application/octet-stream",
            "headers": {"type": "object", "required": [*HEADERS], "properties": _headers()},
            "bindings": {"kafka": {"key": _LETTER_KEY, "bindingVersion": "0.5.0"}},
        },
        "trust": {
            "title": "The state of trust of a version and segment of a model; of each key the last record holds",
            "contentType": "application/json",
            "payload": {"type": "object", "required": ["type", "timestamp", "data"], "properties": _TRUST},
            "bindings": {"kafka": {"key": _TRUST_KEY, "bindingVersion": "0.5.0"}},
        },
    }
    channels = {"predictions": "prediction", "labels": "label", "dead-letters": "dead-letter", "trust": "trust"}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Watchkeeper", "version": version("watchkeeper"), "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {name: {"host": host, "protocol": "kafka-secure" if secured else "kafka"} for name, host in hosts.items()},
        "channels": {name: _channel(brokers.topic(name), message, SETTINGS[name]) for name, message in channels.items()},
        "operations": {
            "receivePredictions": {"action": "receive", "channel": {"$ref": "#/channels/predictions"}},
            "receiveLabels": {"action": "receive", "channel": {"$ref": "#/channels/labels"}},
            "sendDeadLetters": {"action": "send", "channel": {"$ref": "#/channels/dead-letters"}},
            "sendTrust": {"action": "send", "channel": {"$ref": "#/channels/trust"}},
        },
        "components": {"messages": messages},
    }


def _event(title: str, event: Any) -> dict[str, Any]:
    return {"title": title, "payload": schema_of(event), "bindings": {"kafka": {"key": _KEY, "bindingVersion": "0.5.0"}}}


def _channel(topic: str, message: str, settings: dict[str, str | int]) -> dict[str, Any]:
    created = {name: settings[name] for name in ("cleanup.policy", "retention.ms", "max.message.bytes") if name in settings}
    kafka = {"topic": topic, "topicConfiguration": created, "bindingVersion": "0.5.0"}
    return {"address": topic, "messages": {message: {"$ref": f"#/components/messages/{message}"}}, "bindings": {"kafka": kafka}}


def _headers() -> dict[str, Any]:
    headers = {name: {"type": "string", "description": meaning} for name, (_, meaning) in HEADERS.items()}
    numbers = {name: {**headers[name], "pattern": "^[0-9]+$"} for name in _NUMBERS}
    return {**headers, **numbers, "omitted": {"type": "string", "description": "how large the value was that the topic did not take"}}
