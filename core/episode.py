"""Episodes, and what belongs to them: rules, transitions, deliveries. An episode is one alert, from firing to its end.

All times are microseconds since the epoch. `started_at`, `fired_at`, `ended_at` and a transition's `at` are event time (ends or starts of
windows); `recorded`, `created` and `due` are wall time.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from core import moment
from core.change import Change
from core.described import Described
from core.handling import UNDECIDED, UNTOUCHED, Decision, Handling
from core.monitor import Monitor, Severity
from core.reading import Reading, Verdict

TEST = "destination.test"  # the type of a notification that tells nothing but that it arrives


class State(StrEnum):
    """The state of a rule. An episode is open in firing and recovering; in nodata and error an open one stays open."""

    NORMAL = "normal"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    NODATA = "nodata"
    ERROR = "error"


class Level(StrEnum):
    """The level of an alert: warn < critical."""

    WARN = "warn"
    CRITICAL = "critical"


class Cause(StrEnum):
    """Why an episode ended."""

    CLEARED = "cleared"
    MONITOR_CHANGED = "monitor_changed"
    MONITOR_DELETED = "monitor_deleted"
    MODEL_DELETED = "model_deleted"
    NEW_BASELINE = "new_baseline"
    COLUMN_GONE = "column_gone"
    SEGMENT_GONE = "segment_gone"
    VERSION_SUPERSEDED = "version_superseded"
    BY_HAND = "by_hand"
    RETRAINED = "retrained"


class SeenWindow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a rule remembers of a window.

    `before`: an earlier revision was judged and this one could not be. `held`: it is good, but not good enough to end an episode.
    """

    start: int
    end: int
    revision: int
    verdict: Verdict
    before: bool = False
    held: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """The state of one rule: one column and segment of one monitor.

    `definition` is the monitor's `evaluated_revision`; `windows` are the remembered ones, by their end; a window that ends at or before `floor` is
    forgotten. `episode` and `level` are those of the open episode. `contract` is the version of the model's contract, 0 in rules of an earlier version of
    Watchkeeper. `last` is the episode that the rule ended last, at `ended`. `told` is the verdict of a comparison that destinations were told last.
    """

    model: str
    monitor: str
    column: str
    segment: str
    definition: int = 1
    state: State = State.NORMAL
    level: Level | None = None
    episode: str | None = None
    windows: tuple[SeenWindow, ...] = ()
    floor: int | None = None
    contract: int = 0
    last: str | None = None
    ended: int = 0
    told: str | None = None


class Transition(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One change of a rule, and why. `episode` is "" while there is none; `recorded` is 0 until it is stored. `cause` is that of an episode's end."""

    episode: str
    at: int
    before: State
    after: State
    level: Level | None
    reason: str
    window_start: int
    window_end: int
    revision: int
    recorded: int = 0
    cause: Cause | None = None


class DeliveryState(StrEnum):
    """The state of a notification."""

    PENDING = "pending"  # waits for its first or next attempt
    DELIVERED = "delivered"
    DEAD = "dead"  # given up: refused, not allowed, or three days are over
    NOT_SENT = "not_sent"  # the window ended before the notify horizon, the destination is paused, or something later says more


class Delivery(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One notification to one destination: a row of the outbox. `id` is the `webhook-id`, the same for every attempt.

    Those of a higher `rank` go first. `queued` is when it began to wait, which a replay does again; 0 stands for `created`. `begun` is when the last attempt began.
    """

    id: str
    destination: str
    episode: str
    type: str
    body: str
    created: int
    due: int
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_status: int | None = None
    reason: str = ""
    rank: int = 0
    queued: int = 0
    begun: int | None = None

    @property
    def waits_since(self) -> int:
        """When it began to wait."""
        return self.queued or self.created


class Episode(Described, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One alert, from firing to its end.

    `reason`, `window_*`, `value` and `threshold` are of the reading that fired (or escalated) it; `reading` and `definition` are frozen
    snapshots of that reading and of the monitor. `fired` is the reading that fired it, kept once an escalation has taken its place as `reading` (`first` gives
    it at any time); episodes that escalated before it was kept have None. `level` is the worst that was reached. `started_at` is the start of the first breaching
    window, `fired_at` and `ended_at` the ends of the windows that fired and resolved it. `owner`, `description` and `runbook` are those of the monitor when it
    fired, or else of the model's contract.
    """

    id: str
    model: str
    monitor: str
    measure: str
    column: str
    segment: str
    state: State
    severity: Severity
    level: Level
    started_at: int
    fired_at: int
    ended_at: int | None = None
    reason: str
    window_start: int
    window_end: int
    value: float | None
    threshold: dict[str, Any]
    definition: Monitor
    reading: Reading
    fired: Reading | None = None
    cause: Cause | None = None  # of the end
    traffic_share: float | None = None  # the share of the window's rows that its segment holds; None if it is unknown
    reopened: int = 0  # wall time at which it last went on after an end; 0 if it never did
    recorded: int = 0  # wall time of the last firing or escalation; 0 in episodes of an earlier version
    deliveries: tuple[Delivery, ...] = ()
    decision: Decision = UNDECIDED
    handling: Handling = UNTOUCHED
    timeline: tuple[Transition, ...] = ()
    changes: tuple[Change, ...] = ()  # of the model, near the onset
    retrains: tuple[str, ...] = ()  # the requests for retraining that it made or joined

    @property
    def stored(self) -> Episode:
        """The episode without what is stored beside it: deliveries, decision, handling, timeline and requests for retraining."""
        return self.kept()

    def kept(self, **changed: Any) -> Episode:
        """As `stored`, with these fields changed."""
        return msgspec.structs.replace(self, deliveries=(), decision=UNDECIDED, handling=UNTOUCHED, timeline=(), retrains=(), **changed)

    @property
    def first(self) -> Reading | None:
        """The reading that fired it; None where an escalation took its place before it was kept."""
        return self.fired or (self.reading if self.reading.window_end == self.fired_at else None)

    def document(self, address: str = "") -> dict[str, Any]:  # long: one line for each field
        """The episode as the API and notifications give it; `address` is where the dashboard is, such as `http://127.0.0.1:8650`."""
        first = self.first
        return {
            "id": self.id,
            "model": self.model,
            "monitor": self.monitor,
            "measure": self.measure,
            "column": self.column,
            "segment": self.segment,
            "state": self.state,
            "severity": self.severity,
            "level": self.level,
            "reason": self.reason,
            "value": self.value,
            "threshold": self.threshold,
            **self.words,
            "started_at": moment.text(self.started_at),
            "fired_at": moment.text(self.fired_at),
            "ended_at": None if self.ended_at is None else moment.text(self.ended_at),
            "window_start": moment.text(self.window_start),
            "window_end": moment.text(self.window_end),
            "ended_by": self.cause,
            "traffic_share": self.traffic_share,
            "at_firing": None
            if first is None
            else {
                "value": first.value,
                "window_start": moment.text(first.window_start),
                "window_end": moment.text(first.window_end),
            },
            "changes": [one.document() for one in self.changes],
            "reading": _facts(self.reading),
            "deliveries": [
                {
                    "destination": row.destination,
                    "type": row.type,
                    "state": row.state,
                    "attempts": row.attempts,
                    "last_status": row.last_status,
                }
                for row in self.deliveries
            ],
            **self._told(),
            "retrains": list(self.retrains),
            "url": f"{address}/ui/alerts/{self.id}",
        }

    def _told(self) -> dict[str, Any]:
        """What the policy decided, what people did, and the timeline of both with the changes of state, by the wall clock."""
        decided, handled = self.decision, self.handling
        steps = [
            (
                row.recorded,
                {"at": moment.text(row.recorded), "what": row.after, "by": None, "text": row.reason, "event_time": moment.text(row.at)},
            )
            for row in self.timeline
        ]
        acts = [
            (act.at, {"at": moment.text(act.at), "what": act.action, "by": act.actor, "text": act.comment, "event_time": None})
            for act in handled.acts
        ]
        return {
            "group": decided.group,
            "suppressed": decided.suppressed or None,
            "silenced_by": decided.silenced_by,
            "inhibited_by": decided.inhibited_by,
            "acknowledged_by": handled.acknowledged_by,
            "assigned_to": handled.assigned_to,
            "snoozed_until": None if handled.snoozed_until is None else moment.text(handled.snoozed_until),
            "useful": handled.useful,
            "comments": [{"at": moment.text(act.at), "by": act.actor, "comment": act.comment} for act in handled.acts if act.comment],
            "timeline": [entry for _, entry in sorted((*steps, *acts), key=lambda one: one[0])],
        }


def _facts(reading: Reading) -> dict[str, Any]:
    """What a notice says of the reading besides its value: the other side, the interval, how many rows, and what makes most of it."""
    change: dict[str, Any] = {
        name: reading.evidence[name] for name in ("detected_at", "onset", "before", "after") if name in reading.evidence
    }
    return {
        "baseline": reading.baseline,
        "baseline_value": reading.baseline_value,
        "lower": reading.lower,
        "upper": reading.upper,
        "n_target": reading.n_target,
        "n_baseline": reading.n_baseline,
        "n_effective": reading.n_effective,
        "contributions": reading.evidence.get("contributions", []),
        **change,
    }


class Ending(msgspec.Struct, frozen=True, gc=False):
    """The end of an episode of which nothing else changes: event time, and why."""

    episode: str
    at: int
    cause: Cause | None


class EpisodeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that one step of the alert engine writes, in one transaction. Rules and episodes replace those of the same key.

    `endings` are of episodes that are not among `episodes`. `notices` are the episodes at which a policy has to look.
    """

    rules: list[Rule] = []
    episodes: list[Episode] = []
    endings: list[Ending] = []
    transitions: list[Transition] = []
    deliveries: list[Delivery] = []
    notices: list[str] = []
