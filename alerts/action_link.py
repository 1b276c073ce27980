"""Links in notices: each lets whoever got the notice do one thing, without a token, until it expires.

The key of the links is that of all signed addresses. A link names the destination that it was sent to, in whose name it acts. It is good for as long as that destination has the same receiver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import parse_qs, urlsplit

import msgspec

from alerts.destination.kind import kind
from alerts.retrain.tell import AWAITING, about
from alerts.step import FIRED
from core import moment
from core.destination import Destination
from core.episode import Delivery
from core.policy import DIGEST, UPDATED
from core.policy import FIRED as GROUP_FIRED
from core.signed_address import SIGNATURE, parts_of, signed_address

PATH = "/link"
LIFETIME = 7 * moment.DAY
_PURPOSE = "action"
_NAMES = ("action", "subject", "to")
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((FIRED, GROUP_FIRED, UPDATED, DIGEST), ("acknowledge", "silence")),
    AWAITING: ("approve",),
}


class ActionLink(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a recipient may do: `acknowledge` or `silence` an episode, group or digest, or `approve` a request for retraining. `to` is the destination."""

    action: str
    subject: str
    to: str
    expires: int

    @property
    def sent(self) -> int:
        """When the notice was made."""
        return self.expires - LIFETIME

    def address(self, base: str, key: bytes, destination: Destination) -> str:
        """The address of this link at the server `base`, for the destination that it is sent to."""
        return signed_address(base + PATH, _purpose(destination), key, self.expires, action=self.action, subject=self.subject, to=self.to)


def link_of(given: Mapping[str, str], destinations: Iterable[Destination], key: bytes, now: int) -> ActionLink:
    """The link of an address's parameters; others are ignored, since mail systems add some. Raises Refused."""
    there = next((one for one in destinations if one.name == given.get("to") and linked(one)), None)
    # Without a destination no signature is right, and the answer is the same: it does not tell which names there are.
    action, subject, to = parts_of(given, _NAMES, _PURPOSE if there is None else _purpose(there), key, now)
    return ActionLink(action=action, subject=subject, to=to, expires=moment.parse(given["expires"]))


def _purpose(destination: Destination) -> str:
    """What links to a destination are signed for: acts of its receiver. Whoever got notices before it had another one does not act by its name."""
    receiver = msgspec.json.encode((destination.kind, destination.settings), order="deterministic")
    return f"{_PURPOSE} {hashlib.sha256(receiver).hexdigest()}"


def linked(destination: Destination) -> bool:
    """Whether notices to a destination have such links: as it says, else as is usual for its kind."""
    usual = kind(destination.kind).links
    return usual is not None and (usual if destination.links is None else destination.links)


class ActionLinks:
    """Makes the links of notices; `key` is asked once, when it is needed first."""

    def __init__(self, base: str, key: Callable[[], bytes]) -> None:
        self._base, self._ask = base, key
        self._key: bytes | None = None

    def __call__(self, delivery: Delivery, destination: Destination) -> dict[str, str]:
        """By action the addresses for a notification; they are the same at each attempt. Raises Retryable if the key cannot be read."""
        actions = _ACTIONS.get(delivery.type, ())
        if not actions or not linked(destination):
            return {}
        if self._key is None:
            self._key = self._ask()
        subject = about(delivery.episode)
        expires = delivery.waits_since + LIFETIME
        made = (ActionLink(action=one, subject=subject, to=destination.name, expires=expires) for one in actions)
        return {one.action: one.address(self._base, self._key, destination) for one in made}


def no_links(_delivery: Delivery, _destination: Destination) -> dict[str, str]:
    """None, for deliverers without a server."""
    return {}


def with_links(delivery: Delivery, links: Mapping[str, str]) -> Delivery:
    """The notification with links in its data. They are made when it is sent and are not stored: whoever may read notifications could act by them."""
    if not links:
        return delivery
    body = msgspec.json.decode(delivery.body)
    body["data"]["links"] = {**(body["data"].get("links") or {}), **links}
    return msgspec.structs.replace(delivery, body=msgspec.json.encode(body).decode())


def signatures(links: Mapping[str, str]) -> list[str]:
    """What in links is secret."""
    return [one for address in links.values() for one in parse_qs(urlsplit(address).query)[SIGNATURE]]
