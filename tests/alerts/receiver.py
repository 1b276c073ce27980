"""A small receiver of webhooks that answers as it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Condition, Event
from types import TracebackType
from typing import Self

from tests.loopback import Loopback, QuietHandler

HELD = 0  # a status that is not given before `release` is set


@dataclass(frozen=True)
class Call:
    """A request as it came, and the status that it got."""

    body: bytes
    headers: dict[str, str]
    status: int


@dataclass
class Receiver(Loopback):
    """Listens on loopback. `answers` are the next statuses and headers; 204 when there are no more. Whoever gets HELD waits for `release`."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    release: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name is the library's
                body = self.rfile.read(int(self.headers["content-length"]))
                with receiver.changed:
                    status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                    receiver.calls.append(Call(body, {name.lower(): value for name, value in self.headers.items()}, status))
                    receiver.changed.notify_all()
                if status == HELD:
                    receiver.release.wait(600)
                    status = 204
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

        self.listen(Handler)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release.set()
        super().__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{super().url}/hook"

    def wait(self, calls: int, timeout: float = 300.0) -> None:
        """Return when so many calls have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.calls) >= calls, timeout), f"{len(self.calls)} of {calls} calls came"
