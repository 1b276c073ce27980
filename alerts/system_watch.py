"""Tells destinations when Watchkeeper itself has problems: those that `GET /v1/status` names, if they last.

What was told is kept beside the outbox and replaced in the transaction that adds the notifications, so that an incident is told once, whichever process finds it and whoever is killed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from alerts.loop import Loop
from alerts.notification import notifications
from alerts.ports import AlertStore, Ledger
from core import moment
from core.clock import Clock
from core.destination import Destination
from core.episode import Delivery, EpisodeRecord
from core.incident import FIRED, RESOLVED, UPDATED, Incident

HOLD = moment.MINUTE  # how long a problem has to last before it is told, and to be gone before that is
_LISTED = 100  # problems in a notification: each of many monitors may have one
_POLL = 15.0  # seconds between two looks
_LEASE = 3 * moment.MINUTE  # after which another process may go on with an incident
_GRACE = 30.0  # seconds that `stop` waits for a look under way
_CHANGING = re.compile(
    r"\d[\d.,]*(?= (?:s|min|h|d|records|attempts|rows|of the last|GiB)\b)|\d{4}-\d\d-\d\dT[\d:.]+Z|\bmsg_[0-9a-f]+|(?<=before position )\d+"
    r"|(?<=answered \d{3}): .*(?=; (?:its oldest notification|correct what is wrong))",  # what a receiver says may hold the id of the request
    re.DOTALL,
)


class IncidentStore(AlertStore, Protocol):
    """Where the incident is kept."""

    def incident(self) -> Incident | None:
        """The incident that is open."""
        ...


class SystemWatch:
    """Looks in a thread between `start` and `stop`, or when `look` is called. Any number of processes may; one at a time goes on with an incident.

    `problems` are the sentences of the status. `address` is that of the dashboard. `wake` is called when there is something to deliver.
    """

    def __init__(
        self,
        store: IncidentStore,
        problems: Callable[[], Sequence[str]],
        clock: Clock,
        *,
        address: str = "",
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._problems, self._clock = store, problems, clock
        self._address, self._wake, self._me = address, wake, uuid.uuid4().hex
        self._since: dict[str, int] = {}  # when each problem that is there now was first seen
        self._well: int | None = None  # since when there has been none; None while there is one
        self._loop = Loop("system", self.look, _POLL, "problems cannot be told now", at_once=False)

    def start(self) -> None:
        """Begin to look."""
        self._loop.start()

    def stop(self) -> None:
        """Finish the look under way, and end the thread."""
        self._loop.stop(_GRACE)

    def look(self) -> None:
        """Tell what is new. Raises Retryable, having told nothing, while the store is away."""
        now, there = self._clock.now(), {identity(text): text for text in self._problems()}
        self._since = {name: self._since.get(name, now) for name in there}
        self._well = None if there else self._well or now
        lasting = {name: text for name, text in there.items() if now - self._since[name] >= HOLD}
        over = self._well is not None and now - self._well >= HOLD and self._store.incident() is not None
        if not (lasting or over) or not any(one.enabled and one.takes_system for one in self._store.destinations()):
            return
        with self._store.recording() as ledger:
            sent = self._tell(ledger, lasting, list(there.values()), now)
        if sent:
            self._wake()

    def _tell(self, ledger: Ledger, lasting: Mapping[str, str], there: Sequence[str], now: int) -> bool:
        """Begin, go on with, or end the incident. Returns whether there are notifications."""
        before = ledger.incident()
        if not lasting if before is None else before.by != self._me and now < before.until:
            return False
        new = [name for name in lasting if before is None or name not in before.told]
        if before is not None and there and not new:
            if before.by != self._me or now > before.until - _LEASE // 2:
                ledger.save_incident(msgspec.structs.replace(before, by=self._me, until=now + _LEASE))
            return False
        found = before or Incident(
            id=f"sys_{self._me[:8]}{now:x}", since=min(map(self._since.__getitem__, new)), told=(), to=(), by="", until=0
        )
        known = [one for one in ledger.destinations() if one.takes_system and (one.enabled or one.name in found.to)]
        to = [one for one in known if one.name in found.to or there]
        after = msgspec.structs.replace(found, told=(*found.told, *new), to=tuple(one.name for one in to), by=self._me, until=now + _LEASE)
        ledger.save_incident(after if there else None)
        deliveries = [
            _delivery(after, one, _type(found, one, there), [lasting[name] for name in new], there, now, self._address) for one in to
        ]
        ledger.write(EpisodeRecord(deliveries=deliveries))
        return bool(deliveries)


def identity(problem: str) -> str:
    """A problem without the amounts, times, notifications and words of receivers that change while it lasts.

    >>> identity("1,234 records wait, and none has been written for 63 s")
    '# records wait, and none has been written for # s'
    """
    return _CHANGING.sub("#", problem)


def _type(before: Incident, to: Destination, there: Sequence[str]) -> str:
    return RESOLVED if not there else UPDATED if to.name in before.to else FIRED


def _delivery(
    incident: Incident, to: Destination, type_: str, new: Sequence[str], there: Sequence[str], now: int, address: str
) -> Delivery:
    data = {
        "incident": incident.id,
        "since": moment.text(incident.since),
        "problems": list(there[:_LISTED]),
        "new": list(new[:_LISTED]),
        "count": len(there),
        "url": f"{address}/ui/pipeline",
    }
    key = (incident.id, type_, len(incident.told))
    (made,) = notifications(type_, data, [to], thread=incident.id, key=key, now=now, rank=2)
    return made
