"""Signed addresses of training windows: whoever has one may read that window until it expires, without a token."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core import moment
from core.signed_address import EXPIRES, SIGNATURE, parts_of, signed_address

PATH = "/v1/exports/training"
_NAMES = ("model", "from", "to", "as_of")
PARAMETERS = (*_NAMES, EXPIRES, SIGNATURE)
_PURPOSE = "training"


class TrainingWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The events `start <= ts < end` of a model and their labels, as the log had them at `as_of`. Times are microseconds."""

    model: str
    start: int
    end: int
    as_of: int

    def address(self, base: str, key: bytes, expires: int) -> str:
        """The address of this window at the server `base`, signed with the key."""
        parts = (self.model, *map(moment.text, (self.start, self.end, self.as_of)))
        return signed_address(base + PATH, _PURPOSE, key, expires, **dict(zip(_NAMES, parts, strict=True)))


def window_of(given: Mapping[str, str], key: bytes, now: int) -> TrainingWindow:
    """The window of an address's parameters. Raises Refused."""
    model, *times = parts_of(given, _NAMES, _PURPOSE, key, now)
    start, end, as_of = map(moment.parse, times)
    return TrainingWindow(model=model, start=start, end=end, as_of=as_of)
