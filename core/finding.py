"""Findings of checks: what was checked, whether it is well, and what to do if not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core import moment
from core.error import Fatal, Retryable

CLOCKS = 5 * moment.SECOND  # so far two clocks may differ

# Messages of systems and drivers when there is no connection, and what a person can do; `{setting}` is the setting with the address.
_AWAY = (
    (r"Connection refused", "nothing listens there: start the server, or correct {setting}"),
    (r"[Nn]ame or service not known|[Ff]ailed to resolve|nodename nor servname|No address associated", "correct the host in {setting}"),
    (r"timed? ?out|No route to host|unreachable", "see that the server runs, and that no firewall is between"),
    (
        r"WRONG_VERSION_NUMBER|wrong version number|PLAINTEXT|does not support SSL",
        "the server speaks no TLS on that port: leave TLS out of {setting}",
    ),
    (r"SSL listener|SSL/TLS|HTTPS", "the server wants TLS on that port: ask for it in {setting}"),
    (r"certificate|CERTIFICATE", "give the certificate that signed the server's, or a host name that is in it, in {setting}"),
    (r"SASL|[Aa]uthenticat|password|sasl", "correct the account in {setting}"),
    (
        r"response size|Connection aborted|RemoteDisconnected|does not answer like",
        "another service listens on that port: correct {setting}",
    ),
)


@dataclass(frozen=True)
class Finding:
    """The finding of one check: whether it is well, what was seen, and what to do if not."""

    name: str
    well: bool
    seen: str
    remedy: str = ""


def away(name: str, said: str, setting: str) -> Finding:
    """The finding for a server that cannot be reached, from what its client says; `setting` is the setting that holds its address.

    >>> away("kafka", "Connect to ipv4#127.0.0.1:9 failed: Connection refused", "kafka.bootstrap").remedy
    'nothing listens there: start the server, or correct kafka.bootstrap'
    """
    remedy = next((remedy for text, remedy in _AWAY if re.search(text, said)), "see that the server runs and can be reached from here")
    return Finding(name, well=False, seen=said, remedy=remedy.format(setting=setting))


def refused(name: str, error: Retryable | Fatal, setting: str) -> Finding:
    """The finding for a server that refuses us or is away. A remedy may follow the error's message, after a semicolon."""
    said, _, remedy = str(error).partition("; ")
    return Finding(name, well=False, seen=said, remedy=remedy) if remedy and isinstance(error, Fatal) else away(name, said, setting)


def version(name: str, found: str, least: tuple[int, ...], why: str) -> Finding:
    """The finding for a server's version, such as `26.7.2.1`, against the lowest that will do; `why` says what lower ones lack.

    >>> version("postgresql", "13.9", (14,), "").well
    False
    """
    numbers = tuple(map(int, re.findall(r"\d+", found)))[: len(least)]
    wanted = ".".join(map(str, least))
    return Finding(f"{name} version", numbers >= least, found, f"install {wanted} or later: {why}")


def clock(name: str, asked: int, theirs: int, answered: int) -> Finding:
    """The finding for a server's clock: `theirs` is what it said between `asked` and `answered` of our clock, in microseconds.

    >>> clock("kafka", 0, 7_000_000, 1_000).seen
    '7.0 s ahead of this machine'
    """
    apart = max(asked - theirs, theirs - answered, 0)
    side = "ahead of" if theirs > answered else "behind"
    seen = f"{apart / moment.SECOND:.1f} s {side} this machine" if apart else "as this machine's"
    return Finding(f"{name} clock", apart <= CLOCKS, seen, "let NTP set both clocks: lateness, leases and retention count by them")
