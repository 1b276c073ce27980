"""What destinations may reach, as the settings say: addresses of the network, and files of secrets."""

from __future__ import annotations

from alerts.destination.secret_file import SecretFiles
from alerts.guard import Guard
from watchkeeper.settings.settings import Settings, loopback


def guard(settings: Settings) -> Guard:
    """The guard. Loopback is allowed where the server itself listens on loopback only: whoever can reach it is on the machine already."""
    return Guard(settings.alerts.allow, loopback=loopback(settings.host))


def files(settings: Settings) -> SecretFiles:
    """The files that may hold secrets of destinations."""
    return SecretFiles(settings.alerts.secrets)
