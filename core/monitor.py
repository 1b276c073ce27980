"""Monitors: which measure is computed, for what, against which baseline, and with which thresholds.

`monitors.definition.grammar` makes them from what people write. A revision of a monitor does not change; a changed definition is a new
revision under the same name.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from core import duration, moment
from core.baseline.kind import Baseline
from core.baseline.rows import Role, Version
from core.described import Described
from core.window.kind import Window
from core.window.tumbling import Tumbling


class Severity(StrEnum):
    """How urgent an episode is: report < ticket < page."""

    REPORT = "report"
    TICKET = "ticket"
    PAGE = "page"

    @property
    def rank(self) -> int:
        """0 for report, 1 for ticket, 2 for page."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Compare(StrEnum):
    """What is compared with the thresholds.

    `value`: the value, as its measure is judged. `excess`: how much larger it is than it would be on average if nothing had moved. `rise`: how much larger it is than
    the baseline's.
    """

    VALUE = "value"
    EXCESS = "excess"
    RISE = "rise"


class Gate(StrEnum):
    """What a breach needs besides a threshold that is reached: nothing, or a p-value that is evidence."""

    NONE = "none"
    EVIDENCE = "evidence"


class Unjudged(StrEnum):
    """What a window that cannot be judged does: `hold` changes nothing, `alert` counts as a warning."""

    HOLD = "hold"
    ALERT = "alert"


class Budget(msgspec.Struct, frozen=True):
    """How many alarm windows a monitor may raise by chance in `period` microseconds: `1 per 30d`."""

    windows: int
    period: int

    @property
    def written_period(self) -> int:
        """The period for which it was written."""
        return self.period

    @property
    def text(self) -> str:
        """As it is written."""
        return f"{self.windows} per {duration.text(self.period)}"


class Share(Budget, frozen=True):
    """What a monitor gets of the `budget` of its model, which it shares with others: `monitors` in all."""

    budget: str
    monitors: int

    @property
    def written_period(self) -> int:
        """The period for which the model's budget was written."""
        return self.period // self.monitors


class ModelBudget(msgspec.Struct, frozen=True):
    """A budget of a model as a whole: its monitors that can alarm by their p-values and have no thresholds of their own share it."""

    name: str
    model: str
    rate: Budget

    def share(self, monitors: int) -> Share:
        """What each of so many monitors gets: together they alarm as often as the budget allows at most (Bonferroni)."""
        return Share(self.rate.windows, self.rate.period * monitors, self.name, monitors)


HARMFUL = "change.harmful"  # whose monitors share one alpha for the life of a model


class AutoSegments(msgspec.Struct, frozen=True, kw_only=True):
    """Segments that are found and not named: of each dimension in `columns` the values that have at least `min_share` of the reference's rows, the `most` frequent ones at most."""

    columns: tuple[str, ...]
    min_share: float = 0.02
    most: int = 20

    @property
    def written(self) -> dict[str, Any]:
        """As it is written."""
        return {"auto": list(self.columns), "min_share": self.min_share, "most": self.most}


class Monitor(Described, frozen=True, kw_only=True):
    """A monitor's definition.

    `columns` is empty for measures of the whole model, and for "all features". `attributes`, dimensions and crosses, take its place for measures of attributes; it is empty for
    "all protected". `segments` is a list of groupings such as `all`, `carrier`
    or `carrier*origin`; `all` is always among them. With `auto` they are its dimensions, of which some values only are watched. `warn` and `critical` are as written: a number, `{"below": x}`, `{"above": x}` or None. `exclude` are spans in microseconds that a baseline from the stream leaves out. A `budget` takes their place, and so does the `share` of a budget of the model, which is not written but counted when
    definitions change. With fewer labels than `min_label_coverage`, a share of the window's predictions, a reading is immature. `persist` is (m, n): m of n disjoint windows.
    In an open episode a window counts as good only if it does not reach `clear` either; the episode ends after `keep_firing` further windows without a cause, and goes on if the rule fires
    again within `reopen_within` microseconds of event time. `on_nodata` is about windows without rows, `on_error` about those without a value that can be trusted.
    One that is not `enabled` is paused: it is not evaluated, and its readings and episodes stay as they are.
    """

    name: str
    model: str
    measure: str
    params: dict[str, Any] = {}  # noqa: RUF012 - a struct's: each has its own
    columns: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    segments: tuple[str, ...] = ("all",)
    auto: AutoSegments | None = None
    window: Window = Tumbling(moment.DAY)
    baseline: Baseline | None = None
    exclude: tuple[tuple[int, int], ...] = ()
    version: str | None = None  # of the model; None pools all
    other: Version | Role | None = None  # side b of a comparison, whose `baseline` is side a
    challengers: int = (
        1  # comparisons, or monitors of harmful change, of the model that share their alpha with this one; counted, not written
    )
    warn: float | dict[str, float] | None = None
    critical: float | dict[str, float] | None = None
    budget: Budget | None = None
    share: Share | None = None
    compare: Compare = Compare.VALUE
    gate: Gate = Gate.NONE
    min_samples: int = 200
    min_label_coverage: float | None = None
    persist: tuple[int, int] = (1, 1)
    clear: float | dict[str, float] | None = None
    keep_firing: int = 0
    reopen_within: int = 0
    on_nodata: Unjudged = Unjudged.HOLD
    on_error: Unjudged = Unjudged.HOLD
    severity: Severity = Severity.TICKET
    enabled: bool = True
    revision: int = 1  # of the definition: counts every change
    since: int = 0  # the revision that last changed what is evaluated or judged; 0: this one

    @property
    def threshold(self) -> dict[str, Any]:
        """The thresholds as readings give them; that of a budget comes from its calibration."""
        return {"warn": self.warn, "critical": self.critical}

    @property
    def excluded(self) -> list[dict[str, str]]:
        """The spans that baselines leave out, as they are written."""
        return [{"from": moment.text(start), "to": moment.text(end)} for start, end in self.exclude]

    @property
    def allowed(self) -> Budget | None:
        """How many false alarm windows it may raise: its own budget, or its share of the model's."""
        return self.budget or self.share

    @property
    def rivalry(self) -> bytes:
        """What monitors that share an alpha have in common: comparisons side a and the measure, those of harmful change that; b"" for other monitors."""
        if self.measure == HARMFUL:
            return HARMFUL.encode()
        return b"" if self.other is None else msgspec.json.encode((self.baseline, self.params.get("of")), order="deterministic")

    @property
    def alarms(self) -> bool:
        """Whether a reading of it can be a breach."""
        return self.warn is not None or self.critical is not None or self.allowed is not None or self.other is not None

    @property
    def evaluated_revision(self) -> int:
        """The revision that readings and rules carry. A change of owner, description or runbook, and a pause, leave it as it is."""
        return self.since or self.revision

    def evaluates_like(self, other: Monitor) -> bool:
        """Whether both are evaluated and judged alike; owner, description, runbook and pauses do not count, nor what others leave of a budget."""
        counted = {"revision": other.revision, "since": other.since, "share": other.share, "challengers": other.challengers}
        aside: dict[str, Any] = {**other.words, "enabled": other.enabled, **counted}
        return msgspec.structs.replace(self, **aside) == other
