"""A real HTTP server on this machine that gives prepared answers, and records the requests."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """One request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of an NDJSON body."""
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass
class Answer:
    """What is answered."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    """Answers each request by `reply`; `requests` are those that came, in order."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    reply: Callable[[Request], Answer] = lambda request: Answer(body={"accepted": len(request.events), "rejected": 0})


@contextmanager
def listening() -> Iterator[Server]:
    """A server that listens."""
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            parts = urlsplit(self.path)
            request = Request(
                self.command, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), dict(self.headers.items()), body
            )
            told.requests.append(request)
            answer = told.reply(request)
            content = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(content)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.block_on_close = False
        told.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield told
        http.shutdown()
        thread.join()
