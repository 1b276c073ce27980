"""Which addresses of the network notifications may go to.

A destination's address is written by a person who may define destinations, and the request is made from inside the operator's network. So every address that a
name resolves to is judged when the connection is made, and the connection goes to an address that was judged: a name cannot change in between.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from core.error import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# What no setting can allow, with the words for it. `ipaddress.is_global` is not enough: it is true of multicast, 6to4 and NAT64.
_NEVER: tuple[tuple[str, tuple[Network, ...]], ...] = (
    # Azure, Alibaba, Oracle, and IPv6 of AWS and Google; the others have link-local ones.
    ("a metadata address", _networks("168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128")),
    ("a link-local address", _networks("169.254.0.0/16", "fe80::/10", "fec0::/10")),
    ("a multicast address", _networks("224.0.0.0/4", "ff00::/8")),
    ("an unspecified address", _networks("0.0.0.0/8", "::/128")),
    ("an address of a tunnel", _networks("192.88.99.0/24", "2002::/16", "2001::/32")),
    (
        "a reserved address",
        _networks(
            *("192.0.0.0/24", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
            *("100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16", "64:ff9b:1::/48"),
        ),
    ),
)
_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_INSIDE: tuple[tuple[str, tuple[Network, ...]], ...] = (
    ("a loopback address", _LOOPBACK),
    ("a private address", _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15", "fc00::/7")),
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # an old form of IPv4 addresses, which holds :: and ::1, too


class Refused(Exception):
    """An address to which nothing may be sent. The text says which and why, and what an operator can do."""


class Allowed(NamedTuple):
    """An entry of `alerts.allow`: a network, or the name of a host; with a port, or None for every port."""

    network: Network | None
    host: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """`10.0.0.0/8`, `10.1.2.3`, `10.1.2.3:9093`, `[fd00::1]:9093`, `alertmanager.internal:9093`. ConfigError names a text that is none of these."""
        wrong = ConfigError(f"{text!r} is neither a network nor host:port", remedy="write 10.0.0.0/8, or alertmanager.internal:9093")
        try:
            return cls(ipaddress.ip_network(text, strict=False), "", None)
        except ValueError:
            host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16 or not host or any(map(str.isspace, host)):
            raise wrong
        try:
            return cls(ipaddress.ip_network(host.strip("[]"), strict=False), "", int(port))
        except ValueError:
            if "/" in host or ":" in host:
                raise wrong from None
            return cls(None, host.lower().rstrip("."), int(port))

    def holds(self, host: str, address: Address, port: int) -> bool:
        """Whether a connection to this address, which was asked for by this name, is meant."""
        if self.port not in {None, port}:
            return False
        return self.host == host.lower().rstrip(".") if self.network is None else address in self.network


class Guard:
    """Judges addresses. `allow` are the operator's entries; with `loopback` the machine itself is allowed, too."""

    def __init__(self, allow: Iterable[str] = (), *, loopback: bool = False) -> None:
        self._allow = tuple(Allowed.parse(text) for text in allow)
        self._loopback = loopback

    def check(self, host: str, port: int, addresses: Sequence[str]) -> list[str]:
        """The addresses that `host` resolves to, if all are allowed; Refused names the first that is not."""
        if not addresses:
            raise Refused(f"the name {host} has no address")
        for text in addresses:
            if why := self._fault(host, ipaddress.ip_address(text.partition("%")[0]), port):
                raise Refused(why if host == text else f"{host} is at {text}: {why}")
        return list(addresses)

    def check_literal(self, host: str, port: int) -> None:
        """Raise Refused if `host` is an address, in any form that systems take, and not allowed. A name is judged when it is connected to."""
        if (address := literal(host)) is not None and (why := self._fault(host, address, port)):
            raise Refused(why)

    def _fault(self, host: str, address: Address, port: int) -> str:
        """Why nothing may be sent there; empty if it may."""
        inner, wrapped = _inner(address)
        for words, networks in _NEVER:
            if any(inner in network or address in network for network in networks):
                return f"{address} is {words}, to which nothing is ever sent"
        if any(entry.holds(host, one, port) for entry in self._allow for one in (address, inner)):
            return ""
        if self._loopback and not wrapped and any(inner in network for network in _LOOPBACK):
            return ""
        words = next((words for words, networks in _INSIDE if any(inner in network for network in networks)), wrapped)
        return f"{address} is {words}, and the setting alerts.allow does not name it" if words else ""


def found(infos: Iterable[tuple[object, object, object, object, tuple[object, ...]]]) -> list[str]:
    """The addresses in an answer of `getaddrinfo`, each once."""
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


def literal(host: str) -> Address | None:
    """The address that a host is, in any form that `inet_aton` (`127.1`, `0x7f000001`, `2130706433`) or IPv6 takes; None for a name."""
    text = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(text))
    except (OSError, ValueError):  # ValueError: a NUL, or letters beyond ASCII
        return None


def _inner(address: Address) -> tuple[Address, str]:
    """The IPv4 address that an IPv6 address leads to, or the address itself; and the words for a way that must be allowed for itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped, ""
        last = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if address in _NAT64:
            return last, "an address of a translator (NAT64)"
        if address in _COMPATIBLE and int(address) > 1:
            return last, "an IPv4 address in an old form"
    return address, ""
