"""Tells destinations when the state of trust of a version and segment of a model changes.

The states that were told last are kept beside the outbox, with who knows them, and replaced in the transaction that adds the notifications. So each change is told once, however often
the states are looked at, and a process that is killed at any point is followed by one that finds what was told and what was not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from alerts import notification
from alerts.engine import NOTIFY_HORIZON
from alerts.message_id import message_id
from alerts.ports import AlertStore, Ledger
from core.clock import Clock
from core.destination import Destination
from core.document_name import TRUST, TRUST_TOPIC
from core.episode import Delivery, EpisodeRecord
from core.monitor import Monitor
from core.trust import CHANGED, Standing, Told, Trust, TrustState, place

Standings = Callable[[str, Sequence[Monitor], int], Standing]


class TrustWatch:
    """Looks at the states of models. For one model only one may look at a time.

    `standing` gives the states by model, monitors and contract version. The other arguments are those of `AlertEngine`: while the newest window ended longer ago than
    `notify_horizon`, nothing is told. `topic` is a destination that holds the states as they are, however old: it gets each change, beside those that people define.
    """

    def __init__(
        self,
        store: AlertStore,
        standing: Standings,
        clock: Clock,
        notify_horizon: int = NOTIFY_HORIZON,
        *,
        address: str = "",
        wake: Callable[[], None] = lambda: None,
        topic: Destination | None = None,
    ) -> None:
        self._store, self._standing, self._clock = store, standing, clock
        self._horizon, self._address, self._wake, self._topic = notify_horizon, address, wake, topic
        self._seen: dict[str, object] = {}

    def look(self, model: str, monitors: Sequence[Monitor], contract: int, fence: tuple[str, int]) -> None:
        """Tell what has changed in the states of a model, once all its readings are stored. Raises Fenced, having told nothing, if another owner has the model now.

        While no destination is told of the model's trust, nothing is looked at: it costs queries for each monitor that counts.
        """
        listening = sorted(one.name for one in self._store.destinations() if one.takes_trust(model) and one.enabled)
        if not listening and self._topic is None:
            self._seen.pop(model, None)
            return
        found = self._standing(model, monitors, contract)
        now, seen = self._clock.now(), (fence, listening, {(one.version, one.segment): one.state for one in found.states})
        if self._seen.get(model) == seen:
            return  # nobody else has written since
        old = bool(found.at) and now - found.at > self._horizon
        if old and self._topic is None:
            return
        with self._store.recording(fence) as ledger:
            sent = bool(listening) and not old and tell(model, found.states, ledger, now, self._address)
            if self._topic is not None:
                sent |= tell(model, found.states, ledger, now, self._address, self._topic)
        if not old:
            self._seen[model] = seen
        if sent:
            self._wake()


def tell(model: str, states: Sequence[Trust], ledger: Ledger, now: int, address: str, topic: Destination | None = None) -> bool:
    """Replace the states of a model that were told last by these, and add the notifications of what has changed. Returns whether there were any.

    A place without a state is `unknown`. A destination that was told nothing yet, because it is new or was paused, is told all states that are not. With a `topic` only that is
    told; what it was told last is kept beside what others were.
    """
    where = TRUST if topic is None else TRUST_TOPIC
    destinations = [topic] if topic is not None else [one for one in ledger.destinations() if one.enabled and one.takes_trust(model)]
    before = ledger.trust(model, where)
    after = {(one.version, one.segment): one.state for one in states}
    told = Told(after, frozenset(one.name for one in destinations))
    if told == before:
        return False
    gone = [Trust(segment, version, TrustState.UNKNOWN, None, ()) for version, segment in before.states if (version, segment) not in after]
    deliveries = []
    for to in destinations:
        known = before.states if before.to is None or to.name in before.to else {}
        for one in (*states, *gone):
            was = known.get((one.version, one.segment), TrustState.UNKNOWN)
            if one.state is not was:
                deliveries.append(_delivery(model, one, was, to, now, address))
    ledger.save_trust(model, told, where)
    ledger.write(EpisodeRecord(deliveries=deliveries))
    return bool(deliveries)


def _delivery(model: str, one: Trust, was: TrustState, to: Destination, now: int, address: str) -> Delivery:
    data = {"model": model, **one.document(), "before": was, "url": f"{address}/ui/models/{quote(model, safe='')}/trust"}
    body = notification.body(CHANGED, data, now)
    # The row is written together with what was told, so two changes of one place never have one time.
    key = (model, one.version, one.segment, was, one.state, to.name, now)
    name = message_id(*key)
    return Delivery(
        id=name, destination=to.name, episode=place(model, one.version, one.segment), type=CHANGED, body=body, created=now, due=now
    )
