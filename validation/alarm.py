"""False alarms: how many windows of a stationary stream alarm, by the default watch, by budgets and by the usual rules."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import binomtest

from core.moment import DAY
from core.monitor import Budget
from core.reading import Verdict
from core.span import Flags
from monitors.evaluation.frame import VERDICTS, Frame
from validation import rule
from validation.replicate import Replicate, Stationary
from validation.stream import Generator
from validation.world import budgeted, default_watch

BUDGET = Budget(1, 30 * DAY)
RATE = DAY / BUDGET.period  # of windows of a day that may alarm
WATCH = "default watch"
PSI_RULE, P_RULE = "PSI > 0.1", "p < 0.05"
BREACH = [VERDICTS.index(verdict) for verdict in (Verdict.WARN, Verdict.CRITICAL)]


@dataclass
class Tally:
    """How many windows there were, and by rule how many alarmed."""

    stream: str
    rows: str
    windows: dict[str, int] = field(default_factory=dict)
    alarms: dict[str, int] = field(default_factory=dict)

    def add(self, alarmed: dict[str, Flags]) -> None:
        """Add windows."""
        for name, flags in alarmed.items():
            self.windows[name] = self.windows.get(name, 0) + len(flags)
            self.alarms[name] = self.alarms.get(name, 0) + int(flags.sum())

    def join(self, other: Tally) -> Tally:
        """The windows of both."""
        names = self.windows | other.windows
        both = ({name: getattr(self, of).get(name, 0) + getattr(other, of).get(name, 0) for name in names} for of in ("windows", "alarms"))
        return Tally(self.stream, self.rows, *both)

    @property
    def dependent(self) -> bool:
        """Whether days of the stream depend on those before: whole weeks, and days that are correlated. Then the future resembles the reference only by chance."""
        return "weeks resampled" in self.stream or ("correlated" in self.stream and not self.stream.endswith(" 0.0"))

    def share(self, name: str) -> float:
        """The share of windows that alarmed."""
        return self.alarms[name] / self.windows[name]

    def p(self, name: str) -> float:
        """The chance of so many alarm windows or more if their rate is that of the budget."""
        return float(binomtest(self.alarms[name], self.windows[name], RATE, alternative="greater").pvalue)


def alarmed(frame: Frame) -> Flags:
    """In which windows a monitor alarms: (windows,)."""
    return np.asarray(np.isin(frame.verdict, BREACH).any(axis=(1, 2)))


def by_rule(one: Replicate, *, textbook: bool) -> dict[str, Flags]:
    """Which windows of a replicate alarm, by rule: the default watch, each of its monitors with a budget in place of thresholds, and the usual rules; p-values only where `textbook`."""
    world = one.world()
    monitors = default_watch(world.model.contract)
    frames = {monitor.measure: world.frame(monitor) for monitor in monitors}
    found = {WATCH: np.any([alarmed(frame) for frame in frames.values()], axis=0)}
    found |= {f"budget {monitor.measure}": alarmed(world.frame(budgeted(monitor, BUDGET))) for monitor in monitors}
    value = frames["drift.psi"].value
    found[PSI_RULE] = (np.nan_to_num(value) > 0.1).any(axis=(1, 2))
    if textbook:
        found[P_RULE] = (rule.p_values(one.columns, one.reference, one.windows) < 0.05).any(axis=1)
    return found


def count(stream: Stationary, references: int, windows: int, rng: Generator) -> Tally:
    """The alarms of a stream over some replicates; the usual p-values, which take half of the time, only over the first tenth of them."""
    tally = Tally(stream.name, stream.rows)
    for place in range(references):
        tally.add(by_rule(stream.replicate(rng, windows), textbook=10 * place < references))
    return tally
