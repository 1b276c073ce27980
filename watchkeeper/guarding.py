"""The guard of notifications, as the settings say."""

from __future__ import annotations

from alerts.guard import Guard
from watchkeeper.settings.settings import Settings, loopback


def guard(settings: Settings) -> Guard:
    """The guard. Loopback is allowed where the server itself listens on loopback only: whoever can reach it is on the machine already."""
    return Guard(settings.alerts.allow, loopback=loopback(settings.host))
