"""Problems of Watchkeeper itself, as destinations are told of them: all that are there at a time are one incident."""

from __future__ import annotations

import msgspec

FIRED, UPDATED, RESOLVED = "system.fired", "system.updated", "system.resolved"  # the types of notifications


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident that is open. Times are microseconds of the wall clock.

    `id` is the same for all its notifications. `told` are the problems that were told, and `to` the destinations that know of it. `by` is the process that watches it until `until`;
    only when that time is over may another end it, or add to it.
    """

    id: str
    since: int
    told: tuple[str, ...]
    to: tuple[str, ...]
    by: str
    until: int
