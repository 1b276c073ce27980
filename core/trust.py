"""Whether the predictions of a model may be trusted now, as `alerts.trust` finds it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from core import moment

CHANGED = "trust.changed"  # the type of a notification


def place(model: str, version: str, segment: str) -> str:
    """What changes of trust are about, in the outbox and for receivers, as an episode is for its notifications.

    >>> place("taxi-fare", "2", "all")
    'trust|taxi-fare|2|all'
    """
    return f"trust|{model}|{version}|{segment}"


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

    def document(self) -> dict[str, Any]:
        """The state as the API and notifications give it, times as text."""
        reasons = [msgspec.to_builtins(reason) | {"window_start": moment.text(reason.window_start)} for reason in self.reasons]
        return {**msgspec.to_builtins(self), "since": None if self.since is None else moment.text(self.since), "reasons": reasons}


class Told(NamedTuple):
    """What was told last of a model: the states by version and segment, and the names of the destinations that know them (None: all that there are)."""

    states: Mapping[tuple[str, str], TrustState]
    to: frozenset[str] | None = frozenset()


class Standing(NamedTuple):
    """The states of a model, and the end of the newest window that any of its monitors that count has a reading of (0: there is none)."""

    states: list[Trust]
    at: int
