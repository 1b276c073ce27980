"""The interface of a kind of destination: how its settings are read, how a notification is rendered, and how the message is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from core.episode import Delivery


class Message(NamedTuple):
    """A rendered notification: its address, body and headers."""

    to: str
    body: str
    headers: Mapping[str, str]


class Answer(NamedTuple):
    """The receiver's answer: its status, `Retry-After`, and the beginning of what it said if it did not take the message."""

    status: int
    retry_after: str | None = None
    said: str = ""


class Unsent(Exception):
    """A message could not be made or sent now. The text says why, and holds no secrets."""


class Rejected(Unsent):
    """A message that will not be taken, however often it is sent."""


class Unanswered(Unsent):
    """A message to which no answer came, and which may have been taken."""


class Transport(Protocol):
    """Sends messages."""

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """The answer to an HTTP request. Raises Unsent if there is none."""
        ...

    def mail(self, server: str, body: str, headers: Mapping[str, str]) -> Answer:
        """The answer of a mail server, `smtp://user:password@host:port` or `smtps://`, to a mail. Raises Unsent, or Rejected if it will not take it."""
        ...

    def produce(self, topic: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Write a record to a Kafka topic. Raises Unsent, or Rejected if nothing may be written there."""
        ...


class DestinationKind(NamedTuple):
    """A kind of destination.

    `fields` are those that people may write besides the name, the kind, `models` and `severity`. `settings` reads them from the document and checks them; its
    ConfigError does not hold the destination's name. `render` makes the message of a delivery at a time (microseconds), from settings in which each file is
    replaced by what it holds (`alerts.destination.secret_file`), and `send` sends it. Both raise Unsent
    for a failure that may be temporary. `pace` is how long the receiver is left alone after each message (microseconds). `again` makes the message that
    tells once more of what the receiver took last of each episode, if it forgets what nobody repeats. `incidents`: the receiver keeps something open for each
    episode or group until it is told of the end, so it gets no digest. `links`: whether notices usually have links that act without a token
    (`alerts.action_link`); None where nobody would find them.
    """

    name: str
    fields: tuple[str, ...]
    settings: Callable[[Mapping[str, Any]], dict[str, str]]
    render: Callable[[Mapping[str, str], Delivery, int], Message]
    send: Callable[[Transport, Message], Answer]
    pace: int = 0
    again: Callable[[Mapping[str, str], Sequence[Delivery], int], Message] | None = None
    incidents: bool = False
    links: bool | None = None


def post(wire: Transport, message: Message) -> Answer:
    """Send a message as an HTTP request."""
    return wire.post(*message)
