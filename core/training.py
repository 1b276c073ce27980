"""What is known of the training of a model: its last run, and whether the next one is overdue. Times are microseconds of the wall clock, but those of the manifest are event time."""

from __future__ import annotations

from typing import Any

import msgspec

from core import duration, moment
from core.retrain import Retrain

COST = "cost"  # the metric by which a run reports what it cost, in a unit of its own


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """The last run of a model that succeeded, None if none is known, and its cadence: at least how often the model is to be trained, None if no hook says so.

    `at` is when this was so. `since` is from when the cadence counts: the end of the last run, or else when its hook was defined or changed. `hook` is that whose cadence it is.
    """

    model: str
    at: int
    last: Retrain | None = None
    hook: str | None = None
    cadence: int | None = None
    since: int | None = None

    @property
    def due(self) -> int | None:
        """When the next run has to have ended; None without a cadence."""
        return None if self.cadence is None or self.since is None else self.since + self.cadence

    @property
    def overdue(self) -> bool:
        """Whether no run has ended in time."""
        return self.due is not None and self.at > self.due

    @property
    def healthy_after(self) -> int | None:
        """How long it took from the request, which an alert makes at once, to the proof that the run had helped; None where it is not proven."""
        one = self.last
        return None if one is None or one.state != "effective" or one.ended_at is None else one.ended_at - one.created

    def document(self) -> dict[str, Any]:
        """It as the API gives it; lengths are texts such as `7d`, and seconds where they were measured."""
        one = self.last
        made = None if one is None else one.manifest
        return {
            "model": self.model,
            "last_trained": _time(None if one is None else one.succeeded_at),
            "window": None if made is None else {"from": moment.text(made.start), "to": moment.text(made.end)},
            "trigger": None if one is None else one.trigger,
            "by": None if one is None else one.by,
            "approved_by": None if one is None else one.approved_by,
            "version": None if one is None else one.version,
            "effect": None if one is None else one.state,
            "healthy_after_seconds": None if self.healthy_after is None else self.healthy_after / moment.SECOND,
            "cost": None if one is None else one.metrics.get(COST),
            "retrain": None if one is None else one.id,
            "cadence": None if self.cadence is None else duration.text(self.cadence),
            "hook": self.hook,
            "due": _time(self.due),
            "overdue": self.overdue,
        }


def _time(at: int | None) -> str | None:
    return None if at is None else moment.text(at)
