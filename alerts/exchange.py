"""An HTTP request with one deadline for all of it: looking up the name, connecting, TLS, informational answers, and the headers of the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx

from alerts.destination.message import Answer, Unsent

DEADLINE = 15.0  # seconds
_LOOKUPS = 64  # names that are looked up at the same time: each takes a thread for as long as the system's resolver needs


class Exchange:
    """Sends requests from any number of threads, and never follows a redirect. It starts a loop at its first use; `close` ends it.

    An HTTP client's timeout counts from the last byte, so a receiver that sends a byte every few seconds would never be late. The loop here ends
    the whole request in time. The body of the answer is not read.
    """

    def __init__(self, seconds: float = DEADLINE) -> None:
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            timeout=None,  # noqa: S113  # the deadline is ours
            limits=httpx.Limits(max_connections=None),
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": "watchkeeper"},
        )
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """The answer. Raises Unsent with only the kind of the failure, because its message may hold the address."""
        try:
            return asyncio.run_coroutine_threadsafe(self._post(url, body, headers), self._running()).result()
        except TimeoutError:
            raise Unsent(f"no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: a host `xn--` that encodes no name
            raise Unsent(f"no answer: {type(error).__name__}") from None

    def close(self) -> None:
        """Close the connections. No request may be under way."""
        with self._lock:
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is not None and thread is not None:
            asyncio.run_coroutine_threadsafe(self._client.aclose(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        async with asyncio.timeout(self._seconds), self._client.stream("POST", url, content=body, headers=headers) as response:
            return Answer(response.status_code, response.headers.get("retry-after"))

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._loop.set_default_executor(ThreadPoolExecutor(_LOOKUPS, "lookup"))
                self._thread = threading.Thread(target=self._loop.run_forever, name="exchange", daemon=True)
                self._thread.start()
            return self._loop
