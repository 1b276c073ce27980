"""The alert policy, silences and groups, as values. `alerts.policy` reads and runs them.

Times are microseconds of the wall clock; lengths are microseconds.
"""

from __future__ import annotations

import msgspec

from core.episode import Level

MATCHED = ("model", "monitor", "measure", "family", "column", "segment", "severity", "level", "owner")
"""What a match may name."""
GROUPED = ("model", "monitor", "family", "segment", "column")
"""What episodes may be grouped by."""

FIRED, UPDATED, RESOLVED, DIGEST = "group.fired", "group.updated", "group.resolved", "group.digest"
"""The kinds of notices of groups."""

Match = dict[str, tuple[str, ...]]
"""By field the values of which one must be the episode's; an empty match matches every episode."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A branch of the tree. An episode that matches goes to the first of its `routes` that matches, or else to its own destinations; if it `goes_on`, the routes behind it are tried, too.

    After `escalate_after` without an acknowledgement the group is also told to `escalate_to`.
    """

    match: Match = {}
    to: tuple[str, ...] = ()
    goes_on: bool = False
    escalate_after: int | None = None
    escalate_to: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


class Inhibit(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that matches `target` is not told while another that matches `source` is open, if both agree in the fields of `equal`."""

    source: Match
    target: Match
    equal: tuple[str, ...] = ()


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """Hours in which episodes that match are not told: on `days` (0 is Monday) from `start` to `end`, minutes of the day, in a time zone."""

    match: Match = {}
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    start: int = 0
    end: int = 24 * 60
    timezone: str = "UTC"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The policy. `cap` is how many notices of a model may be sent in a period. `to` gets what no route matches; without it every destination that takes the episode."""

    name: str
    group_by: tuple[str, ...] = ("model",)
    group_wait: int = 30_000_000
    group_interval: int = 300_000_000
    repeat_interval: int = 14_400_000_000
    cap: tuple[int, int] | None = None
    to: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    inhibit: tuple[Inhibit, ...] = ()
    mute: tuple[Mute, ...] = ()


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which episodes that match are not told."""

    id: str
    match: Match
    starts_at: int
    ends_at: int
    comment: str = ""
    created_by: str = "local"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Episodes that are told together, from the first that may be told to the end of the last one.

    `told` holds the level of each episode that was told and has not been told to be over, `since` when it was told first; `to` holds by destination those of them that it knows of.
    `escalated` holds by route (a path of places) those that were escalated, `told_at` is the time of the last notice, None until there was one, and `number` counts the notices.
    """

    id: str
    key: tuple[str, ...]
    opened: int
    told: dict[str, Level] = {}
    to: dict[str, tuple[str, ...]] = {}
    since: dict[str, int] = {}
    told_at: int | None = None
    escalated: dict[str, tuple[str, ...]] = {}
    number: int = 0
    closed: int | None = None


class PolicyState(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy remembers besides groups: by model the times of the notices within the cap's period, and when it has to look again, None for never."""

    sent: dict[str, tuple[int, ...]] = {}
    due: int | None = None
