"""Hooks: when the retraining of a model is asked for, of whom, under which conditions, and how it is judged whether it helped.

`alerts.retrain.document` makes them from what people write. Lengths are microseconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from core import moment
from core.described import Described
from core.destination import shown
from core.monitor import Severity

CAUSES = ("performance", "drift", "uncertainty", "fairness", "user", "change")
"""The families whose episodes may ask for a retraining. Those of quality never may: a broken pipeline is not mended by training on what it wrote."""


class Mode(StrEnum):
    """What a hook does by itself: only record what it would ask for, ask a person first, or ask the target."""

    DRY_RUN = "dry_run"
    APPROVAL = "approval"
    AUTOMATIC = "automatic"


class Baseline(StrEnum):
    """What an effective retraining does to the reference: nothing, or the verified windows of the new version become it."""

    KEEP = "keep"
    EFFECTIVE = "effective"


class On(msgspec.Struct, frozen=True, kw_only=True):
    """The episodes that ask: of this severity and above, of these families, and breaching for `after` windows of their monitor."""

    severity: Severity = Severity.TICKET
    families: tuple[str, ...] = ("performance", "drift")
    after: int = 1


class Require(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold before the target is asked: labels since the last training, no open episode of these families, and the share of predictions with a label."""

    labels: int = 0
    no_open: tuple[str, ...] = ("quality",)
    coverage: float = 0.0


class Verify(msgspec.Struct, frozen=True, kw_only=True):
    """How it is judged: so many closed windows of the new version, in which the measure is good, within a time after the run has succeeded."""

    measure: str
    window: int
    windows: int = 3
    within: int = 14 * moment.DAY
    segment: str = "all"


class Hook(Described, frozen=True, kw_only=True):
    """A hook of a model. `settings` are those of its kind of target, as `alerts.retrain.target.<kind>` has read them.

    `schedule` is a cron expression of five fields in `timezone`. After a run none is asked for during `cooldown`, which doubles with each run in a row that did not help.
    `budget` is how many runs may begin in how long, `cadence` how often a run of the model has to end at least. A run that does not end within `timeout` has timed out. `since` is when the definition last changed.
    One that is not `enabled` asks for nothing new; what it has asked for is followed to its end.
    """

    name: str
    model: str
    kind: str = "webhook"
    settings: dict[str, str] = {}  # noqa: RUF012 - a struct's: each has its own
    on: On | None = None
    schedule: str | None = None
    timezone: str = "UTC"
    mode: Mode = Mode.APPROVAL
    cooldown: int = moment.DAY
    budget: tuple[int, int] = (4, 30 * moment.DAY)
    require: Require = Require()
    verify: Verify | None = None
    baseline_after: Baseline = Baseline.KEEP
    timeout: int = moment.DAY
    cadence: int | None = None
    enabled: bool = True
    since: int = 0

    def shown(self) -> dict[str, Any]:
        """The hook without its secrets, for pages, logs and the audit."""
        document: dict[str, Any] = msgspec.to_builtins(self)
        del document["settings"]
        return document | {name: shown(self.kind, name, value) for name, value in self.settings.items()}

    def __repr__(self) -> str:
        return f"Hook({self.shown()})"
