"""Evaluates the monitors of one model: those whose windows moved, and those that failed before."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Ints
from core.clock import Clock
from core.contract import Contract
from core.error import Fenced, Retryable
from core.monitor import Monitor
from core.reading import Reading
from monitors import plan
from monitors.evaluate import Evaluate, Model, columns_of, missing, segments_of
from monitors.seam import Alerts, Panes, Readings, Store
from monitors.term import Term
from monitors.withdrawal import held, told, withdrawn

_log = logging.getLogger(__name__)

_NEVER = -(1 << 62)
_LONGEST = moment.MINUTE  # between two attempts at a monitor that fails
_WARY = 10 * moment.MINUTE  # after an owner's first step, in which readings of earlier owners are counted in each
_SELDOM = 5 * moment.MINUTE  # between two counts later
_PORTION = 10_000  # readings that alerts take in one transaction: PostgreSQL ends one in which nothing is asked for 10 s


@dataclass
class Counts:
    """What an owner has done since it began."""

    steps: int = 0
    audited: int = 0
    repaired: int = 0
    readings: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # by monitor
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """What has moved since the last step: the slots that were touched, the watermark, and how the model's events come.

    `anew`: an owner's first look, in which everything that is due is written, also where it is what is stored. So it holds against what the
    owner before may write late. `stray`: readings may be there of windows and segments that are not.
    """

    touched: Ints
    watermark: int
    live: bool
    anew: bool
    stray: bool


@dataclass
class _Done:
    """Which windows of a monitor have a reading in each column and segment."""

    starts: Ints
    readings: Ints

    def until(self, length: int) -> int:
        """The end of the last of them. What silence has closed stays closed: events of its own change its readings."""
        return int(self.starts.max(initial=_NEVER)) + length

    def complete(self, each: int) -> Ints:
        found: Ints = self.starts[self.readings == each]
        return found

    def add(self, windows: Ints, each: int) -> None:
        self.drop(windows)
        self.starts = np.concatenate([self.starts, windows])
        self.readings = np.concatenate([self.readings, np.full(len(windows), each)])

    def drop(self, windows: Ints) -> None:
        rest = ~np.isin(self.starts, windows)
        self.starts, self.readings = self.starts[rest], self.readings[rest]


class Watch:
    """The monitors of one model."""

    def __init__(self, evaluate: Evaluate, panes: Panes, readings: Readings, write: Store, alerts: Alerts, clock: Clock) -> None:
        self._evaluate, self._panes, self._readings, self._write = evaluate, panes, readings, write
        self._alerts, self._clock = alerts, clock
        self._done: dict[tuple[str, int, int], _Done] = {}
        self._pauses: dict[
            tuple[str, int], tuple[int, int]
        ] = {}  # of a monitor that fails: when it is tried again, and the pause before that
        self._earlier = -1  # readings of earlier owners
        self._looked: tuple[int, int] | None = None  # when they were counted first and last
        self.counts = Counts()

    def stray(self, model: str, term: Term) -> bool:
        """Whether an earlier owner has written readings since this was asked last; also when it is asked first.

        To count them takes longer the more there are. An earlier owner has one write left at most, and lands it within minutes or hardly ever: so
        much later it is enough to look now and then.
        """
        now = self._clock.now()
        first, last = self._looked or (now, now - _SELDOM)
        if first + _WARY <= now < last + _SELDOM:
            return False
        self._looked = first, now
        before, self._earlier = self._earlier, self._readings.below(model, term.first)
        if before == self._earlier:
            return False
        self._done.clear()
        return True

    def doubt(self) -> None:
        """Ask for readings of earlier owners in the next step."""
        self._looked = None

    def due(self, monitors: Sequence[Monitor], failed: set[str]) -> set[str]:
        """Of the monitors that failed, those to try again now: over their whole history, so each time after a longer pause."""
        now = self._clock.now()
        return {m.name for m in monitors if m.name in failed and now >= self._pauses.get((m.name, m.revision), (0, 0))[0]}

    def __call__(self, model: Model, monitors: Sequence[Monitor], move: Move, failed: set[str], term: Term) -> tuple[bool, set[str]]:
        """Evaluate; whether there was anything to do, and the monitors that fail now. One that fails does not spoil the others.

        Raises Retryable where a store is away, or refuses all of several that have failed just now: that is no monitor's fault.
        """
        slots, _ = self._panes.slots(model.contract)
        found = self._panes.segments(model.contract)
        due, worked, errors = self.due(monitors, failed), False, list[tuple[Monitor, Exception]]()
        waiting = {monitor.name for monitor in monitors} & failed - due
        for monitor in monitors:
            if monitor.name in waiting:
                continue
            try:
                worked |= self._monitor(monitor, model, slots, found, move, term, again=monitor.name in failed)
                self.counts.failed.pop(monitor.name, None)
                self._pauses.pop((monitor.name, monitor.revision), None)
                self._tell_missing(monitor, model.contract)
            except Fenced:
                raise  # of this owner, and not of the monitor
            except Exception as error:  # one monitor's edge: its windows stay due, the others go on
                if isinstance(error, Retryable):
                    self._reach(model.contract, term)
                errors.append((monitor, error))
        new = [why for monitor, why in errors if monitor.name not in failed]
        if len(new) > 1 and not worked and all(isinstance(why, Retryable) for why in new):
            raise new[0]
        for monitor, why in errors:
            self._failed(monitor, why)
        return worked, waiting | {monitor.name for monitor, _ in errors}

    def _reach(self, contract: Contract, term: Term) -> None:
        """Raise as the stores do where one of them is away: it has refused something, and may have meant that alone."""
        term.check()
        self._panes.slots(contract)

    def _monitor(self, monitor: Monitor, model: Model, slots: Ints, found: Sequence[str], move: Move, term: Term, *, again: bool) -> bool:
        self._alerts.observe(monitor, (), term.fence)  # what an earlier revision left open ends, also where none watches it any more
        segments = segments_of(monitor, model, found)
        each = len(segments) * len(columns_of(monitor, model.contract))
        done = self._known(monitor, model.contract)
        existing = plan.existing(monitor, slots, max(move.watermark, done.until(monitor.window)), live=move.live)
        # A slot that was touched and holds nothing has lost its events: windows may be gone.
        lost = again or move.stray or not np.isin(move.touched, slots).all()
        gone = np.setdiff1d(done.starts, existing) if lost else np.zeros(0, np.int64)
        windows = plan.due(monitor, existing, slots if again else move.touched, done.complete(each))
        for chunk in plan.chunks(windows, monitor.window, self._evaluate.most(monitor, model, len(segments))):
            frame = self._evaluate(monitor, model, chunk, segments)
            stored = self._readings.newest(monitor.model, monitor.name, monitor.revision, (int(chunk[0]), int(chunk[-1]) + 1))
            changed, revision = frame.changed(stored)
            written, numbers = (np.ones_like(changed), np.where(changed, revision, revision - 1)) if move.anew else (changed, revision)
            # Alerts first: if we are killed between the two, the same readings come again, and change nothing there.
            self._observe(monitor, frame.readings(changed, revision), term)
            if written.any():
                term.check()
                self._write.readings(frame.table(written, numbers, self._clock.now(), term.generation))
                self.counts.readings += int(changed.sum())
            self._withdraw(monitor, frame.absent(held(stored, chunk, model.contract.version)), term)
            done.add(chunk, each)
        for chunk in plan.chunks(gone, monitor.window, len(gone)):
            stored = self._readings.newest(monitor.model, monitor.name, monitor.revision, (int(chunk[0]), int(chunk[-1]) + 1))
            self._withdraw(monitor, held(stored, chunk, model.contract.version), term)
            done.drop(chunk)
        return bool(len(windows) or len(gone))

    def _withdraw(self, monitor: Monitor, stored: pa.Table, term: Term) -> None:
        """Take readings back."""
        if stored.num_rows:
            table = withdrawn(stored, self._clock.now(), term.generation)
            self._observe(monitor, told(table), term)
            term.check()
            self._write.readings(table)

    def _observe(self, monitor: Monitor, readings: Iterator[Reading], term: Term) -> None:
        """Let the alerts take readings, windows in order, a portion at a time."""
        while watched(monitor) and (portion := list(islice(readings, _PORTION))):
            self._alerts.observe(monitor, portion, term.fence)

    def _failed(self, monitor: Monitor, error: Exception) -> None:
        """Tell why, and try again after twice the pause before."""
        refused = isinstance(error, Retryable)  # then the message says all
        _log.log(
            logging.WARNING if refused else logging.ERROR,
            "monitor %s of %s could not be evaluated: %s",
            monitor.name,
            monitor.model,
            error,
            exc_info=None if refused else error,
        )
        key = (monitor.name, monitor.revision)
        pause = min(2 * self._pauses.get(key, (0, moment.SECOND // 2))[1], _LONGEST)
        self._pauses[key] = (self._clock.now() + pause, pause)
        self.counts.failed[monitor.name] = f"{type(error).__name__}: {str(error)[:300]}; tried again in {pause // moment.SECOND} s"

    def _tell_missing(self, monitor: Monitor, contract: Contract) -> None:
        """Remember which of a monitor's columns the contract has not; the others are evaluated."""
        self.counts.missing.pop(monitor.name, None)
        if names := missing(monitor, contract):
            self.counts.missing[monitor.name] = f"contract version {contract.version} has no column {', '.join(names)}; change its columns"

    def _known(self, monitor: Monitor, contract: Contract) -> _Done:
        key = (monitor.name, monitor.revision, contract.version)
        if key not in self._done:
            self._done[key] = _Done(*self._readings.evaluated(monitor.model, *key))
        return self._done[key]


def watched(monitor: Monitor) -> bool:
    """Whether a monitor has a limit that alerts watch."""
    return monitor.warn is not None or monitor.critical is not None
