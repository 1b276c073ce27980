"""The names by which a request may call this server.

With DNS rebinding a page of another site lets its own name resolve to this machine, so that the browser takes our answers for that site's. Such a request
has the other site's name in its Host header, so only known names are accepted. Addresses are accepted, since they cannot be rebound.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\s:/\\@\[\]]+)(?::[0-9]{1,5})?", re.ASCII)


class Hosts:
    """The names of a server that listens on `listening`: that address, those of loopback, and `names`; any address where it listens on all."""

    def __init__(self, listening: str = "127.0.0.1", names: Collection[str] = ()) -> None:
        self._names = {"localhost", _plain(listening), *map(_plain, names)}
        address = _address(listening)
        self._everywhere = address is not None and address.is_unspecified

    def takes(self, header: str | None) -> bool:
        """Whether a Host header names this server, on any port. HTTP/1.0 has no such header, and no browser uses it."""
        if header is None:
            return True
        if (match := _HOST.fullmatch(header)) is None:
            return False
        name = _plain(match["name"])
        address = _address(name)
        return name in self._names or (address is not None and (address.is_loopback or self._everywhere))


def _plain(name: str) -> str:
    return name.strip().strip("[]").rstrip(".").lower()


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
