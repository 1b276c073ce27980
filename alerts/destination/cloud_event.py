"""The attributes of CloudEvents 1.0 for a notification: `ce-` headers of HTTP requests in binary mode, `ce_` headers of Kafka records."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from core.episode import Delivery

SOURCE = "/watchkeeper"


class _Data(msgspec.Struct):
    model: str | None = None


class _Body(msgspec.Struct):
    timestamp: str
    data: _Data


def attributes(delivery: Delivery) -> dict[str, str]:
    """Id (the same at each attempt), type, source, time, and the model as subject, percent-encoded as headers must be."""
    found = {"specversion": "1.0", "id": delivery.id, "type": f"io.watchkeeper.{delivery.type}.v1", "source": SOURCE}
    try:
        body = msgspec.json.decode(delivery.body, type=_Body)
    except msgspec.ValidationError:  # time and subject are optional attributes
        return found
    found["time"] = body.timestamp
    return {**found, "subject": quote(body.data.model, safe="")} if body.data.model else found
