"""An HTTP request with one deadline for all of it: looking up the name, connecting, TLS, informational answers, and the headers of the answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpcore
import httpx

from alerts import mail
from alerts.destination.message import Answer, Rejected, Unanswered, Unsent
from alerts.guard import Guard, found

DEADLINE = 15.0  # seconds
_LOOKUPS = 64  # names that are looked up at the same time: each takes a thread for as long as the system's resolver needs

_SAID = 4_000  # bytes of an answer that are read if it is no success: more than are kept, so that a secret is whole where it is hidden
_LISTEN = 2.0  # seconds in which they must come
_WHOLE = 1_000_000  # bytes of the answer to a question: a longer one is refused

Produce = Callable[[str, str, Mapping[str, str]], Answer]  # as `Transport.produce`


class Reply(NamedTuple):
    """The whole answer to a question; the names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Network(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that the guard has judged: it looks a name up once, and connects to what was found then."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._sockets = guard, httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first judged address that takes one. Raises Refused, or the library's ConnectError."""
        try:
            infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        failure = httpcore.ConnectError("no address")
        for address in self._guard.check(host, port, found(infos)):
            try:
                return await self._sockets.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    """HTTP over that network. The certificate is checked against the name that was asked for, because only the target of the connection is an address."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(), max_connections=None, network_backend=_Network(guard)
        )


class Exchange:
    """Sends requests from any number of threads, and never follows a redirect. It starts a loop at its first use; `close` ends it.

    An HTTP client's timeout counts from the last byte, so a receiver that sends a byte every few seconds would never be late. The loop here ends
    the whole request in time. The body of an answer is read if the status is no success, and no further than its beginning. With `produce` records are written
    to Kafka.
    """

    def __init__(self, seconds: float = DEADLINE, guard: Guard | None = None, produce: Produce | None = None) -> None:
        self._seconds, self._produce = seconds, produce
        self._guard = guard or Guard(loopback=True)
        self._client = httpx.AsyncClient(
            timeout=None,  # noqa: S113  # the deadline is ours
            transport=_Transport(self._guard),
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "watchkeeper"},
        )
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """The answer. Raises Refused if the guard allows no connection, and else Unsent with only the kind of the failure, because its message may hold the address."""
        try:
            return asyncio.run_coroutine_threadsafe(self._post(url, body, headers), self._running()).result()
        except TimeoutError:
            raise Unsent(f"no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a host `xn--` that encodes no name
            raise Unsent(f"no answer: {type(error).__name__}") from None

    def ask(self, method: str, url: str, body: str, headers: Mapping[str, str]) -> Reply:
        """The whole answer to a request of any method. Raises Refused, Unsent where no connection was made, and Unanswered where the request may have been taken."""
        try:
            return asyncio.run_coroutine_threadsafe(self._ask(method, url, body, headers), self._running()).result()
        except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise Unsent(f"no connection: {type(error).__name__}") from None
        except TimeoutError:
            raise Unanswered(f"no answer within {self._seconds:g} s") from None
        except httpx.HTTPError as error:
            raise Unanswered(f"no answer: {type(error).__name__}") from None

    def mail(self, server: str, body: str, headers: Mapping[str, str]) -> Answer:
        """The answer of a mail server, within the same deadline. Raises Refused, Unsent and Rejected as `alerts.mail.send`."""
        return mail.send(server, body, headers, self._addresses, self._seconds)

    def produce(self, topic: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Write a record. Raises Unsent if that failed, and Rejected if there are no brokers."""
        if self._produce is None:
            raise Rejected("there are no brokers: kafka.bootstrap is not set")
        return self._produce(topic, body, headers)

    def close(self) -> None:
        """Close the connections. No request may be under way."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._client.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def _addresses(self, host: str, port: int, seconds: float) -> list[str]:
        """The judged addresses of a host. Raises Refused, TimeoutError, or OSError if the name has none."""

        async def look() -> list[str]:
            async with asyncio.timeout(seconds):
                infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return self._guard.check(host, port, found(infos))

        return asyncio.run_coroutine_threadsafe(look(), self._running()).result()

    async def _post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        async with asyncio.timeout(self._seconds), self._client.stream("POST", url, content=body, headers=headers) as response:
            return Answer(response.status_code, response.headers.get("retry-after"), "" if response.is_success else await _said(response))

    async def _ask(self, method: str, url: str, body: str, headers: Mapping[str, str]) -> Reply:
        async with asyncio.timeout(self._seconds), self._client.stream(method, url, content=body, headers=headers) as response:
            taken = b""
            async for part in response.aiter_bytes():
                taken += part
                if len(taken) > _WHOLE:
                    raise httpx.HTTPError("the answer is too long")
            return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, taken)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop.set_default_executor(ThreadPoolExecutor(_LOOKUPS, "lookup"))
                self._thread = threading.Thread(target=self._loop.run_forever, name="exchange", daemon=True)
                self._thread.start()
            return self._loop


async def _said(response: httpx.Response) -> str:
    """The beginning of an answer as text, as far as it comes in time."""
    taken = b""
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_LISTEN):
            async for part in response.aiter_raw():
                taken += part[: _SAID - len(taken)]
                if len(taken) >= _SAID:
                    break
    return "".join(letter if letter.isprintable() else " " for letter in taken.decode(errors="replace")).strip()
