"""A timeline: what happens at which minute, and what must be told between which minutes. The policy decides when something happens, and when it asked to look again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from alerts.policy.decide import Notice, Situation, decide
from core import moment
from core.destination import Destination
from core.episode import Episode, Level, State
from core.handling import Decision, Handling
from core.monitor import Severity
from core.policy import Group, Policy, PolicyState, Silence
from tests.alerts.sample import MONITOR, START, reading

DESTINATIONS = ("oncall", "team", "manager")


class Between(NamedTuple):
    """Minutes: from the first to the last, both included."""

    first: float
    last: float


def between(first: float, last: float) -> Between:
    """A span of minutes."""
    return Between(first, last)


def episode(name: str, **changes: Any) -> Episode:
    """An open episode that fires when it is sent."""
    one = reading(0, "warn")
    made = Episode(
        id=name,
        model="late",
        monitor="drift",
        measure="drift.psi",
        column="temp",
        segment="all",
        state=State.FIRING,
        severity=Severity.TICKET,
        level=Level.WARN,
        started_at=one.window_start,
        fired_at=one.window_end,
        reason=f"{name} moved",
        window_start=one.window_start,
        window_end=one.window_end,
        value=one.value,
        threshold=one.threshold,
        definition=MONITOR,
        reading=one,
    )
    return msgspec.structs.replace(made, **changes)


class At:
    """What happens at one time."""

    def __init__(self, line: Timeline, minute: float) -> None:
        self._line, self._now = line, line.time(minute)

    def send(self, *episodes: Episode) -> At:
        """Episodes fire, or become worse."""
        return self._do(lambda line: line.episodes.update({one.id: msgspec.structs.replace(one, recorded=self._now) for one in episodes}))

    def end(self, *names: str) -> At:
        """Episodes end."""

        def ends(line: Timeline) -> None:
            for name in names:
                line.episodes[name] = msgspec.structs.replace(line.episodes[name], ended_at=self._now, state=State.RESOLVED)

        return self._do(ends)

    def acknowledge(self, *names: str) -> At:
        """Somebody acknowledges episodes."""
        return self._do(lambda line: line.handling.update({name: Handling(acknowledged_by="ada") for name in names}))

    def snooze(self, name: str, until: float) -> At:
        """Somebody snoozes an episode."""
        found = Handling(snoozed_until=self._line.time(until), snoozed_by="ada")
        return self._do(lambda line: line.handling.update({name: found}))

    def silence(self, until: float, **match: str) -> At:
        """Somebody silences what matches."""
        made = Silence(
            id="si_1",
            match={field: (value,) for field, value in match.items()},
            starts_at=self._now,
            ends_at=self._line.time(until),
            comment="deploy",
            created_by="ada",
        )
        return self._do(lambda line: line.silences.append(made))

    def pause(self, name: str, *, enabled: bool = False) -> At:
        """A destination is paused, or enabled again."""

        def change(line: Timeline) -> None:
            line.destinations[name] = msgspec.structs.replace(line.destinations[name], enabled=enabled)

        return self._do(change)

    def remove_policy(self) -> At:
        """The policy is deleted."""
        return self._do(lambda line: setattr(line, "policy", None))

    def _do(self, what: Callable[[Timeline], None]) -> At:
        self._line.events.append((self._now, what))
        return self


class Timeline:
    """Runs a policy over what happens. `start` is the wall time of minute 0; `often` decides every so many seconds more, which must change nothing."""

    def __init__(self, policy: Policy, start: int = START + moment.DAY, often: int | None = None, **destinations: Destination) -> None:
        self.policy: Policy | None = policy
        self.start, self._often = start, often
        self.destinations = destinations or {name: Destination(name=name) for name in DESTINATIONS}
        self.episodes: dict[str, Episode] = {}
        self.handling: dict[str, Handling] = {}
        self.silences: list[Silence] = []
        self.events: list[tuple[int, Callable[[Timeline], None]]] = []
        self.groups: dict[str, Group] = {}
        self.decisions: dict[str, Decision] = {}
        self.told: list[tuple[float, Notice]] = []
        self.alone: list[tuple[float, str]] = []
        self.apart: frozenset[str] = frozenset()  # the destinations that hold one incident a group
        self.already: frozenset[str] = frozenset()  # the episodes that were told before there was a policy
        self._state = PolicyState()
        self._checked: set[int] = set()

    def time(self, minute: float) -> int:
        """The wall time of a minute."""
        return self.start + int(minute * moment.MINUTE)

    def at(self, minute: float) -> At:
        """Say what happens at a minute."""
        return At(self, minute)

    def run(self, until: float) -> Timeline:
        """Let the time pass up to a minute."""
        events, end = sorted(self.events, key=lambda one: one[0]), self.time(until)
        looks = set() if self._often is None else set(range(self.start, end, self._often * moment.SECOND))
        self.events = []
        while True:
            times = [time for time in (events[0][0] if events else None, self._state.due, min(looks, default=None)) if time is not None]
            if not times or min(times) > end:
                return self
            now = min(times)
            looks.discard(now)
            while events and events[0][0] == now:
                events.pop(0)[1](self)
            self._decide(now)

    def want(self, when: Between, kind: str, to: str, *names: str, because: str = "") -> Timeline:
        """Exactly one notice of this kind went to a destination in these minutes, about these episodes, worst first, for this reason."""
        found = [
            (place, notice)
            for place, (minute, notice) in enumerate(self.told)
            if when.first <= minute <= when.last and notice.destination == to and place not in self._checked
        ]
        assert len(found) == 1, f"{to} was told {self._texts()}"
        ((place, notice),) = found
        assert (notice.kind, tuple(one.id for one in notice.episodes)) == (f"group.{kind}", names), self._texts()
        assert because in notice.reason, notice.reason
        self._checked.add(place)
        return self

    def nothing_else(self) -> None:
        """Every notice was wanted."""
        assert len(self._checked) == len(self.told), self._texts()

    def why(self, name: str) -> tuple[str, str]:
        """The stage that held an episode back, and its reason."""
        found = self.decisions[name]
        return found.stage, found.suppressed

    def _decide(self, now: int) -> None:
        given = Situation(
            policy=self.policy,
            episodes=list(self.episodes.values()),
            groups=[group for group in self.groups.values() if group.closed is None],
            destinations=self.destinations,
            silences=self.silences,
            handling=self.handling,
            state=self._state,
            decided=self.decisions,
            own=frozenset(name for _, name in self.alone),
            apart=self.apart,
            already=self.already,
        )
        outcome = decide(given, now)
        self.groups |= {group.id: group for group in outcome.groups}
        self.decisions |= outcome.decisions
        self.told += [((now - self.start) / moment.MINUTE, notice) for notice in outcome.notices]
        self.alone += [((now - self.start) / moment.MINUTE, one.id) for one in outcome.alone]
        self._state = outcome.state

    def _texts(self) -> Sequence[str]:
        return [f"{minute:g}: {one.kind} to {one.destination}: {[e.id for e in one.episodes]} ({one.reason})" for minute, one in self.told]
