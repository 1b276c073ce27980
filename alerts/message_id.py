"""The id of a notification, by which a receiver knows one that it has already."""

from __future__ import annotations

import hashlib

import msgspec


def message_id(*key: object, near: str = "") -> str:
    """The same for the same parts, whenever and wherever it is made: the digits `near`, if any, and 24 hexadecimal digits with them, of a SHA-256."""
    return f"msg_{near}{hashlib.sha256(msgspec.json.encode(key)).hexdigest()[: 24 - len(near)]}"
