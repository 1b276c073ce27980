"""The content security policy: only our own scripts and styles, nothing is loaded from elsewhere, and nothing is sent elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

nonce: ContextVar[str] = ContextVar("nonce", default="")


class ContentSecurityPolicy:
    """Adds the policy to every page that has none of its own. `hashes` gives the hashes of the inline scripts; it is called at the first page, after the warm-up."""

    def __init__(self, app: ASGIApp, *, hashes: Callable[[], Iterable[str]]) -> None:
        self._app = app
        self._hashes = hashes
        self._scripts = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the policy to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        once = secrets.token_urlsafe(16)
        nonce.set(once)

        async def guarded(message: Message) -> None:
            told = dict(message["headers"]) if message["type"] == "http.response.start" else {}
            if told.get(b"content-type", b"").startswith(b"text/html") and b"content-security-policy" not in told:
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", self._policy(once).encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        await self._app(scope, receive, guarded)

    def _policy(self, once: str) -> str:
        self._scripts = self._scripts or " ".join(dict.fromkeys(self._hashes()))
        return (
            f"default-src 'none'; script-src 'self' {self._scripts}; style-src-elem 'self' 'nonce-{once}'; style-src-attr 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
