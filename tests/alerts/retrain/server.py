"""A server on loopback that behaves as the API of a target. Each API is a class with the rules that its documentation states."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from alerts.retrain.target.message import Request
from core import moment
from core.retrain import Manifest
from tests.loopback import Loopback, QuietHandler

DAY = moment.DAY
REQUEST = Request(
    id="rt_0190c5f0",
    model="flight-delay",
    hook="retrain-delay",
    reason="accuracy fell",
    episodes=("ep_1",),
    manifest=Manifest(start=0, end=DAY, contract=2, version="7", rows=100, labelled=80, segments=("all",)),
    export_url="http://127.0.0.1:8650/v1/exports/training?model=flight-delay",
    callback_url="http://127.0.0.1:8650/v1/retrains/rt_0190c5f0/callback?token=t",
    deadline=2 * DAY,
)


class Asked(NamedTuple):
    """A request. `path` has its escapes resolved, and no query; the names of headers are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)


class Answer(NamedTuple):
    """An answer; what is no text is sent as JSON."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


class Api(Loopback, ABC):
    """An API that is served while it is entered. `refusals` are the next answers, before any rule of the API; `calls` are all requests."""

    def __init__(self) -> None:
        self.refusals: list[Answer] = []
        self.calls: list[Asked] = []
        self.lose = False  # the next answer

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """What the API does and answers."""

    def __enter__(self) -> Self:
        api = self

        class Handler(QuietHandler):
            def _do(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers, body)
                api.calls.append(asked)
                said = api.refusals.pop(0) if api.refusals else api.answer(asked)
                if api.lose:
                    api.lose = False
                    self.close_connection = True
                    return
                text = b"" if said.body is None else said.body.encode() if isinstance(said.body, str) else json.dumps(said.body).encode()
                self.send_response(said.status)
                for name, value in {"content-length": str(len(text)), **said.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = _do  # noqa: N815 - the names are the library's
            do_POST = _do  # noqa: N815

        self.listen(Handler)
        return self
