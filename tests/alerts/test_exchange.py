"""One deadline for a whole request, whatever the receiver does with it."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any

import pytest

from alerts import deliver, stage
from alerts.deliver import Deliverer
from alerts.destination.message import Answer, Message, Unsent
from alerts.exchange import Exchange
from alerts.failure import PATIENCE, failures
from core import moment
from core.clock import ManualClock, SystemClock
from core.episode import Delivery, DeliveryState
from storage.control.store import ControlStore
from tests.alerts.receiver import Receiver
from tests.alerts.sample import DESTINATION, at
from tests.alerts.test_deliverers import fill

SECONDS = 1.0
PIECES = {
    "silence": iter,
    "a byte of the status line now and then": lambda _: repeat(b"H"),
    "a byte of a header now and then": lambda _: chain([b"HTTP/1.1 200 OK\r\nx: "], repeat(b"y")),
    "headers without end": lambda _: chain([b"HTTP/1.1 200 OK\r\n"], (b"x-%d: y\r\n" % number for number in range(10_000))),
    "informational answers without end": lambda _: repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


HANDSHAKE = {"a byte of a TLS handshake now and then": lambda _: chain([b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"], repeat(b"\x00"))}


@contextmanager
def dripping(pieces: str) -> Iterator[str]:
    """The address of a receiver that accepts, reads, and sends its answer in pieces, ten a second, as long as the client reads."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65_536)
            try:
                for piece in (PIECES | HANDSHAKE)[pieces](()):
                    connection.sendall(piece)
                    if over.wait(0.1):
                        return
            except OSError:
                return  # nobody listens any more
            over.wait(600)

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        finally:
            over.set()
            for thread in threads:
                thread.join()


@pytest.mark.parametrize("pieces", PIECES)
def test_the_deadline_is_over_all_of_a_request(pieces: str) -> None:
    """However lively the receiver seems: a timeout that counts from the last byte would never come."""
    exchange = Exchange(SECONDS)
    with dripping(pieces) as url, pytest.raises(Unsent, match="no answer within"):
        exchange.post(url, "{}", {})
    exchange.close()


def mail(exchange: Exchange, server: str) -> Answer:
    return exchange.mail(server, "Subject: x\r\n\r\nx", {"from": "a@example.org", "to": "b@example.org"})


@pytest.mark.parametrize("pieces", ["silence", *HANDSHAKE])
def test_the_deadline_is_over_all_of_a_mail(pieces: str) -> None:
    """Also while TLS begins."""
    exchange = Exchange(SECONDS)
    began = time.monotonic()
    with dripping(pieces) as url:
        with pytest.raises(Unsent, match="no answer within"):
            mail(exchange, url.replace("http", "smtps").removesuffix("/hook"))
        assert time.monotonic() - began < 20 * SECONDS
    exchange.close()


def test_the_deadline_is_over_the_lookup_of_a_mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver may need half a minute."""
    over = threading.Event()

    def wait(*_: object, **__: object) -> list[Any]:
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    exchange = Exchange(SECONDS)
    with pytest.raises(Unsent, match="no answer within"):
        mail(exchange, "smtp://mail.example.org:25")
    over.set()
    exchange.close()


def test_a_mail_that_was_taken_is_not_sent_again() -> None:
    """Whatever the server does afterwards: it says no more."""
    said: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as lines:
            lines.write(b"220 ready\r\n")
            lines.flush()
            while (line := lines.readline()) and not line.startswith(b"QUIT"):
                said.append(line)
                if line == b".\r\n" or not line.startswith((b"Subject", b"\r\n", b"x")):
                    lines.write(b"354 go on\r\n" if line.startswith(b"data") else b"250 OK\r\n")
                    lines.flush()
            if line:
                lines.write(b"421 too many mails\r\n")
                lines.flush()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        exchange = Exchange(10)
        assert mail(exchange, f"smtp://127.0.0.1:{listener.getsockname()[1]}") == (250, None, "")
        thread.join()
        exchange.close()
    assert said[-1] == b".\r\n"


def test_a_body_without_end_is_not_waited_for(receiver: Receiver) -> None:
    """The status is the answer; the body is not read."""
    receiver.answers = [(202, {"Content-Length": "1000000000", "Retry-After": "3"})]
    exchange = Exchange(60)
    assert exchange.post(receiver.url, "{}", {}) == (202, "3", "")
    exchange.close()


def test_slow_receivers_hold_up_no_other(url: str, store: ControlStore, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve of them send a byte now and then; the notification to the thirteenth arrives while all twelve are still at it."""
    monkeypatch.setattr(deliver, "Exchange", lambda guard, produce: Exchange(60, guard, produce))
    with dripping("a byte of a header now and then") as slow:
        fill(store, receiver, [f"slow-{number:02d}" for number in range(12)], 1)
        store.apply_destinations([at(slow, name=f"slow-{number:02d}") for number in range(12)])
        deliverer = Deliverer(store, SystemClock(), poll=0.02)
        deliverer.start()
        fill(store, receiver, ["quick"], 2)
        receiver.wait(2, 30)
        assert store.failing(1) == []  # none of the twelve attempts has ended
        assert store.delivery_counts()[DeliveryState.PENDING] >= 12
    deliverer.stop()
    assert [call.body for call in receiver.calls] == [b'["quick", 0]', b'["quick", 1]']


def test_pauses_count_from_the_end_of_an_attempt(store: ControlStore) -> None:
    """An answer that takes 8 s and asks for 7 s more is followed by the next attempt 15 s after the beginning, not sooner."""
    clock = ManualClock(1_000 * moment.SECOND)

    class Slow(Exchange):
        def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
            clock.advance(8 * moment.SECOND)
            return Answer(429, "7")

    waiting = Delivery(id="msg", destination="oncall", episode="ep", type="episode.fired", body="{}", created=clock.now(), due=clock.now())
    attempt = stage.Attempt(
        delivery=waiting, now=clock.now(), destination=DESTINATION, message=Message("http://127.0.0.1:9/hook", "{}", {})
    )
    begun = clock.now()
    after = stage.Judge(random.Random(1))(stage.Send(Slow(), clock)(attempt)).done
    assert after is not None
    assert (after.state, after.last_status, after.due - begun) == (DeliveryState.PENDING, 429, 15 * moment.SECOND)


def test_a_destination_that_fails_again_and_again_is_told(store: ControlStore, receiver: Receiver) -> None:
    """After three attempts in a row, with the reason; no more when one has succeeded."""
    fill(store, receiver, ["dead", "oncall"], 1)
    receiver.answers = [(503, {}) for _ in range(2 * PATIENCE)]
    clock = ManualClock(SystemClock().now())
    deliverer = Deliverer(store, clock)
    told = []
    for _ in range(PATIENCE + 1):
        deliverer.deliver_due()
        told.append([sentence.split(";")[0] for sentence in failures(store)])
        clock.advance(moment.HOUR)
    deliverer.stop()
    assert told == [
        [],
        [],
        [f"destination {name}: 3 attempts in a row failed, the last: answered 503" for name in ("dead", "oncall")],
        [],
    ]
