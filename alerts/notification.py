"""Notifications as the outbox holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from alerts.message_id import message_id
from core import moment
from core.destination import Destination
from core.episode import Delivery


def body(kind: str, data: Mapping[str, Any], now: int) -> str:
    """The body of a notification, as JSON."""
    return msgspec.json.encode({"type": kind, "timestamp": moment.text(now), "data": data}).decode()


def notifications(
    kind: str, data: Mapping[str, Any], destinations: Iterable[Destination], *, thread: str, key: tuple[object, ...], now: int, rank: int
) -> list[Delivery]:
    """The same for each destination. They go in order with all that is about `thread`. Their ids are made of the `key` and the destination, so what is told again has the same."""
    said = body(kind, data, now)
    return [
        Delivery(
            id=message_id(*key, to.name),
            destination=to.name,
            episode=thread,
            type=kind,
            body=said,
            created=now,
            due=now,
            rank=rank,
        )
        for to in destinations
    ]
