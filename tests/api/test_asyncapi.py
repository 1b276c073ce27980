"""The AsyncAPI document says what the code does."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from core.clock import ManualClock
from ingest.dead_letter import DeadLetter
from ingest.decode.label import Label
from ingest.decode.layout import Prediction
from ingest.kafka.connection import Connection
from ingest.kafka.topics import SETTINGS
from tests.api.twin import Twin
from watchkeeper.api.app import create_api
from watchkeeper.api.asyncapi import document

BROKERS = Connection(bootstrap="a:9092,b:9092", prefix="team-")


def resolved(whole: Any, reference: str) -> Any:
    """What a local reference points to; KeyError if to nothing."""
    for part in reference.removeprefix("#/").split("/"):
        whole = whole[part]
    return whole


def references(part: Any) -> list[str]:
    """All references in a document."""
    if isinstance(part, dict):
        return [part["$ref"]] if "$ref" in part else [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


async def test_it_is_served_where_there_is_kafka(twin: Twin) -> None:
    """The same document as the function makes."""
    app = create_api(twin, address="http://127.0.0.1:8650", clock=ManualClock(0), brokers=BROKERS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8650") as client:
        answer = await client.get("/v1/asyncapi.json")
    assert (answer.status_code, answer.json()) == (200, document(BROKERS))


async def test_without_kafka_it_says_so(http: httpx.AsyncClient) -> None:
    """A document of topics that are not there would not be true."""
    answer = await http.get("/v1/asyncapi.json")
    assert (answer.status_code, answer.json()["detail"]) == (404, "this server takes events over HTTP only")


def test_every_reference_points_to_something() -> None:
    """Channels to messages, operations to channels."""
    whole = document(BROKERS)
    found = references(whole)
    assert len(found) == 8
    for reference in found:
        assert resolved(whole, reference)


def test_brokers_and_topics_are_those_of_the_deployment() -> None:
    """With the prefix; a secured listener is named as such."""
    whole = document(BROKERS)
    assert [server["host"] for server in whole["servers"].values()] == ["a:9092", "b:9092"]
    assert {"team-predictions", "team-labels", "team-dead-letters", "team-trust"} == {
        channel["address"] for channel in whole["channels"].values()
    }
    assert {channel["address"] for channel in whole["channels"].values()} < {BROKERS.topic(name) for name in SETTINGS}
    assert {"kafka"} == {server["protocol"] for server in whole["servers"].values()}
    secured = document(Connection(bootstrap="a:9093", options={"security.protocol": "sasl_ssl"}))
    assert {"kafka-secure"} == {server["protocol"] for server in secured["servers"].values()}


@pytest.mark.parametrize(("name", "event"), [("prediction", Prediction), ("label", Label)])
def test_a_payload_has_the_fields_that_are_read(name: str, event: Any) -> None:
    """All of the struct's, and those required that it requires."""
    payload = document(BROKERS)["components"]["messages"][name]["payload"]
    assert set(event.__struct_encode_fields__) == set(payload["properties"])
    assert {"prediction_id", "model"} <= set(payload["required"])


def test_a_dead_letters_headers_are_those_that_are_sent() -> None:
    """Each header that a letter has is described and required."""
    letter = DeadLetter(topic="labels", partition=1, position=2, row=3, model="m", field="f", reason="r", logged=4, body=b"")
    sent = {name: value.decode() for name, value in letter.headers()}
    told = document(BROKERS)["components"]["messages"]["dead-letter"]["headers"]
    assert list(sent) == told["required"]
    assert set(sent) | {"omitted"} == set(told["properties"])
    assert {name for name, value in sent.items() if value.isdigit()} == {name for name, of in told["properties"].items() if "pattern" in of}


def test_it_is_plain_json() -> None:
    """It survives a round trip."""
    assert document(BROKERS) == json.loads(json.dumps(document(BROKERS)))
