"""Signed addresses of training windows: whoever has one may read that window until it expires, without a token."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from core import moment
from core.signature import signature, signed

PATH = "/v1/exports/training"
PARAMETERS = ("model", "from", "to", "as_of", "expires", "signature")
_PURPOSE = "training"


class Refused(Exception):
    """The address is not one that was signed, or it has expired."""


class TrainingWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The events `start <= ts < end` of a model and their labels, as the log had them at `as_of`. Times are microseconds."""

    model: str
    start: int
    end: int
    as_of: int

    def address(self, base: str, key: bytes, expires: int) -> str:
        """The address of this window at the server `base`, signed with the key."""
        parts = (self.model, *map(moment.text, (self.start, self.end, self.as_of, expires)))
        given = dict(zip(PARAMETERS, (*parts, signature(key, _PURPOSE, *parts)), strict=True))
        return f"{base}{PATH}?{urlencode(given)}"


def window_of(given: Mapping[str, str], key: bytes, now: int) -> TrainingWindow:
    """The window of an address's parameters. Raises Refused, which does not tell what the signature should be."""
    *parts, sent = (given.get(name, "") for name in PARAMETERS)
    if not signed(sent, key, _PURPOSE, *parts):
        raise Refused("the signature of this address is missing or wrong")
    start, end, as_of, expires = (moment.parse(one) for one in parts[1:])  # as they were signed, so they can be read
    if now >= expires:
        raise Refused(f"this address expired at {parts[-1]}")
    return TrainingWindow(model=parts[0], start=start, end=end, as_of=as_of)
