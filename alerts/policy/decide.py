"""The policy as one list of stages: inhibit, silence, mute, group, deduplicate, cap, route, escalate, deliver, record. A pure function of what there is, and the clock.

What was told is remembered in groups. So the same situation again tells nothing, and whoever decides next, after a restart or a kill, goes on where the last one stood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from alerts.policy.cap import Capped, cap
from alerts.policy.escalate import escalations
from alerts.policy.group import News, Quiet, deduplicate, gather, worst_first
from alerts.policy.hold import Circumstances, changes, expired, held, inhibitors
from alerts.policy.route import reached, unreached
from core import moment
from core.destination import Destination
from core.episode import Episode
from core.handling import Decision, Handling
from core.policy import DIGEST, FIRED, RESOLVED, UPDATED, Group, Policy, PolicyState, Silence


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What there is. `episodes` are the open ones, those that groups have told and that have ended, and others that have ended since the last look; `groups` the open groups.

    `already` are the episodes that were told without a policy, `own` those that have a notification of their own, `decided` what was decided of the episodes before, `noticed` those that
    have changed. `apart` are the destinations that hold an incident for each group, and get no digest. A policy of None tells the ends of what groups were told, and what waited for the policy that is gone.
    """

    policy: Policy | None
    episodes: Sequence[Episode]
    groups: Sequence[Group] = ()
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    silences: Sequence[Silence] = ()
    handling: Mapping[str, Handling] = field(default_factory=dict)
    already: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    noticed: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    decided: Mapping[str, Decision] = field(default_factory=dict)
    state: PolicyState = field(default_factory=PolicyState)
    horizon: int = 2 * moment.DAY


@dataclass(frozen=True)
class Notice:
    """One message to one destination about episodes of a group, or of several in a digest, which has an id of its own. `number` is that of the group's notice."""

    group: str
    number: int
    kind: str
    reason: str
    destination: str
    episodes: tuple[Episode, ...]
    count: int


@dataclass
class Outcome:
    """What was decided: notices to deliver, episodes to tell as without a policy, groups that changed, decisions by episode, and the next state."""

    notices: list[Notice] = field(default_factory=list)
    alone: list[Episode] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    state: PolicyState = field(default_factory=PolicyState)


def decide(given: Situation, now: int) -> Outcome:
    """Run all stages once, at the wall time `now`."""
    return _Run(given, now).run()


class _Run:
    def __init__(self, given: Situation, now: int) -> None:
        self._given, self._now = given, now
        self._policy = given.policy or Policy(name="")
        self._outcome = Outcome()
        self._sent = {model: list(times) for model, times in given.state.sent.items()}
        self._acknowledged = frozenset(name for name, one in given.handling.items() if one.acknowledged_by)
        self._due: list[int] = []
        self._groups: dict[str, Group] = {}
        self._escalated: dict[str, tuple[str, list[tuple[Group, dict[str, tuple[Episode, ...]]]]]] = {}
        self._digests: dict[str, str] = {}

    def run(self) -> Outcome:
        """The stages in their order."""
        tellable = self._held()
        groups = gather(self._policy, self._given.groups, tellable, self._now)
        over = {one.id: one for one in self._given.episodes if one.ended_at is not None}
        news: dict[str, list[News]] = {}
        for group, members in groups.values():
            found = deduplicate(self._policy, group, members, over, self._acknowledged, self._now)
            if isinstance(found, Quiet):
                self._quiet(group, members, found, over)
            else:
                news.setdefault(_model(found), []).append(found)
        told = {one.group.id: one for model in news for one in self._cap(model, news[model])}
        for group, members in groups.values():
            self._escalate(told.get(group.id, News(group, "", "", ())).group, members)
        for reason, several in self._escalated.values():
            self._together([(group, to, reason) for group, to in several], reason)
        self._record()
        return self._outcome

    def _held(self) -> list[Episode]:
        """Inhibit, silence, mute: the open episodes that may be told. A group that was told goes on to hold those that are held later."""
        given, opened = self._given, [one for one in self._given.episodes if one.ended_at is None]
        if given.policy is None:
            self._alone(opened)
            return []
        around = Circumstances(
            given.policy, opened, given.silences, given.handling, given.horizon, self._now, inhibitors(given.policy, opened)
        )
        self._due += changes(around)
        tellable = []
        for one in opened:
            if (why := held(one, around)) is not None:
                self._outcome.decisions[one.id] = why
            elif one.id in given.already:
                self._outcome.decisions[one.id] = Decision(stage="deduplicate", suppressed="it was told before there was a policy")
            else:
                tellable.append(one)
        return tellable

    def _alone(self, opened: Sequence[Episode]) -> None:
        """Let go of what waited for a policy that is gone: it is told as without one."""
        told = {name for group in self._given.groups for name in group.told}
        around = Circumstances(self._policy, opened, (), {}, self._given.horizon, self._now)
        for one in opened:
            earlier = self._given.decided.get(one.id, Decision())
            if expired(one, around) is not None:
                continue
            if earlier.suppressed:
                self._outcome.decisions[one.id] = Decision()
            if one.id not in told and one.id not in self._given.own and (one.id in self._given.noticed or earlier != Decision()):
                self._outcome.alone.append(one)

    def _quiet(self, group: Group, members: Sequence[Episode], why: Quiet, over: Mapping[str, Episode]) -> None:
        if why.until is not None:
            self._due.append(why.until)
        if group.told_at is None and not members:
            self._keep(msgspec.structs.replace(group, closed=self._now))
            return
        for one in members:
            waits = "" if one.id in group.told else why.reason
            self._decide(one, group, waits, "group" if group.told_at is None else "deduplicate")
        self._keep(group)

    def _cap(self, model: str, wanted: Sequence[News]) -> list[News]:
        """Cap, route and deliver what is wanted of a model. Returns what was told, with the groups as they are after it."""
        sent = self._sent.setdefault(model, [])
        found: Capped = cap(self._policy.cap, wanted, sent, self._now)
        if found.until is not None:
            self._due.append(found.until)
        for one in found.waiting:
            most, period = self._policy.cap or (0, 0)
            limit = f"{most} notice{'' if most == 1 else 's'} in {moment.long(period)}"
            until = "" if found.until is None else f", until {moment.text(found.until)}"
            for episode in one.episodes:
                waits = "" if episode.id in one.group.told else f"over the cap of {limit}; waits for a digest{until}"
                self._decide(episode, one.group, waits, "cap")
            self._keep(one.group)
        told = [self._tell(one) for one in found.single]
        if found.digest:
            told += self._digest(found.digest)
        return told

    def _tell(self, one: News) -> News:
        """Route and deliver one notice of a group."""
        to = self._routed(one)
        self._deliver(one.group, one.reason, to)
        if one.kind != RESOLVED and self._reaches(to):
            self._sent.setdefault(_model(one), []).append(self._now)
        return one._replace(group=self._told(one, to))

    def _digest(self, several: Sequence[News]) -> list[News]:
        """Deliver one notice about several groups."""
        routed = [(one, self._routed(one)) for one in several]
        self._together([(one.group, to, one.reason) for one, to in routed], f"a digest of {len(several)} groups: more than the cap allows")
        if any(self._reaches(to) for _, to in routed):
            self._sent.setdefault(_model(several[0]), []).append(self._now)
        return [one._replace(group=self._told(one, to)) for one, to in routed]

    def _routed(self, one: News) -> dict[str, tuple[Episode, ...]]:
        """By destination the episodes of a notice that go there. Who was told of an episode is also told of its end."""
        found: dict[str, list[Episode]] = {}
        told = {name: frozenset(known) for name, known in one.group.to.items()}
        for episode in one.episodes:
            knows = [name for name, known in told.items() if episode.id in known]
            takes = [] if episode.ended_at is not None else reached(self._policy, episode, self._given.destinations)
            for name in dict.fromkeys([*takes, *knows]):
                found.setdefault(name, []).append(episode)
        there = {name: tuple(episodes) for name, episodes in found.items() if name in self._given.destinations}
        return {name: episodes for name, episodes in there.items() if self._concerns(one, name, episodes)}

    def _concerns(self, one: News, name: str, episodes: Sequence[Episode]) -> bool:
        """Whether a notice says anything to a destination: something new, or something that nobody has acknowledged if it is a repetition."""
        if not one.new:
            return any(episode.id not in self._acknowledged for episode in episodes)
        known = frozenset(one.group.to.get(name, ()))
        return any(episode.id in one.new or (self._enabled(name) and episode.id not in known) for episode in episodes)

    def _enabled(self, name: str) -> bool:
        return self._given.destinations[name].enabled

    def _reaches(self, to: Mapping[str, tuple[Episode, ...]]) -> bool:
        return any(episodes and self._enabled(name) for name, episodes in to.items())

    def _said(self, group: Group, name: str, episodes: tuple[Episode, ...]) -> tuple[str, tuple[Episode, ...]]:
        """The kind of a notice to a destination, and its episodes: it begins with the first that the destination is told of, and ends with the last one."""
        known, opened = group.to.get(name, ()), tuple(one for one in episodes if one.ended_at is None)
        if not known:
            return FIRED, opened
        ended = {one.id for one in episodes if one.ended_at is not None}
        if (opened and self._enabled(name)) or any(one not in ended for one in known):
            return UPDATED, episodes
        return RESOLVED, tuple(one for one in episodes if one.id in ended)

    def _deliver(self, group: Group, reason: str, to: Mapping[str, tuple[Episode, ...]]) -> None:
        for name, episodes in to.items():
            kind, about = self._said(group, name, episodes)
            if about:
                self._outcome.notices.append(Notice(group.id, group.number + 1, kind, reason, name, about, len(about)))

    def _together(self, several: Sequence[tuple[Group, Mapping[str, tuple[Episode, ...]], str]], reason: str) -> None:
        """Deliver notices of groups, each for its own reason, as one digest to each destination.

        Where a destination holds an incident for each group, or a group is over for it, it is told of the group itself.
        """
        if len(several) == 1:
            ((group, to, reason),) = several
            self._deliver(group, reason, to)
            return
        by_name: dict[str, list[Episode]] = {}
        for group, to, why in several:
            for name, episodes in to.items():
                kind, about = self._said(group, name, episodes)
                if kind == RESOLVED or name in self._given.apart:
                    self._deliver(group, why, {name: episodes})
                else:
                    by_name.setdefault(name, []).extend(about)
        key = [(group.id, group.number) for group, _, _ in several]
        digest = "dg_" + hashlib.sha256(msgspec.json.encode((key, reason))).hexdigest()[:24]
        for name, found in by_name.items():
            about = tuple(sorted(found, key=worst_first))
            if about:
                self._outcome.notices.append(Notice(digest, 1, DIGEST, reason, name, about, len(about)))
                self._digests |= {episode.id: digest for episode in about}

    def _told(self, one: News, to: Mapping[str, tuple[Episode, ...]]) -> Group:
        """The group after a notice. It is closed with the last of its episodes."""
        group, opened = one.group, [episode for episode in one.episodes if episode.ended_at is None]
        ended = {episode.id for episode in one.episodes if episode.ended_at is not None}
        told = {name: level for name, level in group.told.items() if name not in ended} | {episode.id: episode.level for episode in opened}
        knows = self._knowing(group, to)
        after = msgspec.structs.replace(
            group,
            told=told,
            to=_without(ended, knows),
            since={name: group.since.get(name, self._now) for name in told},
            escalated=_without(ended, group.escalated),
            told_at=self._now,
            number=group.number + 1,
            closed=self._now if one.kind == RESOLVED else None,
        )
        somebody = {name for known in knows.values() for name in known}
        for episode in one.episodes:
            nobody = "" if episode.id in somebody else unreached(self._policy, episode, self._given.destinations)
            self._decide(episode, after, nobody, "route")
        if one.kind != RESOLVED:
            self._due.append(self._now + max(self._policy.repeat_interval, self._policy.group_interval))
        self._keep(after)
        return after

    def _knowing(self, group: Group, to: Mapping[str, tuple[Episode, ...]]) -> dict[str, tuple[str, ...]]:
        """By destination the episodes of a group that it knows of after a notice. One that is paused is told nothing."""
        knows = dict(group.to)
        for name, episodes in to.items():
            if self._enabled(name):
                knows[name] = tuple(dict.fromkeys((*knows.get(name, ()), *(episode.id for episode in episodes))))
        return knows

    def _escalate(self, group: Group, members: Sequence[Episode]) -> None:
        if group.closed is not None or self._given.policy is None:
            return
        for one in escalations(self._policy, group, members, self._acknowledged, self._now):
            if one.until is not None:
                self._due.append(one.until)
            if not one.episodes:
                continue
            names = [name for name in one.route.escalate_to if name in self._given.destinations]
            to = {name: tuple(e for e in one.episodes if self._given.destinations[name].takes(e.model, e.severity)) for name in names}
            to = {name: episodes for name, episodes in to.items() if episodes}
            reason = f"escalated: nobody has acknowledged it within {moment.long(one.route.escalate_after or 0)}"
            self._escalated.setdefault(one.path, (reason, []))[1].append((group, to))
            over = (*group.escalated.get(one.path, ()), *(episode.id for episode in one.episodes))
            group = msgspec.structs.replace(
                group, escalated=group.escalated | {one.path: over}, to=_without((), self._knowing(group, to)), number=group.number + 1
            )
            self._keep(group)

    def _decide(self, episode: Episode, group: Group, why: str, stage: str) -> None:
        self._outcome.decisions[episode.id] = Decision(group=group.id, suppressed=why, stage=stage if why else "")

    def _keep(self, group: Group) -> None:
        self._groups[group.id] = group

    def _record(self) -> None:
        """Keep the groups that changed, what was decided of episodes that nobody was told of, and when to look again."""
        before = {group.id: group for group in self._given.groups}
        self._outcome.groups = [group for group in self._groups.values() if before.get(group.id) != group]
        period = self._policy.cap[1] if self._policy.cap else 0
        sent = {model: tuple(time for time in times if time > self._now - period) for model, times in sorted(self._sent.items())}
        known = {name: group.id for group in before.values() for name in group.told}
        for one in self._given.episodes:
            earlier = self._given.decided.get(one.id, Decision())
            told = one.id in known or one.id in self._given.already or (earlier.group and not earlier.suppressed)
            if one.ended_at is not None and not told and (self._given.policy or earlier.suppressed):
                self._outcome.decisions.setdefault(one.id, Decision(stage="group", suppressed="it ended before it was told"))
        for name, decision in self._outcome.decisions.items():  # an episode that is held after it was told stays with its group
            earlier = self._given.decided.get(name, Decision())
            digest, by = self._digests.get(name) or earlier.digest, [decision.silenced_by] if decision.silenced_by else []
            self._outcome.decisions[name] = msgspec.structs.replace(
                decision, group=decision.group or known.get(name), digest=digest, silences=tuple(dict.fromkeys((*earlier.silences, *by)))
            )
        due = min((time for time in self._due if time > self._now), default=None)
        self._outcome.state = PolicyState(sent={model: times for model, times in sent.items() if times}, due=due)


def _model(one: News) -> str:
    """The model whose cap a notice counts for; "" for a group of several models."""
    models = {episode.model for episode in one.episodes}
    return models.pop() if len(models) == 1 else ""


def _without(ended: Collection[str], known: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without these episodes, and without what then has none."""
    left = {name: tuple(one for one in episodes if one not in ended) for name, episodes in sorted(known.items())}
    return {name: episodes for name, episodes in left.items() if episodes}
