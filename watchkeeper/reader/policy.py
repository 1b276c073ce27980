"""Reads the policy, silences, and where the episodes of monitors would go."""

from __future__ import annotations

from alerts.policy.supposed import Way, way
from core.monitor import Monitor
from core.policy import Policy, Silence
from watchkeeper.reader.sources import Sources

_OPEN = 10_000  # open episodes that may hold others back


class PolicyReader(Sources):
    """Reads the policy."""

    def policy(self) -> Policy | None:
        """The policy; None without one."""
        return self._stores.control.policy()

    def silences(self) -> list[Silence]:
        """The silences that are not over."""
        return self._stores.control.silences(self._backend.clock.now())

    def ways(self) -> list[tuple[Monitor, Way]]:
        """Where an episode of each monitor that can fire would go now."""
        control, now = self._stores.control, self._backend.clock.now()
        destinations = {one.name: one for one in control.destinations()}
        silences, policy = control.silences(now), control.policy()
        opened = control.episodes("open", limit=_OPEN)[0] if policy is not None and policy.inhibit else []
        monitors = [one for one in control.monitors() if one.enabled and one.alarms]
        return [(one, way(one, policy, destinations, silences, opened, now)) for one in monitors]
