"""One step of the alert engine: collects the changes of rules, episodes and timelines, and the notifications."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from alerts import comparison, notification
from alerts.message_id import message_id
from alerts.rule import started
from alerts.step_reads import StepReads
from alerts.terms import Terms
from core import moment
from core.change import Change, onset
from core.destination import Destination
from core.episode import Cause, Delivery, DeliveryState, Ending, Episode, EpisodeRecord, Level, Rule, State, Transition
from core.monitor import Monitor
from core.reading import Reading
from core.segment import ALL

FIRED, RESOLVED = "episode.fired", "episode.resolved"


class AlertStep:
    """The changes of one monitor in one step, at one wall time. `reads` is shared by the monitors of the step."""

    def __init__(self, monitor: Monitor, now: int, horizon: int, address: str, reads: StepReads, readings: Sequence[Reading] = ()) -> None:
        self._monitor, self._terms = monitor, Terms.of(monitor)
        self._whole = {(one.column, one.window_start, one.window_end): one.n_target for one in readings if one.segment == ALL}
        self._now, self._horizon, self._address = now, horizon, address
        self._reads = reads
        self._rules: dict[tuple[str, str], Rule] = {}
        self._episodes: dict[str, Episode] = {}
        self._endings: dict[str, Ending] = {}
        self._transitions: list[Transition] = []
        self._deliveries: list[Delivery] = []
        self._notices: list[str] = []

    def advanced(self, before: Rule, after: Rule, transition: Transition | None, reading: Reading, reason: str) -> Rule:
        """Add a rule that has changed, and return it. A transition, which has this reason, is not recorded outside of an episode."""
        self._rules[after.column, after.segment] = after
        if transition is None or not transition.episode:
            return after
        transition = msgspec.structs.replace(transition, reason=reason, recorded=self._now)
        self._transitions.append(transition)
        if before.episode is None:
            episode = self._reopen(after, transition, reading) if after.episode == before.last else self._open(after, transition, reading)
            self._notify(episode, FIRED, transition)
            return after
        if after.episode is None and self._only_ends(before.episode):
            self._endings[before.episode] = Ending(before.episode, transition.at, transition.cause)
            self._notices.append(before.episode)
            return after
        episode = self._take(before.episode)
        if after.episode is None:
            self._notify(self._keep(_ended(episode, transition)), RESOLVED, transition)
        elif after.level is not None and after.level is not before.level:
            self._notify(self._keep(_escalated(episode, after.level, transition, reading, self._now)), FIRED, transition)
        else:
            self._keep(msgspec.structs.replace(episode, state=after.state))
        return after

    def compared(self, reading: Reading) -> None:
        """Tell the verdict of a comparison, whose evidence the reading has."""
        self._deliveries += comparison.deliveries(self._monitor, reading, self._reads.destinations, self._now, self._address)

    def supersede(self, rule: Rule, reason: str, cause: Cause, contract: int = 0) -> Rule:
        """Begin a new rule under the monitor's current definition. The old rule's open episode is closed for this reason. Returns the new rule."""
        fresh = Rule(
            model=rule.model,
            monitor=rule.monitor,
            column=rule.column,
            segment=rule.segment,
            definition=self._monitor.evaluated_revision,
            contract=contract or rule.contract,
        )
        return self._end(rule, fresh, reason, cause)

    def resolve(self, rule: Rule, reason: str, cause: Cause = Cause.BY_HAND) -> Rule:
        """End a rule's open episode by hand, or for another cause. The rule forgets its windows, so that it is judged by later ones alone, and the episode does not go on. Returns the new rule."""
        last = rule.windows[-1].end
        after = msgspec.structs.replace(rule, state=State.RESOLVED, level=None, episode=None, windows=(), floor=last, last=None, ended=last)
        return self._end(rule, after, reason, cause)

    def _end(self, rule: Rule, fresh: Rule, reason: str, cause: Cause) -> Rule:
        """Replace a rule, and close its open episode."""
        self._rules[rule.column, rule.segment] = fresh
        if rule.episode is not None:
            last = rule.windows[-1]
            transition = Transition(
                episode=rule.episode,
                at=last.end,
                before=rule.state,
                after=State.RESOLVED,
                level=rule.level,
                reason=reason,
                window_start=last.start,
                window_end=last.end,
                revision=last.revision,
                recorded=self._now,
                cause=cause,
            )
            self._transitions.append(transition)
            self._notify(self._keep(_ended(self._take(rule.episode), transition)), RESOLVED, transition)
        return fresh

    def record(self, into: EpisodeRecord | None = None) -> EpisodeRecord:
        """All changes that are to be written; or those of other monitors with them, in the same record."""
        record = into or EpisodeRecord()
        record.rules.extend(self._rules.values())
        record.episodes.extend(self._episodes.values())
        record.endings.extend(self._endings.values())
        record.transitions.extend(self._transitions)
        record.deliveries.extend(self._deliveries)
        record.notices.extend(self._notices)
        return record

    def _open(self, rule: Rule, transition: Transition, reading: Reading) -> Episode:
        level, began = rule.level or Level.WARN, started(rule.windows, self._terms)
        return self._keep(
            Episode(
                id=transition.episode,
                model=rule.model,
                monitor=rule.monitor,
                measure=reading.measure,
                column=rule.column,
                segment=rule.segment,
                state=rule.state,
                severity=self._monitor.severity,
                level=level,
                started_at=began,
                fired_at=transition.at,
                reason=transition.reason,
                window_start=reading.window_start,
                window_end=reading.window_end,
                value=reading.value,
                threshold=reading.threshold,
                definition=self._monitor,
                reading=reading,
                traffic_share=self._share(reading),
                recorded=self._now,
                changes=self._changes(began, reading),
                **self._words,
            )
        )

    def _changes(self, began: int, reading: Reading) -> tuple[Change, ...]:
        """What changed of the model near the onset, the first one first."""
        since, until = onset(began, reading.window_end, self._monitor.window.longest)
        return self._reads.changes(self._monitor.model, since, until)

    @cached_property
    def _words(self) -> dict[str, Any]:
        """Owner, description and runbook: the monitor's, or else the model's."""
        of_model = self._reads.described(self._monitor.model).words
        return {name: said or of_model[name] for name, said in self._monitor.words.items()}

    def _reopen(self, rule: Rule, transition: Transition, reading: Reading) -> Episode:
        """The episode that goes on: open again, at the worst level that it has reached."""
        before = self._take(transition.episode)
        level = Level.CRITICAL if Level.CRITICAL in (before.level, rule.level) else Level.WARN
        return self._keep(
            msgspec.structs.replace(
                _escalated(before, level, transition, reading, self._now), ended_at=None, cause=None, reopened=self._now
            )
        )

    def _share(self, reading: Reading) -> float | None:
        """The share of the window's rows that the reading's segment holds; None if the reading of all rows did not come with it."""
        whole = self._whole.get((reading.column, reading.window_start, reading.window_end))
        return reading.n_target / whole if whole else None

    def _take(self, name: str) -> Episode:
        """An episode that its rule has or had: of this step, or of the store."""
        return self._episodes.get(name) or self._reads.episode(name)

    def _only_ends(self, name: str) -> bool:
        """Whether an episode that ends need not be read: the step has not changed it, and a policy tells of its end."""
        return name not in self._episodes and self._reads.governed[0] and not self._reads.told(name)

    def _keep(self, episode: Episode) -> Episode:
        self._endings.pop(episode.id, None)
        self._episodes[episode.id] = episode
        return episode

    def _notify(self, episode: Episode, kind: str, transition: Transition) -> None:
        """Add notifications: a firing to all destinations that take it, a resolution to those that were sent the firing.

        Where a policy says what is told, it is given the episode instead; who was told of it without the policy is still told how it goes on.
        """
        policy, groups = self._reads.governed
        if policy or groups:
            self._notices.append(episode.id)
        notified = {row.destination for row in episode.deliveries if row.state is not DeliveryState.NOT_SENT}
        if policy and not notified:
            return
        told = [one for one in self._reads.destinations if one.name in notified] if notified else []
        chosen = self._reads.takers(episode.model, episode.severity) if kind == FIRED and not policy else told
        if not chosen:
            return
        body = self._body(episode, kind)
        rows = tuple(
            Delivery(
                id=_message(episode, destination.name, kind, transition),
                destination=destination.name,
                episode=episode.id,
                type=kind,
                body=body,
                created=self._now,
                due=self._now,
                state=DeliveryState.NOT_SENT if (why := self._silent(destination, kind, transition)) else DeliveryState.PENDING,
                reason=why,
                rank=episode.severity.rank,
            )
            for destination in chosen
        )
        self._deliveries.extend(rows)
        self._keep(msgspec.structs.replace(episode, deliveries=(*episode.deliveries, *rows)))

    def _silent(self, destination: Destination, kind: str, transition: Transition) -> str:
        """Why a destination gets no notification; empty if it gets one. A resolution is queued also for a paused destination; it waits in the outbox."""
        if kind != FIRED:
            return ""
        if not destination.enabled:
            return "the destination is paused"
        return f"older than {moment.long(self._horizon)}" if self._now - transition.window_end > self._horizon else ""

    def _body(self, episode: Episode, kind: str) -> str:
        return notification.body(kind, episode.stored.document(self._address), self._now)


def _ended(episode: Episode, transition: Transition) -> Episode:
    """The episode after its end."""
    return msgspec.structs.replace(episode, state=State.RESOLVED, ended_at=transition.at, cause=transition.cause)


def _escalated(episode: Episode, level: Level, transition: Transition, reading: Reading, now: int) -> Episode:
    """The episode at a worse level, with the reading that made it worse, which came at `now`."""
    return msgspec.structs.replace(
        episode,
        state=transition.after,
        level=level,
        reason=transition.reason,
        window_start=reading.window_start,
        window_end=reading.window_end,
        value=reading.value,
        reading=reading,
        fired=episode.first,
        recorded=now,
    )


def _message(episode: Episode, destination: str, kind: str, transition: Transition) -> str:
    """The id of a notification. It is stable, so that a receiver can drop a notification that it already has; an episode that goes on may be told twice of one window.

    It begins as the episode's, so that a database writes ids of episodes that begin together near each other.
    """
    earlier = sum(row.destination == destination for row in episode.deliveries)
    key = (episode.id, destination, kind, transition.level, transition.window_start, transition.window_end, transition.revision)
    return message_id(*key, *([earlier] if earlier else []), near=episode.id.removeprefix("ep_")[:8])
