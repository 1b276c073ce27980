"""Reads the policy, silences, and where the episodes of monitors would go."""

from __future__ import annotations

from collections.abc import Sequence

from alerts.policy.match import matches
from alerts.policy.sentence import sentence
from alerts.policy.supposed import Way, way
from core.episode import Episode
from core.monitor import Monitor
from core.policy import Policy, Silence
from watchkeeper.reader.sources import Sources


class PolicyReader(Sources):
    """Reads the policy."""

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        return self._stores.control.policy()

    def silences(self) -> list[Silence]:
        """The silences that are not over."""
        return self._stores.control.silences(self._backend.clock.now())

    def silenced(self) -> list[tuple[Silence, int, list[str]]]:
        """All silences, the last to end first, each with how many open episodes it matches (0 if it is over) and the ids of those that it has held back."""
        control, now = self._stores.control, self._backend.clock.now()
        opened, held = control.open_ones(), control.silenced()
        found = control.silences()  # those that are over are many after a year, and are not compared with what is open
        counts = [sum(matches(one.match, episode) for episode in opened) if one.ends_at > now else 0 for one in found]
        return [(one, count, held.get(one.id, [])) for one, count in zip(found, counts, strict=True)]

    def told_as(self, episodes: Sequence[Episode]) -> str:
        """Episodes that are told together, worst first, in the sentence of their notice."""
        return sentence(episodes)

    def ways(self, of: Sequence[Monitor] | None = None) -> list[tuple[Monitor, Way]]:
        """Where an episode of some monitors would go now, None: of each stored one that can fire."""
        control, now = self._stores.control, self._backend.clock.now()
        destinations = {one.name: one for one in control.destinations()}
        silences, policy = control.silences(now), control.policy()
        opened = control.open_ones() if policy is not None and policy.inhibit else []
        monitors = [one for one in control.monitors() if one.enabled and one.alarms] if of is None else of
        return [(one, way(one, policy, destinations, silences, opened, now)) for one in monitors]
