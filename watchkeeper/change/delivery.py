"""The commands that send notifications again, and that test a destination."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.episode import Delivery
from core.error import Missing
from watchkeeper.change.context import Context


class ReplayDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """The notification that is sent again."""

    id: str


class ReplayDead(msgspec.Struct, frozen=True, kw_only=True):
    """The destination of which all that was given up is sent again; None for every destination. `dry_run` only counts it."""

    destination: str | None = None
    dry_run: bool = False


class CheckDestination(msgspec.Struct, frozen=True, kw_only=True):
    """The destination that is tested."""

    name: str


def replay_delivery(context: Context, given: ReplayDelivery) -> Delivery:
    """Send a notification again, whatever became of it, under the same id. Returns it."""
    found = context.stores.control.replay(given.id, context.actor)
    if found is None:
        raise Missing(f"there is no delivery {given.id[:100]!r}", remedy="GET /v1/deliveries lists them")
    return found


def replay_dead(context: Context, given: ReplayDead) -> Mapping[str, Any]:
    """Send again all that was given up, but that of which the receiver has taken something later. Returns how many."""
    control = context.stores.control
    if given.destination is not None and given.destination not in {one.name for one in control.destinations()}:
        raise _no(given.destination)
    count = control.replay_dead(given.destination, context.actor, dry_run=given.dry_run)
    return {"replayed": 0 if given.dry_run else count, "effect": {"count": count}}


def check_destination(context: Context, given: CheckDestination) -> Delivery:
    """Send a test to a destination, as every notification is sent. Returns it."""
    found = context.stores.control.test_destination(given.name, context.stores.settings.public, context.actor)
    if found is None:
        raise _no(given.name)
    return found


def _no(name: str) -> Missing:
    return Missing(f"there is no destination {name[:100]!r}", remedy="GET /v1/destinations lists them")
