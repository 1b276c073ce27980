"""Runs the policy: whenever something was noticed, and when it asked to look again. Decisions and outbox rows are written in one transaction.

Any number of processes may run it. Their transactions do not overlap, and what was told is remembered in groups: so each notice is made once, whoever is killed at any point.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

import msgspec

from alerts import notification
from alerts.destination.kind import kind
from alerts.loop import Loop
from alerts.message_id import message_id
from alerts.policy.decide import Notice, Situation, decide
from alerts.policy.sentence import body
from alerts.step import FIRED
from core.clock import Clock
from core.destination import Destination
from core.episode import Delivery, DeliveryState, Episode
from core.handling import Decision
from core.policy import RESOLVED, Group, Policy, PolicyState, Silence

_PAUSE = 1.0  # seconds at most after a decision
_SHARE = 9.0  # the least pause after a decision, in times of its CPU
_GRACE = 30.0  # seconds that `stop` waits for a decision under way


class Deciding(Protocol):
    """One transaction of the policy."""

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        ...

    def noticed(self) -> tuple[list[int], list[str]]:
        """The rows of `notices`, and the episodes at which the policy has to look."""
        ...

    def groups(self) -> list[Group]:
        """The groups that are open."""
        ...

    def open_ids(self) -> list[str]:
        """The episodes that are open."""
        ...

    def known(self, ids: Sequence[str]) -> list[Episode]:
        """Episodes with decisions and handling, without deliveries."""
        ...

    def own(self, ids: Sequence[str]) -> dict[str, bool]:
        """Which of these episodes have notifications of their own, and whether any was to be sent."""
        ...

    def silences(self, now: int) -> list[Silence]:
        """The silences that are not over."""
        ...

    def destinations(self) -> list[Destination]:
        """All destinations."""
        ...

    def state(self) -> PolicyState:
        """What the policy remembers."""
        ...

    def decide(
        self,
        noticed: Sequence[int],
        groups: Sequence[Group],
        decisions: Mapping[str, Decision],
        deliveries: Sequence[Delivery],
        state: PolicyState,
    ) -> None:
        """Write what was decided, and delete the rows of `notices` that were looked at."""
        ...


class PolicyStore(Protocol):
    """Where the policy finds its work."""

    def policy_waits(self, now: int) -> bool:
        """Whether there is something to decide."""
        ...

    def deciding(self) -> AbstractContextManager[Deciding]:
        """A transaction that overlaps no other of its kind."""
        ...


class PolicyWatch:
    """Decides in a thread of its own between `start` and `stop`, or when `look` is called.

    The store is asked every `poll` seconds at least; `wake` has it asked at once. `told` is called when there is something to deliver. `horizon` is in
    microseconds: what fired so long after its window is not told. `address` is that of the dashboard.
    """

    def __init__(
        self,
        store: PolicyStore,
        clock: Clock,
        horizon: int,
        *,
        address: str = "",
        poll: float = 1.0,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._clock, self._horizon = store, clock, horizon
        self._address, self._told = address, told
        self._loop = Loop("policy", self._turn, poll, "the policy cannot decide")
        self.decisions = 0  # how often it has decided

    def start(self) -> None:
        """Begin to decide in a thread."""
        self._loop.start()

    def wake(self) -> None:
        """Look now."""
        self._loop.wake()

    def stop(self) -> None:
        """Finish the decision under way, and end the thread."""
        self._loop.stop(_GRACE)

    def look(self) -> int:
        """Decide, if there is anything to decide. Returns how many notices were made."""
        if not self._store.policy_waits(self._clock.now()):
            return 0
        with self._store.deciding() as change:
            made = self._decide(change)
        self.decisions += 1
        if made:
            self._told()
        return made

    def _decide(self, change: Deciding) -> int:
        now = self._clock.now()
        sequences, noticed = change.noticed()
        policy, groups = change.policy(), change.groups()
        ids = list(dict.fromkeys([*change.open_ids(), *(name for group in groups for name in group.told), *noticed]))
        episodes, own = change.known(ids), change.own(ids)
        destinations = {one.name: one for one in change.destinations()}
        decided = {one.id: one.decision for one in episodes}
        situation = Situation(
            policy=policy,
            episodes=episodes,
            groups=groups,
            destinations=destinations,
            silences=change.silences(now),
            handling={one.id: one.handling for one in episodes},
            already=frozenset(name for name, told in own.items() if told),
            own=frozenset(own),
            noticed=frozenset(noticed),
            apart=frozenset(one.name for one in destinations.values() if kind(one.kind).incidents),
            decided=decided,
            state=change.state(),
            horizon=self._horizon,
        )
        outcome = decide(situation, now)
        rows = [self._row(notice, destinations[notice.destination], now, outcome.decisions) for notice in outcome.notices]
        rows += [self._alone(one, to, now) for one in outcome.alone for to in destinations.values() if to.takes(one.model, one.severity)]
        changed = {name: one for name, one in outcome.decisions.items() if decided.get(name) != one}
        change.decide(sequences, outcome.groups, changed, rows, outcome.state)
        return len(rows)

    def _row(self, notice: Notice, to: Destination, now: int, decided: Mapping[str, Decision]) -> Delivery:
        """The outbox row of a notice. A paused destination is not told anything new; an end waits for it."""
        paused = not to.enabled and notice.kind != RESOLVED
        episodes = tuple(msgspec.structs.replace(one, decision=decided.get(one.id, one.decision)) for one in notice.episodes)
        notice = replace(notice, episodes=episodes)
        key = (notice.group, notice.number, notice.kind, notice.destination)
        return Delivery(
            id=message_id(*key),
            destination=notice.destination,
            episode=notice.group,
            type=notice.kind,
            body=body(notice, now, self._address),
            created=now,
            due=now,
            state=DeliveryState.NOT_SENT if paused else DeliveryState.PENDING,
            reason="the destination is paused" if paused else "",
            rank=max((one.severity.rank for one in notice.episodes), default=0),
        )

    def _alone(self, episode: Episode, to: Destination, now: int) -> Delivery:
        """The outbox row of an episode that waited for a policy that is gone."""
        key = (episode.id, to.name, FIRED, now)
        return Delivery(
            id=message_id(*key),
            destination=to.name,
            episode=episode.id,
            type=FIRED,
            body=notification.body(FIRED, episode.stored.document(self._address), now),
            created=now,
            due=now,
            state=DeliveryState.PENDING if to.enabled else DeliveryState.NOT_SENT,
            reason="" if to.enabled else "the destination is paused",
            rank=episode.severity.rank,
        )

    def _turn(self) -> float:
        """Look, and say how long to rest: others write, too, so a look that takes long is not made again at once. What it takes is CPU: on a busy machine nobody waits for what others use."""
        began, before = time.thread_time(), self.decisions
        self.look()
        return min(_SHARE * (time.thread_time() - began), _PAUSE) if self.decisions > before else 0.0
