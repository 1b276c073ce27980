"""The stages of one attempt to deliver. Each stage takes the attempt and returns it one step further; an attempt with a result skips the later stages."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import unquote, unquote_plus, urlsplit

import msgspec

from alerts import retry
from alerts.action_link import no_links, signatures, with_links
from alerts.destination.kind import kind
from alerts.destination.message import Message, Rejected, Transport, Unsent
from alerts.destination.secret_file import SecretFiles
from alerts.guard import Refused
from core.clock import Clock
from core.destination import Destination
from core.endpoint import Tried
from core.episode import Delivery, DeliveryState


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, begun at `now`, ended at `ended`. `done` is the delivery to save; the attempt goes on until a stage sets it.

    `secrets` is what no answer is kept with.
    """

    delivery: Delivery
    now: int
    ended: int | None = None
    destination: Destination | None = None
    message: Message | None = None
    secrets: tuple[str, ...] = ()
    status: int | None = None
    retry_after: str | None = None
    said: str = ""
    failure: str = ""
    done: Delivery | None = None


_LOG = logging.getLogger(__name__)
_SAID, _KEPT = 200, 2_000  # letters of an answer that a reason holds, and an attempt
_TOKEN = 8  # letters of the shortest part of an address that may be a token

Stage = Callable[[Attempt], Attempt]
Links = Callable[[Delivery, Destination], Mapping[str, str]]
"""By action the links of a notification to a destination."""


def run(stages: tuple[Stage, ...], attempt: Attempt, luck: float = 0.0) -> tuple[Delivery, Tried | None]:
    """Run the stages. Returns the delivery to save, and what the attempt says of the receiver; None if there was no attempt."""
    for stage in stages:
        attempt = stage(attempt)
        if attempt.done is not None:
            return attempt.done, _tried(attempt, attempt.done, luck)
    raise AssertionError("the last stage must bring an outcome")


def _tried(attempt: Attempt, done: Delivery, luck: float) -> Tried | None:
    if done.attempts == attempt.delivery.attempts:
        return None
    ended = attempt.now if attempt.ended is None else attempt.ended
    return Tried(
        began=attempt.now,
        ended=ended,
        status=attempt.status,
        reason=done.reason if not attempt.said else f"answered {attempt.status}: {attempt.said}",
        pace=kind(attempt.destination.kind).pace if attempt.destination else 0,
        asked=retry.asked(attempt.retry_after, ended),
        luck=luck,
        gone=attempt.status == retry.GONE,
        to=attempt.destination,
    )


def expire(attempt: Attempt) -> Attempt:
    """Give up a notification that is older than three days."""
    if attempt.now - attempt.delivery.waits_since <= retry.GIVE_UP:
        return attempt
    return _end(attempt, DeliveryState.DEAD, f"given up after three days: {attempt.delivery.reason}")


class Render:
    """Makes the message that the destination's kind sends."""

    def __init__(self, destinations: Mapping[str, Destination], files: SecretFiles, links: Links = no_links) -> None:
        self._destinations, self._files, self._links = destinations, files, links

    def __call__(self, attempt: Attempt) -> Attempt:
        """Add destination and message, or a failure that may be temporary if no message can be made now."""
        destination = self._destinations.get(attempt.delivery.destination)
        if destination is None:
            return _end(attempt, DeliveryState.DEAD, "there is no such destination any more")
        links = self._links(attempt.delivery, destination)  # a store that is away says nothing of the message
        try:
            settings = self._files.opened(destination.settings)
            message = kind(destination.kind).render(settings, with_links(attempt.delivery, links), attempt.now)
        except Unsent as error:
            return _unsent(attempt, error)
        except Exception as error:  # a notification that a kind cannot say must not hold up those behind it
            _LOG.exception("the notification %s cannot be rendered for %s", attempt.delivery.id, destination.name)
            return _unsent(attempt, Rejected(f"the message cannot be made: {type(error).__name__}"))
        secrets = (*_secrets(destination, settings, message), *signatures(links))
        return msgspec.structs.replace(attempt, destination=destination, message=message, secrets=secrets)


class Send:
    """Sends the message, and reads the answer's status."""

    def __init__(self, wire: Transport, clock: Clock) -> None:
        self._wire, self._clock = wire, clock

    def __call__(self, attempt: Attempt) -> Attempt:
        """Add the status, or the failure."""
        if attempt.failure or attempt.destination is None or attempt.message is None:
            return attempt
        try:
            answer = kind(attempt.destination.kind).send(self._wire, attempt.message)
        except Refused as error:
            # A name may be at another address later, and the operator may allow this one.
            return msgspec.structs.replace(attempt, ended=self._clock.now(), failure=f"not allowed: {error}")
        except Unsent as error:
            return _unsent(msgspec.structs.replace(attempt, ended=self._clock.now()), error)
        ended = self._clock.now()
        said = hidden(answer.said, attempt.secrets)
        return msgspec.structs.replace(attempt, ended=ended, status=answer.status, retry_after=answer.retry_after, said=said)


class Judge:
    """Decides the result: delivered, given up, or due again later, counted from the end of the attempt."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def __call__(self, attempt: Attempt) -> Attempt:
        """Add the result."""
        if attempt.status is not None and 200 <= attempt.status < 300:
            return _end(attempt, DeliveryState.DELIVERED, "")
        reason = attempt.failure or f"answered {attempt.status}" + (f": {attempt.said[:_SAID]}" if attempt.said else "")
        if attempt.status is not None and retry.final(attempt.status):
            return _end(attempt, DeliveryState.DEAD, f"refused: {reason}")
        ended = attempt.now if attempt.ended is None else attempt.ended
        pause = retry.wait(attempt.delivery.attempts + 1, attempt.retry_after, ended, self._dice)
        return _end(attempt, DeliveryState.PENDING, reason, due=ended + pause)


def hidden(said: str, secrets: Iterable[str]) -> str:
    """What a receiver said, without secrets, in case it says them back. It is cut afterwards, so that no part of one is left."""
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
        said = said.replace(secret, "***")
    return said[:_KEPT]


def _secrets(destination: Destination, settings: Mapping[str, str], message: Message) -> tuple[str, ...]:
    """What the destination names as secret, what its files held, and the longer parts of the address, each of which may be a token."""
    held = [word for name, said in settings.items() if name not in destination.settings for word in (said, *said.split())]
    parts = urlsplit(message.to) if "://" in message.to else urlsplit("")
    of_query = [part for pair in parts.query.split("&") for part in (pair, pair.partition("=")[2])]
    words = [*parts.path.split("/"), parts.path.strip("/"), parts.query, *of_query, parts.username or "", parts.password or ""]
    long = [form for word in words for form in (word, unquote(word), unquote_plus(word)) if len(form) >= _TOKEN]
    return tuple(dict.fromkeys(word for word in (*destination.secrets, *held, *long) if word))


def _unsent(attempt: Attempt, error: Unsent) -> Attempt:
    """A failure that may be temporary, or the end if the message will not be taken."""
    failed = msgspec.structs.replace(attempt, failure=str(error))
    return _end(failed, DeliveryState.DEAD, f"refused: {error}") if isinstance(error, Rejected) else failed


def _end(attempt: Attempt, state: DeliveryState, reason: str, *, due: int | None = None) -> Attempt:
    tried = attempt.status is not None or attempt.failure != "" or state is DeliveryState.DELIVERED
    delivery = attempt.delivery
    done = msgspec.structs.replace(
        delivery,
        state=state,
        attempts=delivery.attempts + tried,
        last_status=attempt.status if tried else delivery.last_status,
        due=delivery.due if due is None else due,
        reason=reason,
    )
    return msgspec.structs.replace(attempt, done=done)
