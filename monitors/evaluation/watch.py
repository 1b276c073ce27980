"""Evaluates the monitors of one model: those whose windows moved, and those that failed before."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice
from operator import or_

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Ints
from core.clock import Clock
from core.contract import Contract
from core.error import Fenced, Retryable
from core.monitor import Monitor
from core.reading import Reading
from core.span import Spans
from monitors.evaluation import plan
from monitors.evaluation.evaluate import Evaluate, columns_of, extent, fields, groupings_of, missing, most, segments_of
from monitors.evaluation.failure import Failures
from monitors.evaluation.frame import Frame
from monitors.evaluation.task import Done, MonitorTask, groups, portions
from monitors.evaluation.withdrawal import absent, held, told, withdrawn
from monitors.evidence.reads import Reads, Scope
from monitors.lease import Lease
from monitors.model import Model
from monitors.ports import Alerts, Panes, Readings, Store

_log = logging.getLogger(__name__)

_LONGEST = moment.MINUTE  # between two attempts at a monitor that fails
_WARY = 10 * moment.MINUTE  # after an owner's first step, in which readings of earlier owners are counted in each
_SELDOM = 5 * moment.MINUTE  # between two counts later
_PORTION = 10_000  # readings that alerts take in one transaction: PostgreSQL ends one in which nothing is asked for 10 s


@dataclass
class WorkDone:
    """What an owner has done since it began."""

    steps: int = 0
    audited: int = 0
    repaired: int = 0
    readings: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # by monitor
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """What has changed since the last step: the slots that were touched, the watermark, and whether events come when they happen (`live`).

    `anew` marks an owner's first step. All readings that are due are written in it, also those that are stored already, so that they win over what the
    owner before may still write. `stray` says that readings may be stored for windows or segments that no longer exist.
    """

    touched: Ints
    watermark: int
    live: bool
    anew: bool
    stray: bool


class Watch:
    """The monitors of one model."""

    def __init__(self, evaluate: Evaluate, panes: Panes, readings: Readings, write: Store, alerts: Alerts, clock: Clock) -> None:
        self._evaluate, self._panes, self._readings, self._write = evaluate, panes, readings, write
        self._alerts, self._clock = alerts, clock
        self._done: dict[tuple[str, int, int], Done] = {}  # by monitor, revision and contract
        self._pauses: dict[
            tuple[str, int], tuple[int, int]
        ] = {}  # of a monitor that fails: when it is tried again, and the pause before that
        self._live = False  # whether the model was live in any step
        self._earlier = -1  # readings of earlier owners
        self._looked: tuple[int, int] | None = None  # when they were counted first and last
        self.counts = WorkDone()

    def stray(self, model: str, term: Lease) -> bool:
        """Whether an earlier owner has written readings since the last call; true at the first call.

        Counting readings takes longer the more there are. An earlier owner can have one write left at most, and it lands within minutes or hardly ever,
        so that later it is enough to count now and then.
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

    def forget(self, monitors: Sequence[Monitor]) -> None:
        """Say no more of monitors that are paused or gone that they fail."""
        evaluated = {monitor.name for monitor in monitors if monitor.enabled}
        for reasons in (self.counts.failed, self.counts.missing):
            for name in reasons.keys() - evaluated:
                del reasons[name]

    def due(self, monitors: Sequence[Monitor], failed: set[str]) -> set[str]:
        """Of the monitors that failed or were paused, those to evaluate now: over their whole history, so after a failure each time later."""
        now = self._clock.now()
        return {
            m.name
            for m in monitors
            if m.enabled and m.name in failed and now >= self._pauses.get((m.name, m.evaluated_revision), (0, 0))[0]
        }

    def __call__(self, model: Model, monitors: Sequence[Monitor], move: Move, failed: set[str], term: Lease) -> tuple[bool, set[str]]:
        """Evaluate; whether there was anything to do, and the monitors that fail now or are paused. One that fails does not spoil the others.

        Raises Retryable where a store is away, or refuses all of several that have failed just now: that is no monitor's fault.
        """
        slots, _ = self._panes.slots(model.contract)
        found = self._panes.segments(model.contract)
        paused = {monitor.name for monitor in monitors if not monitor.enabled}
        waiting = paused | {monitor.name for monitor in monitors} & failed - self.due(monitors, failed)
        asked = [monitor for monitor in monitors if monitor.name not in waiting]
        self._learn(asked, model.contract)
        self._live |= move.live
        failures = Failures(lambda error: self._reach(model.contract, term) if isinstance(error, Retryable) else None)
        tasks = []
        for monitor in asked:
            with failures.of(monitor):
                tasks.append(self._task(monitor, model, slots, found, move, term, again=monitor.name in failed))
        for group in groups(tasks):
            self._group(group, model, move, term, failures)
        worked = False
        for task in tasks:
            if task.monitor.name not in failures.errors:
                with failures.of(task.monitor):
                    self._gone(task, model.contract, term)
                    worked |= bool(len(task.due) or len(task.gone))
        new = [why for name, (_, why) in failures.errors.items() if name not in failed]
        if len(new) > 1 and not worked and all(isinstance(why, Retryable) for why in new):
            raise new[0]
        for monitor in asked:
            if monitor.name in failures.errors:
                self._failed(*failures.errors[monitor.name])
                continue
            self.counts.failed.pop(monitor.name, None)
            self._pauses.pop((monitor.name, monitor.evaluated_revision), None)
            self._tell_missing(monitor, model.contract)
        return worked, waiting | failures.errors.keys()

    def _reach(self, contract: Contract, term: Lease) -> None:
        """Raise as the stores do where one of them is away: it has refused something, and may have meant that alone."""
        term.check()
        self._panes.slots(contract)

    def _task(
        self, monitor: Monitor, model: Model, slots: Ints, found: Sequence[str], move: Move, term: Lease, *, again: bool
    ) -> MonitorTask:
        self._alerts.observe(monitor, (), term.fence)  # what an earlier revision left open ends, also where none watches it any more
        segments, columns = segments_of(monitor, model, found), columns_of(monitor, model.contract)
        done = self._done[monitor.name, monitor.evaluated_revision, model.contract.version]
        existing = plan.existing(monitor.window, slots, max(move.watermark, done.until), live=move.live)
        # A slot that was touched and holds nothing has lost its events: windows may be gone.
        # So may those after the last event, of a model that is not live any more.
        lost = again or move.stray or (self._live and not move.live) or not np.isin(move.touched, slots).all()
        gone = done.windows.take(~done.windows.isin(existing)) if lost else Spans.none()
        due = plan.due(monitor, existing, slots if again else move.touched, done.complete(len(segments) * len(columns)))
        return MonitorTask(monitor, segments, columns, due, gone, done)

    def _group(self, group: Sequence[MonitorTask], model: Model, move: Move, term: Lease, failures: Failures) -> None:
        """Evaluate tasks of one key: what they need is read once."""
        columns = tuple(dict.fromkeys(name for task in group for name in task.columns if name))
        first, read = group[0], reduce(or_, (fields(task.monitor, task.columns) for task in group))
        scope = Scope(model, first.segments, groupings_of(first.monitor), columns, first.monitor.version, read)
        for chunk in plan.chunks(first.due, most(scope)):
            reads = self._evaluate.reads(scope)
            # What reads most goes first: the others find all of theirs in it.
            wide = sorted(group, key=lambda task: -len(extent(task.monitor, chunk).cells))
            for portion in portions(wide, len(chunk)):
                self._chunk(portion, chunk, reads, move, term, failures)

    def _chunk(self, tasks: Sequence[MonitorTask], chunk: Spans, reads: Reads, move: Move, term: Lease, failures: Failures) -> None:
        """Evaluate windows, tell the alerts, and store what is new."""
        tasks = [task for task in tasks if task.monitor.name not in failures.errors]
        if not tasks:
            return
        contract = reads.scope.model.contract.version
        with failures.of(*(task.monitor for task in tasks)):
            stored = self._stored([task.monitor for task in tasks], chunk)
            written = list[tuple[MonitorTask, pa.Table, int]]()
            for task in tasks:
                with failures.of(task.monitor):
                    frame = self._frame(task, chunk, reads)
                    table, changed = self._told(task.monitor, frame, stored[task.monitor.name], move, term)
                    written.append((task, table, changed))
            self._write_all(written, term, failures)
            for task, _, changed in written:
                with failures.of(task.monitor):
                    if task.monitor.name in failures.errors:
                        continue
                    self.counts.readings += changed
                    self._withdraw(task.monitor, absent(held(stored[task.monitor.name], chunk, contract), task.segments), term)
                    task.done.add(chunk, task.each)

    def _frame(self, task: MonitorTask, chunk: Spans, reads: Reads) -> Frame:
        """The readings of a monitor. What the store refuses for several together is asked for this one alone."""
        try:
            return self._evaluate(task.monitor, chunk, reads)
        except Retryable:
            columns, read = tuple(name for name in task.columns if name), fields(task.monitor, task.columns)
            own = dataclasses.replace(reads.scope, columns=columns, fields=read)
            if own == reads.scope:
                raise
            return self._evaluate(task.monitor, chunk, self._evaluate.reads(own))

    def _told(self, monitor: Monitor, frame: Frame, stored: pa.Table, move: Move, term: Lease) -> tuple[pa.Table, int]:
        """What is to be stored, and how many readings of it are new; the alerts have taken those.

        Alerts first: if we are killed between the two, the same readings come again, and change nothing there.
        """
        changed, revision = frame.changed(stored)
        written, numbers = (np.ones_like(changed), np.where(changed, revision, revision - 1)) if move.anew else (changed, revision)
        self._observe(monitor, frame.readings(changed, revision), term)
        return frame.table(written, numbers, self._clock.now(), term.generation), int(changed.sum())

    def _write_all(self, written: Sequence[tuple[MonitorTask, pa.Table, int]], term: Lease, failures: Failures) -> None:
        """Store the readings of several monitors in one insert; if that is refused, each monitor's alone."""
        tables = [table for _, table, _ in written if table.num_rows]
        if not tables:
            return
        term.check()
        try:
            self._write.readings(tables)
        except Fenced:
            raise
        except Exception:  # of one monitor perhaps: the others' are stored
            if len(tables) == 1:
                raise
            for task, table, _ in written:
                with failures.of(task.monitor):
                    term.check()
                    self._write.readings([table])

    def _gone(self, task: MonitorTask, contract: Contract, term: Lease) -> None:
        """Take back the readings of windows that are no more."""
        for chunk in plan.chunks(task.gone, len(task.gone)):
            stored = self._stored([task.monitor], chunk)[task.monitor.name]
            self._withdraw(task.monitor, held(stored, chunk, contract.version), term)
            task.done.drop(chunk)

    def _stored(self, monitors: Sequence[Monitor], chunk: Spans) -> dict[str, pa.Table]:
        """By monitor the readings that are stored of windows."""
        span = (int(chunk.start[0]), int(chunk.start[-1]) + 1)
        return self._readings.newest(monitors[0].model, {monitor.name: monitor.evaluated_revision for monitor in monitors}, span)

    def _withdraw(self, monitor: Monitor, stored: pa.Table, term: Lease) -> None:
        """Take readings back."""
        if stored.num_rows:
            table = withdrawn(stored, self._clock.now(), term.generation)
            self._observe(monitor, told(table), term)
            term.check()
            self._write.readings([table])

    def _observe(self, monitor: Monitor, readings: Iterator[Reading], term: Lease) -> None:
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
        key = (monitor.name, monitor.evaluated_revision)
        pause = min(2 * self._pauses.get(key, (0, moment.SECOND // 2))[1], _LONGEST)
        self._pauses[key] = (self._clock.now() + pause, pause)
        self.counts.failed[monitor.name] = f"{type(error).__name__}: {str(error)[:300]}; tried again in {pause // moment.SECOND} s"

    def _tell_missing(self, monitor: Monitor, contract: Contract) -> None:
        """Remember which of a monitor's columns the contract has not; the others are evaluated."""
        self.counts.missing.pop(monitor.name, None)
        if names := missing(monitor, contract):
            self.counts.missing[monitor.name] = f"contract version {contract.version} has no column {', '.join(names)}; change its columns"

    def _learn(self, monitors: Sequence[Monitor], contract: Contract) -> None:
        """Learn which windows have readings, of the monitors of which that is not known."""
        unknown = {m.name: m.evaluated_revision for m in monitors if (m.name, m.evaluated_revision, contract.version) not in self._done}
        if unknown:
            found = self._readings.evaluated(contract.model, unknown, contract.version)
            self._done |= {(name, revision, contract.version): Done(*found[name]) for name, revision in unknown.items()}


def watched(monitor: Monitor) -> bool:
    """Whether a monitor has a limit that alerts watch."""
    return monitor.warn is not None or monitor.critical is not None
