"""The connection of the client to a server: it repeats requests while the server is away or asks to wait, and reads problem documents.

It needs httpx and no other part of Watchkeeper.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

URL = "http://127.0.0.1:8650"
_LATER = {429, 502, 503, 504}  # the same request may succeed later


class ClientError(Exception):
    """A request did not succeed. The message says what was wrong, and `remedy` what to do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} ({remedy})" if remedy else message)
        self.message = message
        self.remedy = remedy


class Unavailable(ClientError):
    """The server could not be reached, or asked to wait for longer than the client's patience."""


class Refused(ClientError):
    """The server refused the request; `status` is the HTTP status, `problem` the problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        title, detail = problem.get("title") or f"HTTP {status}", problem.get("detail")
        super().__init__(f"{title}: {detail}" if detail else str(title), remedy=str(problem.get("remedy") or ""))
        self.status = status
        self.problem = dict(problem)


class ServerConnection:
    """Requests to one Watchkeeper; safe to share between threads. The parameters are those of `watchkeeper.client.Client`."""

    def __init__(
        self, url: str | None, token: str | None, *, patience: float, timeout: float, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = (url or os.environ.get("WATCHKEEPER_URL") or URL).rstrip("/")
        token = token or os.environ.get("WATCHKEEPER_TOKEN")
        self._patience = patience
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=timeout,
            transport=transport,
            trust_env=urlsplit(self.url).hostname not in {"127.0.0.1", "localhost", "::1"},  # no proxy is used for this machine itself
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _pages(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._json("GET", path, params={**params, "cursor": cursor})
            yield from page["items"]
            if (cursor := page.get("next")) is None:
                return

    def _parts(self, path: str, params: Mapping[str, Any]) -> Iterator[bytes]:
        """The body of a large answer as it comes. It is not asked for again."""
        given = {name: value for name, value in params.items() if value is not None}
        encoded("".join(map(str, given.values())))
        try:
            with self._http.stream("GET", path, params=given) as response:
                if not response.is_success:
                    response.read()
                    raise Refused(response.status_code, _problem(response))
                yield from response.iter_bytes()
        except httpx.TransportError as error:
            fault = str(error) or type(error).__name__
            raise Unavailable(f"GET {self.url}{path}: {fault}", remedy="ask again once the server answers `watchkeeper status`") from None

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._request(method, path, **options).json()
        return answer

    def _request(self, method: str, path: str, *, taken: tuple[int, ...] = (), **options: Any) -> httpx.Response:
        """A request, repeated while the server is away or asks to wait. All our requests are safe to repeat."""
        if "params" in options:
            options["params"] = {name: value for name, value in options["params"].items() if value is not None}
            encoded("".join(map(str, options["params"].values())))
        deadline, pause = time.monotonic() + self._patience, 0.05
        while True:
            try:
                response = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                wait, fault = pause, str(error) or type(error).__name__
            else:
                if response.is_success or response.status_code in taken:
                    return response
                if response.status_code not in _LATER:
                    raise Refused(response.status_code, _problem(response))
                wait, fault = max(pause, _after(response)), f"HTTP {response.status_code}"
            wait *= random.uniform(1.0, 1.25)  # noqa: S311 - spreads clients, guards nothing
            if time.monotonic() + wait > deadline:
                raise Unavailable(
                    f"{method} {self.url}{path}: {fault}", remedy="is `watchkeeper up` running there? Set --url or WATCHKEEPER_URL"
                )
            time.sleep(wait)
            pause = min(2 * pause, 5.0)


def quoted(name: str) -> str:
    """A name as a part of an address."""
    return quote(encoded(name), safe="")


def encoded(text: str) -> bytes:
    """A text in UTF-8. Lone surrogates, which JSON, YAML and Python's decoding of bad bytes can produce, cannot be encoded."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        near = ascii(text[max(0, error.start - 20) : error.end + 20])
        raise ClientError(f"a text holds half a surrogate pair: {near}", remedy="write the character itself, in UTF-8") from None


def _after(response: httpx.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        problem = response.json()
    except ValueError:
        problem = None
    return problem if isinstance(problem, dict) else {"title": f"HTTP {response.status_code}", "detail": response.text[:500]}
