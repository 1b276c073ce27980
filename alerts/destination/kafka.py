"""The kind `kafka`: records of a topic on the brokers of the settings, as webhooks get them, with the attributes of CloudEvents as headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.destination.cloud_event import attributes
from alerts.destination.message import Answer, DestinationKind, Message, Transport
from core.destination import Destination
from core.episode import Delivery
from core.error import ConfigError
from core.trust import CHANGED

TRUST = "@trust"  # the topic of Watchkeeper's own that holds states of trust; nobody can write such a name
KEY = "ce_partitionkey"  # the header that holds the record's key
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


def settings(document: Mapping[str, Any]) -> dict[str, str]:
    """`topic`, which must be there."""
    topic = document.get("topic")
    if not isinstance(topic, str) or not _TOPIC.fullmatch(topic) or topic in {".", ".."}:
        raise ConfigError(
            "`topic` is no name of a topic", remedy="write up to 249 letters, digits, `.`, `_` and `-`, such as `topic: alerts`"
        )
    return {"topic": topic}


def render(given: Mapping[str, str], delivery: Delivery, _now: int) -> Message:
    """The notification as it is. Its key is the episode, so that what is about one episode stays in order; of a change of trust the place, so that a compacted topic keeps the last state of each."""
    key = _place(delivery) if delivery.type == CHANGED else delivery.episode or delivery.id
    headers = {f"ce_{name}": said for name, said in attributes(delivery).items()}
    return Message(given["topic"], delivery.body, {**headers, KEY: key, "content-type": "application/json"})


def _place(delivery: Delivery) -> str:
    """Model, version and segment of a change of trust."""
    data = msgspec.json.decode(delivery.body)["data"]
    return "|".join(data[name] for name in ("model", "version", "segment"))


def send(wire: Transport, message: Message) -> Answer:
    """Write the record; it is taken when all in-sync replicas have it."""
    return wire.produce(*message)


TRUST_TOPIC = Destination(name="@trust topic", kind="kafka", settings={"topic": TRUST}, events=("trust",))
"""Gets each change of trust on a cluster, beside the destinations that people define."""

KIND = DestinationKind("kafka", ("topic",), settings, render, send)
