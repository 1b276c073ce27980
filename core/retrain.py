"""Requests for a retraining, from the first cause to the verdict on whether it helped. All times are microseconds of the wall clock, but those of the manifest are event time."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from core import moment


class RetrainState(StrEnum):
    """The state of a request."""

    REQUESTED = "requested"
    BLOCKED = "blocked"
    AWAITING_APPROVAL = "awaiting_approval"
    DISPATCHED = "dispatched"  # the target is asked, or was
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    VERIFYING = "verifying"
    EFFECTIVE = "effective"
    INEFFECTIVE = "ineffective"
    CANCELLED = "cancelled"


class Sending(StrEnum):
    """What is known of the message to the target: none is under way, one was begun and its answer is not known, or it was taken."""

    NONE = "none"
    BEGUN = "begun"
    TAKEN = "taken"


class Trigger(StrEnum):
    """What asks: what asked first, or a schedule or person that asked, too, before the request was sent."""

    EPISODE = "episode"
    SCHEDULE = "schedule"
    HAND = "hand"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a request, or something that it learned in its state. `by` is a principal, "" for Watchkeeper itself."""

    at: int
    state: RetrainState
    reason: str
    by: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What to train on: the events of the model from `start` to `end` (event time), and what is known of them.

    `contract` is the version of the contract, `version` the version of the model that served most of them. `segments` are those that the episodes name. `as_of` is when it was made (wall clock): the
    export has the events and labels that the log had then. `sql` asks the fact store for the same events.
    """

    start: int
    end: int
    contract: int
    version: str | None = None
    rows: int = 0
    labelled: int = 0
    segments: tuple[str, ...] = ()
    as_of: int = 0
    sql: str = ""

    @property
    def coverage(self) -> float:
        """The share of rows that have a label; 0 without rows."""
        return self.labelled / self.rows if self.rows else 0.0

    def document(self) -> dict[str, Any]:
        """The manifest as the API gives it, without the address of the export."""
        times = {"from": moment.text(self.start), "to": moment.text(self.end)}
        names = ("contract", "version", "rows", "labelled")
        beside = {"label_coverage": self.coverage, "segments": list(self.segments), "sql": self.sql}
        return {**times, **{name: getattr(self, name) for name in names}, **beside}


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A closed window of the new version, and whether the measure is good there; `why` says by which rule."""

    start: int
    end: int
    value: float | None
    good: bool
    why: str


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison tells of the new version beside `version`, the one before, in the windows that both served: its verdict (`ready`, `worse`, `keep_waiting`), and how much better the new one is at least and at most in the
    measure's good direction, at all windows together, None where that is not known. `rows` are those of the new version.
    """

    version: str
    verdict: str
    better: float | None = None
    better_upper: float | None = None
    rows: int = 0


class Retrain(msgspec.Struct, frozen=True, kw_only=True):
    """A request.

    `onset` is the start of the first breaching window of its episodes (event time), None for one that no episode asked for. `token` is that of the callback; it is "" once the run has ended.
    `run` and `url` are the target's. `known` are the versions of the model that had events before the target was asked, and `version` is the new one. `due` is when Watchkeeper looks again,
    `claimed` until when a process has the request for itself, and `attempts` counts how often the target was asked. `succeeded_at` is when the run succeeded.
    """

    id: str
    model: str
    hook: str
    state: RetrainState
    trigger: Trigger
    reason: str
    by: str = ""
    approved_by: str | None = None
    created: int
    episodes: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    onset: int | None = None
    manifest: Manifest | None = None
    token: str = ""
    sending: Sending = Sending.NONE
    run: str = ""
    url: str = ""
    known: tuple[str, ...] = ()
    version: str | None = None
    metrics: dict[str, float] = {}
    dispatched_at: int | None = None
    deadline: int | None = None
    succeeded_at: int | None = None
    ended_at: int | None = None
    attempts: int = 0
    due: int = 0
    claimed: int | None = None
    verified: tuple[Verified, ...] = ()
    beside: Beside | None = None
    history: tuple[Change, ...] = ()

    def document(self) -> dict[str, Any]:
        """The request as the API gives it, without its token."""
        names = ("id", "model", "hook", "state", "trigger", "reason", "by", "approved_by", "run", "url", "version", "metrics", "attempts")
        times = ("created", "onset", "dispatched_at", "deadline", "succeeded_at", "ended_at")
        return {
            **{name: getattr(self, name) for name in names},
            **{name: None if (time := getattr(self, name)) is None else moment.text(time) for name in times},
            "episodes": list(self.episodes),
            "manifest": None if self.manifest is None else self.manifest.document(),
            "verified": [
                {**msgspec.to_builtins(one), "start": moment.text(one.start), "end": moment.text(one.end)} for one in self.verified
            ],
            "beside": None if self.beside is None else msgspec.to_builtins(self.beside),
            "history": [{**msgspec.to_builtins(one), "at": moment.text(one.at)} for one in self.history],
        }
