"""Cursors of pages: the place of the last item, as an opaque text."""

from __future__ import annotations

import base64
import json

from core.error import ConfigError

_INT64 = 2**63


def encode(places: list[object]) -> str:
    """The cursor of an item at these places in the order of the answers: texts and numbers."""
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


def decode(cursor: str, kinds: list[type]) -> list[object]:
    """The places that `encode` was given, of these types. Raises ConfigError for a text that it did not make."""
    try:
        places = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if [type(place) for place in places] == kinds and all(abs(place) < _INT64 for place in places if isinstance(place, int)):
            return list(places)
    except (ValueError, TypeError, RecursionError):
        pass
    raise ConfigError("the cursor is not one that an answer gave", remedy="leave `cursor` out to start from the beginning")
