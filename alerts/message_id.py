"""The id of a notification, by which a receiver knows one that it has already."""

from __future__ import annotations

import hashlib

import msgspec


def message_id(*key: object) -> str:
    """The same for the same parts, whenever and wherever it is made; 24 hexadecimal digits of a SHA-256."""
    return "msg_" + hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:24]
