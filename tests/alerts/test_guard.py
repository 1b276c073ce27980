"""The guard: hostile addresses are refused in every form, before and after a name is looked up, whatever an operator allows."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpcore
import pytest

from alerts import exchange
from alerts.deliver import Deliverer
from alerts.destination.document import destination_from
from alerts.destination.message import Unsent
from alerts.engine import AlertEngine
from alerts.exchange import Exchange
from alerts.guard import Allowed, Guard, Refused, literal
from core import moment
from core.clock import ManualClock
from core.episode import DeliveryState
from core.error import ConfigError
from detectors.catalogue import MEASURES
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import MONITOR, SECRET, at, reading

NEVER = [
    *("169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"),
    *("::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::a9fe:a9fe", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.16689662"),
    *("224.0.0.1", "239.255.255.250", "ff02::1", "0.0.0.0", "0", "::", "::ffff:0.0.0.0", "255.255.255.255", "240.0.0.1"),  # noqa: S104
    *("fe80::1", "fe80::1%lo", "fec0::1", "2002:7f00:1::", "2002:808:808::", "2001:0:1::1", "192.88.99.1", "64:ff9b:1::a00:1"),
    *("192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "100::1"),
]
INSIDE = [
    *("127.0.0.1", "127.1", "127.255.255.254", "2130706433", "0x7f.1", "017700000001", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"),
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "198.18.0.1", "fc00::1", "fd12::1", "64:ff9b::a00:1"),
    *("64:ff9b::808:808", "::8.8.8.8", "::ffff:10.0.0.1", "10.1", "0300.0250.1"),
]
EVERYTHING = Guard(["0.0.0.0/0", "::/0"], loopback=True)


@pytest.mark.parametrize("address", NEVER)
def test_what_is_never_allowed_is_refused_however_wide_the_operator_allows(address: str) -> None:
    """Metadata, link-local, multicast, unspecified, tunnels and reserved addresses, also inside of others and in each form of a number."""
    with pytest.raises(Refused, match="to which nothing is ever sent"):
        EVERYTHING.check_literal(address, 443)


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_inside_is_refused_until_it_is_named(address: str) -> None:
    """Loopback and private addresses, and IPv4 behind a translator."""
    with pytest.raises(Refused, match=r"the setting alerts\.allow does not name it"):
        Guard().check_literal(address, 443)
    EVERYTHING.check_literal(address, 443)


@pytest.mark.parametrize("address", [*NEVER, *INSIDE])
def test_what_a_name_leads_to_is_judged_too(address: str) -> None:
    """Of all answers, also if the first is good."""
    found = str(literal(address))
    with pytest.raises(Refused, match=r"example\.org is at "):
        Guard().check("example.org", 443, ["8.8.8.8", found])


def test_public_addresses_pass() -> None:
    """Of both families; a name is no address."""
    for address in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "172.32.0.1", "example.org"):
        Guard().check_literal(address, 443)
    assert Guard().check("example.org", 443, ["8.8.8.8", "2606:4700::1111"]) == ["8.8.8.8", "2606:4700::1111"]
    with pytest.raises(Refused, match="has no address"):
        Guard().check("example.org", 443, [])


@pytest.mark.parametrize(
    ("entry", "host", "address", "port", "passes"),
    [
        ("10.0.0.0/8", "10.1.2.3", "10.1.2.3", 80, True),
        ("10.0.0.0/8:443", "10.1.2.3", "10.1.2.3", 443, True),
        ("10.0.0.0/8:443", "10.1.2.3", "10.1.2.3", 80, False),
        ("10.1.2.3", "am.internal", "10.1.2.3", 80, True),
        ("[fd00::1]:9093", "am.internal", "fd00::1", 9093, True),
        ("am.internal:9093", "AM.internal.", "10.1.2.3", 9093, True),
        ("am.internal:9093", "am.internal", "10.1.2.3", 9094, False),
        ("am.internal:9093", "other.internal", "10.1.2.3", 9093, False),
        ("am.internal:9093", "am.internal", "169.254.169.254", 9093, False),
    ],
)
def test_an_operator_allows_networks_and_hosts_with_ports(entry: str, host: str, address: str, port: int, passes: bool) -> None:
    """No more than what is written."""
    guard = Guard([entry])
    if passes:
        assert guard.check(host, port, [address]) == [address]
    else:
        with pytest.raises(Refused):
            guard.check(host, port, [address])


@pytest.mark.parametrize("entry", ["", "am.internal", "am.internal:0", "am.internal:70000", "10.0.0.0/40", "a b:80", "::1:80x", ":80"])
def test_what_is_no_entry_is_refused(entry: str) -> None:
    """With what to write."""
    with pytest.raises(ConfigError, match="neither a network nor host:port"):
        Allowed.parse(entry)


def test_a_name_that_changes_its_address_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once, and the connection goes to the address that was judged, also if the name leads to loopback a moment later."""
    answers, connected = ["8.8.8.8", "127.0.0.1"], []

    async def lookup(self: object, host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    class Inner(httpcore.AnyIOBackend):
        async def connect_tcp(self, host: str, port: int, *_: Any) -> httpcore.AsyncNetworkStream:
            connected.append((host, port))
            raise httpcore.ConnectError("nobody is there")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", lookup)
    monkeypatch.setattr(httpcore, "AnyIOBackend", Inner)
    there = Exchange(guard=Guard())
    with pytest.raises(Unsent, match="ConnectError"):
        there.post("http://rebinding.example/hook", "{}", {})
    assert connected == [("8.8.8.8", 80)]
    with pytest.raises(Refused, match=r"rebinding\.example is at 127\.0\.0\.1"):
        there.post("http://rebinding.example/hook", "{}", {})
    assert len(connected) == 1
    there.close()


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    """A proxy would make the connection in our place, past the guard."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    there = exchange.Exchange(guard=Guard())
    with pytest.raises(Refused):
        there.post("http://127.0.0.1:9/hook", "{}", {})
    assert receiver.calls == []
    there.close()


def test_a_refused_notification_waits_with_the_reason(store: ControlStore, clock: ManualClock, receiver: Receiver) -> None:
    """Nothing was connected to. It is tried again, because a name may have had a wrong address for a moment, and counts as a failure of the receiver."""
    store.apply_destinations([at(receiver.url.replace("127.0.0.1", "localhost"))])
    AlertEngine(store, clock, MEASURES).observe(MONITOR, [reading(0, "critical")])
    deliverer = Deliverer(store, clock, guard=Guard())
    deliverer.deliver_due()
    deliverer.stop()
    (delivery,) = store.episodes()[0][0].deliveries
    assert (delivery.state, delivery.attempts, receiver.calls) == (DeliveryState.PENDING, 1, [])
    assert [one.failures for one in store.endpoints()] == [1]
    assert delivery.reason.startswith("not allowed: localhost is at ")
    assert delivery.reason.endswith("the setting alerts.allow does not name it")
    clock.advance(moment.MINUTE)
    later = Deliverer(store, clock, guard=Guard(loopback=True))
    later.deliver_due()
    later.stop()
    assert len(receiver.calls) == 1


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:a9fe:a9fe]", "0x7f000001", "127.1", "[::1]", "10.0.0.1:8080"])
def test_apply_refuses_addresses_in_numbers(host: str) -> None:
    """With the field and what to do; a name is judged later."""
    document = {"destination": "oncall", "url": f"http://{host}/hook", "secret": SECRET}
    with pytest.raises(ConfigError, match="destination `oncall`: `url`: ") as refused:
        destination_from(document, Guard())
    assert "alerts.allow" in str(refused.value.remedy)
    destination_from({**document, "url": "http://localhost/hook"}, Guard())
