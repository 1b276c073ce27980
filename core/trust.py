"""Whether the predictions of a model may be trusted now, as `alerts.trust` finds it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class TrustState(StrEnum):
    """May predictions be trusted?"""

    TRUSTED = "trusted"
    WATCH = "watch"
    DO_NOT_TRUST = "do_not_trust"
    UNKNOWN = "unknown"


class Reason(msgspec.Struct, frozen=True):
    """A reading that the state rests on; `window_start` in microseconds."""

    text: str
    measure: str
    column: str
    window_start: int


class Trust(msgspec.Struct, frozen=True):
    """The state of a version of a model (`all` pools them) in a segment, and the start of the first window that showed it (None: unknown)."""

    segment: str
    version: str
    state: TrustState
    since: int | None
    reasons: tuple[Reason, ...]
