"""What a kind of destination gives: how its settings are read, how a notice is rendered for it, and how that is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from core.episode import Delivery


class Message(NamedTuple):
    """A notice as a destination takes it: where it goes, its body, and headers."""

    to: str
    body: str
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """What the receiver said, in HTTP's numbers."""

    status: int
    retry_after: str | None = None


class Unsent(Exception):
    """A message could not be made or sent now; why, without what may be secret."""


class Transport(Protocol):
    """Sends HTTP requests."""

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """The answer. Raises Unsent where there is none."""
        ...


class DestinationKind(NamedTuple):
    """A kind of destination.

    `fields` are those that people may write besides the name, the kind, `models` and `severity`. `settings` takes the document and gives them checked, or raises
    ConfigError without the destination's name. `render` makes the message of a delivery at a time (microseconds) and `send` sends it; both raise Unsent, which may pass.
    """

    name: str
    fields: tuple[str, ...]
    settings: Callable[[Mapping[str, Any]], dict[str, str]]
    render: Callable[[Mapping[str, str], Delivery, int], Message]
    send: Callable[[Transport, Message], Answer]
