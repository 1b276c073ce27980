"""HTTP answers of the dashboard: files are compressed once and cached for good, other answers are compressed as they come, unknown paths are refused."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import brotli  # type: ignore[import-untyped]
from dash.fingerprint import check_fingerprint
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FOREVER = b"public, max-age=31536000, immutable"


class KnownPaths:
    """Answers 404 outside of the known paths (a `/` at the end stands for all below), because Dash answers every path with its page; `/` leads to `home`."""

    def __init__(self, app: ASGIApp, *, prefixes: tuple[str, ...], home: str) -> None:
        self._app = app
        self._prefixes = prefixes
        self._home = home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, redirect or refuse."""
        path = scope.get("path", "")
        app = self._app
        if scope["type"] == "http":
            if path == "/" or path == self._home.rstrip("/"):
                app = RedirectResponse(self._home, 307)
            elif not any(path == prefix.rstrip("/") or (prefix.endswith("/") and path.startswith(prefix)) for prefix in self._prefixes):
                body = {
                    "title": "Not found",
                    "status": 404,
                    "detail": f"there is nothing at {path}",
                    "remedy": f"the dashboard is at {self._home}, the API under /v1",
                }
                app = JSONResponse(body, 404, media_type="application/problem+json")
        await app(scope, receive, send)


class ServedAssets:
    """Keeps the files of Dash and of `assets` in memory, compressed; compresses the answers of callbacks."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app = app
        self._kept: dict[str, tuple[bytes, bytes, bytes, bytes]] = {}
        self._files = (f"{prefix}_dash-component-suites/", f"{prefix}assets/")
        self._answers = tuple(f"{prefix}_dash-{name}" for name in ("update-component", "layout", "dependencies"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, compress, or pass on."""
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith(self._files):
            await self._file(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in self._answers:
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _file(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(scope["headers"])
        plain, named = check_fingerprint(scope["path"])  # type: ignore[no-untyped-call]  # one entry a file, whatever fingerprint a client makes up
        if plain not in self._kept:
            status, inner, body = await gather(self._app, {**scope, "path": plain, "raw_path": plain.encode(), "headers": []}, receive)
            if status != 200:
                await PlainTextResponse("not found", 404)(scope, receive, send)
                return
            tag = b'"' + hashlib.blake2b(body, digest_size=16).hexdigest().encode() + b'"'
            self._kept[plain] = inner[b"content-type"], tag, body, await asyncio.to_thread(brotli.compress, body, quality=5)
        kind, tag, body, packed = self._kept[plain]
        headers = {b"content-type": kind, b"etag": tag, b"vary": b"accept-encoding", b"x-content-type-options": b"nosniff"}
        headers[b"cache-control"] = _FOREVER if named or b"m=" in scope["query_string"] else b"no-cache"
        if asked.get(b"if-none-match") == tag:
            await _send(send, 304, headers, b"")
        elif b"br" in asked.get(b"accept-encoding", b""):
            await _send(send, 200, headers | {b"content-encoding": b"br"}, packed)
        else:
            await _send(send, 200, headers, body)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, inner, body = await gather(self._app, scope, receive)
        headers = {b"content-type": b"application/json"} | inner | {b"vary": b"accept-encoding"}  # Dash's callback answers have none
        if len(body) > 1024 and b"br" in dict(scope["headers"]).get(b"accept-encoding", b""):
            body, headers[b"content-encoding"] = brotli.compress(body, quality=4), b"br"
        await _send(send, status, headers, body)


async def gather(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[int, dict[bytes, bytes], bytes]:
    """The whole answer of an inner application: status, headers, body."""
    start: dict[str, Any] = {}
    body = bytearray()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return start["status"], dict(start["headers"]), bytes(body)


async def _send(send: Send, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
    headers = {name: value for name, value in headers.items() if name != b"content-length"}
    if body or status == 200:
        headers[b"content-length"] = str(len(body)).encode()
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})
