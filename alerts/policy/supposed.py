"""Where an episode of a monitor would go, if it fired now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alerts.policy.hold import Circumstances, held, inhibitors
from alerts.policy.route import branches, reached, unreached
from core.destination import Destination
from core.episode import Episode, Level, State
from core.monitor import Monitor
from core.policy import Policy, Silence
from core.reading import Reading, Verdict


class Way(NamedTuple):
    """Destinations, those of the escalation, why there is none, and what would hold it back."""

    to: tuple[str, ...]
    escalates: tuple[str, ...]
    nowhere: str
    held: str


def way(
    monitor: Monitor,
    policy: Policy | None,
    destinations: Mapping[str, Destination],
    silences: Sequence[Silence],
    opened: Sequence[Episode],
    now: int,
) -> Way:
    """The way of an episode of no column and all traffic, at the level warn."""
    one = _episode(monitor, now)
    rules = policy or Policy(name="")
    to = reached(rules, one, destinations)
    further = [name for branch in branches(rules, one) for name in branch.route.escalate_to if name in destinations]
    why = held(one, Circumstances(rules, opened, silences, {}, 0, now, inhibitors(rules, opened))) if policy is not None else None
    return Way(
        tuple(to),
        tuple(dict.fromkeys(name for name in further if destinations[name].takes(one.model, one.severity))),
        "" if to else unreached(rules, one, destinations),
        why.suppressed if why is not None else "",
    )


def _episode(monitor: Monitor, now: int) -> Episode:
    reading = Reading(
        monitor=monitor.name, model=monitor.model, measure=monitor.measure, window_start=now, window_end=now, verdict=Verdict.WARN
    )
    return Episode(
        id="",
        model=monitor.model,
        monitor=monitor.name,
        measure=monitor.measure,
        column="",
        segment="all",
        state=State.FIRING,
        severity=monitor.severity,
        level=Level.WARN,
        started_at=now,
        fired_at=now,
        reason="",
        window_start=now,
        window_end=now,
        value=None,
        threshold=monitor.threshold,
        definition=monitor,
        reading=reading,
        recorded=now,
        owner=monitor.owner,
    )
