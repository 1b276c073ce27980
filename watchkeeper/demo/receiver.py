"""A small receiver of webhooks, which checks signatures and reports what came."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


def new_secret() -> str:
    """A secret of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


class Receiver:
    """Listens on 127.0.0.1 while it is entered; `tell` is called with the payload of every webhook with a valid signature.

    `url` and `secret` are for a destination or a hook; a port of 0 is a free one, and a secret is made unless it is given. `forged` counts the requests with an invalid signature.
    """

    def __init__(self, tell: Callable[[dict[str, Any]], None], port: int = 0, secret: str = "") -> None:
        self.secret = secret or new_secret()
        self.forged = 0
        self._tell = tell
        self._verifier = Webhook(self.secret)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="receiver", daemon=True)

    @property
    def url(self) -> str:
        """Where to send webhooks."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """The HTTP status for a request."""
        try:
            self._verifier.verify(body, headers)
        except WebhookVerificationError:
            self.forged += 1
            return 401
        self._tell(json.loads(body))
        return 204


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(receiver.take(body, {name.lower(): value for name, value in self.headers.items()}))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: `tell` reports what came."""

    return Handler


def sentence(payload: dict[str, Any]) -> str:
    """One line about a webhook's payload: what happened, to which model, where and when, and the page that says more."""
    episode = payload["data"]
    about = " ".join(part for part in (episode.get("measure"), episode.get("column")) if part)
    segment = "" if episode.get("segment") in (None, "all") else f" for {episode['segment']}"
    value = episode.get("value")
    number = f", value {value:.4g}" if isinstance(value, int | float) else ""
    window = f" in the window from {episode['window_start']}" if episode.get("window_start") else ""
    link = f", {episode['url']}" if episode.get("url") else ""
    return f"{payload['type']}: {episode.get('model')} {about}{segment} is {episode.get('level')}{number}{window}{link}"
