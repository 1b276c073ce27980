"""Addresses that are good without a token: their parameters are signed together with the time at which they expire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from core import moment
from core.signature import signature, signed

EXPIRES, SIGNATURE = "expires", "signature"


class Refused(Exception):
    """The address is not one that was signed, or it has expired."""


def signed_address(place: str, purpose: str, key: bytes, expires: int, **parts: str) -> str:
    """The address `place` with these parameters, good until `expires` (microseconds). An address of one `purpose` is refused for every other."""
    given = {**parts, EXPIRES: moment.text(expires)}
    return f"{place}?{urlencode(given | {SIGNATURE: signature(key, purpose, *given.values())})}"


def parts_of(given: Mapping[str, str], names: Sequence[str], purpose: str, key: bytes, now: int) -> list[str]:
    """The parameters `names` of an address, in the order in which they were signed. Raises Refused, which does not tell what the signature should be."""
    parts = [given.get(name, "") for name in (*names, EXPIRES)]
    if not signed(given.get(SIGNATURE, ""), key, purpose, *parts):
        raise Refused("the signature of this address is missing or wrong")
    if now >= moment.parse(parts[-1]):  # as it was signed, so it can be read
        raise Refused(f"this address expired at {parts[-1]}")
    return parts[:-1]
