"""Runs the monitors of one model: those with windows that are due, and those that failed before."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain
from operator import or_

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Ints
from core.clock import Clock
from core.contract import PREDICTION, Contract
from core.error import Fenced, Retryable
from core.monitor import Monitor
from core.span import Spans
from monitors.evaluation import changes, plan
from monitors.evaluation.background import Background, Key
from monitors.evaluation.batch import Batch, Part, batches, starts
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.failure import Failures
from monitors.evaluation.frame import Frame
from monitors.evaluation.superseded import Versions, end_superseded
from monitors.evaluation.task import EvaluatedWindows, MonitorTask, groups, portions
from monitors.evaluation.told import Fresh, tell
from monitors.evaluation.watched import (
    Touch,
    columns_of,
    extent,
    fields,
    groupings_of,
    in_background,
    missing,
    most,
    places,
    possible,
    read_columns,
    scope_of,
    segments_of,
    slots_touching,
    wait,
)
from monitors.evaluation.withdrawal import absent, as_nodata, held, withdrawn
from monitors.evaluation.work_done import WorkDone
from monitors.evidence.reads import COUNT, PaneFields, Reads, Scope
from monitors.lease import Lease
from monitors.model import Model
from monitors.ports import Alerts, FactWriter, Panes, Readings

_log = logging.getLogger(__name__)

_LONGEST = moment.MINUTE  # the longest pause between two attempts at a monitor that fails
# So long after a lease began the readings of earlier owners are counted in each step, and then often.
_AT_FIRST, _EARLY = 10 * moment.SECOND, 10 * moment.MINUTE
_OFTEN, _RECOUNT = moment.SECOND, 5 * moment.MINUTE  # the pause between two counts then, and later


@dataclass(frozen=True)
class StepInput:
    """What has changed since the last step: the slots that were touched, the watermark, and whether events come when they happen (`live`).

    While an owner is `catching_up`, all readings that are due are written, also those that are stored already: then they win over late writes of
    the owner before. With `orphans_possible` there may be stored readings of windows or segments that no longer exist.
    """

    touched: Mapping[Touch, Ints]
    watermark: int
    live: bool
    catching_up: bool
    orphans_possible: bool


class MonitorRunner:
    """The monitors of one model."""

    def __init__(self, evaluate: Evaluate, panes: Panes, readings: Readings, write: FactWriter, alerts: Alerts, clock: Clock) -> None:
        self._evaluate, self._panes, self._readings, self._write = evaluate, panes, readings, write
        self._alerts, self._clock = alerts, clock
        self._done: dict[Key, EvaluatedWindows] = {}
        self._background = Background()
        self._looked = set[tuple[str, int]]()  # monitors whose version of the model was looked at
        self._pauses: dict[tuple[str, int], tuple[int, int]] = {}  # by failing monitor: when it is tried again, and the pause before that
        self._live = False  # whether the model was live in any step
        self._earlier = -1  # readings of earlier owners
        self._earlier_counted = (0, 0, -1)  # when these were counted first and last, and below which generation; -1: count them
        self._came: Sequence[tuple[str, int]] = ()  # the versions of the model after its first one, as of this step
        self.judged = 0  # how often the alerts got readings
        self.counts = WorkDone()

    def orphans_possible(self, model: str, lease: Lease) -> bool:
        """Whether an earlier owner has written readings since the last call; true at the first call.

        Counting readings takes longer the more there are. An earlier owner has at most one write under way, which almost always lands within minutes.
        So readings are counted in each step at first, then every second, and every few minutes later. What is written between a count and the owner's
        rest is found by the scheduler once it has looked at this lease: it looks for such writes of all models, and has this one count again (`recheck_earlier_owners`).
        """
        now, (first, last, below) = self._clock.now(), self._earlier_counted
        if below != lease.first:
            first, last = now, now - _RECOUNT
        if now >= first + _AT_FIRST and last <= now < last + (_OFTEN if now < first + _EARLY else _RECOUNT):
            return False
        self._earlier_counted = first, now, lease.first
        before, self._earlier = self._earlier, self._readings.below(model, lease.first)
        if before == self._earlier:
            return False
        self._done.clear()
        return True

    def recheck_earlier_owners(self) -> None:
        """Count the readings of earlier owners in the next step."""
        self._earlier_counted = (0, 0, -1)

    @property
    def waiting(self) -> bool:
        """Whether windows are evaluated in the background, or their readings are not stored yet."""
        return self._background.waiting

    @property
    def ready(self) -> bool:
        """Whether there are such readings to store."""
        return self._background.ready

    def clear(self, monitors: Sequence[Monitor], contract: Contract) -> None:
        """Stop reporting failures of monitors that are paused or deleted, and evaluating them in the background. Forget what was evaluated of other definitions and contracts."""
        self._done = {key: self._done[key] for key in self._done.keys() & {_key(monitor, contract) for monitor in monitors}}
        evaluated = {monitor.name for monitor in monitors if monitor.enabled}
        self._background.keep({_key(monitor, contract) for monitor in monitors if monitor.enabled})
        for reasons in (self.counts.failed, self.counts.missing, self.counts.unsought):
            for name in reasons.keys() - evaluated:
                del reasons[name]

    def close(self) -> None:
        """Have no window evaluated in the background any more, but one that has begun."""
        self._background.keep(set())

    def due(self, monitors: Sequence[Monitor], failed: set[str]) -> set[str]:
        """Of the monitors that failed or were paused, or were being evaluated in the background when their owner ended, those to evaluate now.

        They are evaluated over their whole history, so after each failure they wait longer.
        """
        now, failed = self._clock.now(), failed - self._background.monitors
        return {
            m.name
            for m in monitors
            if m.enabled and m.name in failed and now >= self._pauses.get((m.name, m.evaluated_revision), (0, 0))[0]
        }

    def __call__(
        self, model: Model, monitors: Sequence[Monitor], given: StepInput, failed: set[str], lease: Lease
    ) -> tuple[bool, set[str]]:
        """Evaluate. Returns whether there was work, and the monitors that fail or are paused. One that fails does not stop the others.

        Raises Retryable if a store does not answer, or refuses all of several monitors at once: then the fault is not a monitor's.
        """
        if not monitors:
            return False, set()
        failed = failed - self._background.monitors
        slots, rows, found, versions = self._panes.held(model.contract)
        self._came = versions[1:]
        paused = {monitor.name for monitor in monitors if not monitor.enabled}
        waiting = paused | {monitor.name for monitor in monitors} & failed - self.due(monitors, failed)
        asked = [monitor for monitor in monitors if monitor.name not in waiting]
        self._load_evaluated(asked, model.contract)
        self._live |= given.live
        failures = Failures(lambda error: self._check_stores(model.contract, lease) if isinstance(error, Retryable) else None)
        self._evaluate.calibrate(asked if len(slots) else (), model)
        tasks = []
        for monitor in asked:
            with failures.of(monitor):
                tasks.append(self._task(monitor, model, (slots, rows), found, given, lease, again=monitor.name in failed))
        apart = [task for task in tasks if in_background(task.monitor)]
        for batch in batches(chain.from_iterable(self._parts(group, model, (slots, rows)) for group in groups(tasks))):
            self._judge(batch, model.contract, given, lease, failures)
        worked, served = False, Versions(self._panes, model.contract)
        for task in apart:
            with failures.of(task.monitor):
                worked |= self._in_background(task, model, given, lease, failures)
        for task in tasks:
            if task.monitor.name not in failures.errors:
                with failures.of(task.monitor):
                    self._withdraw_gone(task, model.contract, lease)
                    worked |= bool((len(task.due) and not in_background(task.monitor)) or len(task.gone))
                    end_superseded(self._alerts, served, task, lease, self._looked)
        new = [why for name, (_, why) in failures.errors.items() if name not in failed]
        if len(new) > 1 and not worked and all(isinstance(why, Retryable) for why in new):
            raise new[0]
        for monitor in asked:
            if monitor.name in failures.errors:
                self._failed(*failures.errors[monitor.name])
                continue
            self.counts.failed.pop(monitor.name, None)
            self._pauses.pop((monitor.name, monitor.evaluated_revision), None)
            self._note_missing_columns(monitor, model.contract)
        return worked, waiting | failures.errors.keys() | self._unfinished(apart, model.contract)

    def _unfinished(self, tasks: Sequence[MonitorTask], contract: Contract) -> set[str]:
        """The monitors with a stored reading that the background makes again: if this owner ends, the next one has to know."""
        return {task.monitor.name for task in tasks if self._background.any_of(_key(task.monitor, contract), task.done.windows)}

    def _check_stores(self, contract: Contract, lease: Lease) -> None:
        """Raise the error of a store that does not answer. If both answer, a refused query was refused because of itself."""
        lease.check()
        self._panes.slots(contract)

    def _task(
        self, monitor: Monitor, model: Model, held: tuple[Ints, Ints], found: Sequence[str], given: StepInput, lease: Lease, *, again: bool
    ) -> MonitorTask:
        slots, rows = held
        segments, columns = segments_of(monitor, model, found), columns_of(monitor, model.contract)
        of, watched = model.contract, partial(possible, monitor, model)  # what they overtake is closed
        self._alerts.observe(monitor, (), lease.fence, contract=of.based_on, columns=columns, version=of.version, watched=watched)
        key = _key(monitor, model.contract)
        done = self._done[key]
        until = max(given.watermark - wait(monitor), done.until, self._background.until(key))
        existing = plan.existing(monitor.window, slots, until, live=given.live)
        # A touched slot without rows has lost its events, so windows may no longer exist.
        # The same holds for windows after the last event once the model is no longer live.
        vanished = not np.isin(given.touched[Touch.EVENTS], slots).all()
        lost = again or given.orphans_possible or (self._live and not given.live) or vanished
        gone = done.windows.take(~done.windows.isin(existing)) if lost else Spans.none()
        touched = slots if again else slots_touching(monitor, given.touched)
        complete = done.complete(int(places(monitor, columns, segments).sum()))
        if len(asked := self._background.windows(key, existing, segments)):
            complete = complete.join(asked)
        early = self._evaluate.early(monitor, model, existing, slots, rows)
        changed = early is not None and (vanished or bool((touched < early.end[-1]).any()))
        if early is not None and (not early.isin(complete).all() or (changed and self._evaluate.relearned(monitor, model, early))):
            self._evaluate.forget(monitor)
            touched = slots  # the calibration is another, and with it every reading
        others = changes.others(monitor, existing, slots, touched, lambda: self._panes.slots(model.contract, monitor.version)[0])
        due = changes.due(monitor, existing, touched, complete, others)
        return MonitorTask(monitor, segments, columns, due, gone, early, done)

    def _parts(self, group: Sequence[MonitorTask], model: Model, held: tuple[Ints, Ints]) -> Iterator[Part]:
        """The windows of tasks of one key, which share their reads, in parts that are evaluated at a time."""
        contract = model.contract
        columns = tuple(dict.fromkeys(name for task in group for name in read_columns(task.monitor, contract)))
        first, own = group[0], {task.monitor.name: fields(task.monitor, contract) for task in group}
        groupings = tuple(dict.fromkeys(name for task in group for name in groupings_of(task.monitor, contract)))
        scope = Scope(model, first.segments, groupings, columns, first.monitor.version, reduce(or_, own.values()))
        at_a_time = most(scope, first.monitor.window)
        for chunk in plan.chunks(first.due, at_a_time):
            # The monitor that reads most goes first: what it reads contains what the others need. How many rows there are comes with columns.
            cells = {task.monitor.name: len(extent(task.monitor, chunk).cells) for task in group}
            wide = sorted(group, key=lambda task: (-cells[task.monitor.name], not own[task.monitor.name].inputs))
            more = COUNT if PREDICTION in columns and own[wide[0].monitor.name].inputs else PaneFields()
            reads = self._evaluate.reads(dataclasses.replace(scope, fields=scope.fields | more), held)
            for portion in portions(wide, len(chunk)):
                yield Part(portion, chunk, partial(self._frame, chunk=chunk, reads=reads), max(cells.values()) / at_a_time)

    def _in_background(self, task: MonitorTask, model: Model, given: StepInput, lease: Lease, failures: Failures) -> bool:
        """Have the due windows of a task evaluated in the background, and take what was evaluated there. Returns whether there was any."""
        monitor, contract, key = task.monitor, model.contract, _key(task.monitor, model.contract)
        scope = scope_of(monitor, model, task.segments)
        for pair, renewal in zip(task.due.pairs(), task.due.isin(task.done.windows).tolist(), strict=True):
            later = partial(self._evaluate.later, monitor, Spans.of([pair]), scope)
            self._background.ask(key, pair, later, task.segments, again=given.catching_up, renewal=renewal)
        found = self._background.computed(key)
        for pair, asked in found:
            again = dataclasses.replace(given, catching_up=asked.again)
            self._judge([Part([task], Spans.of([pair]), partial(_computed, asked.frame))], contract, again, lease, failures)
            if monitor.name in failures.errors:
                self._background.failed(key, pair)
                break
            self._background.stored(key, pair)
        return bool(found)

    def _judge(self, batch: Batch, contract: Contract, given: StepInput, lease: Lease, failures: Failures) -> None:
        """Evaluate windows, give new readings to the alerts, and store them."""
        asked = [(task, part) for part in batch for task in part.tasks if task.monitor.name not in failures.errors]
        if not asked:
            return
        monitors = [task.monitor for task, _ in asked]
        with failures.of(*monitors), ThreadPoolExecutor(1) as beside:
            stored = beside.submit(self._stored, monitors, starts(batch))  # an alert waits for both queries
            written, fresh = list[tuple[MonitorTask, pa.Table, int]](), list[Fresh]()
            for task, part in asked:
                with failures.of(task.monitor):
                    table, changed, readings = self._changed(part.frame(task), stored.result()[task.monitor.name], given, lease)
                    written.append((task, table, changed))
                    fresh.append(readings)
            self.judged += tell(self._alerts, fresh, lease, failures, self._came)
            written = [one for one in written if one[0].monitor.name not in failures.errors]
            self._write_all(written, lease, failures)
            windows = {task.monitor.name: part.windows for task, part in asked}
            for task, _, changed in written:
                with failures.of(task.monitor):
                    name = task.monitor.name
                    if name in failures.errors:
                        continue
                    self.counts.readings += changed
                    gone = absent(held(stored.result()[name], windows[name], contract.version), task.segments)
                    self._withdraw(task.monitor, gone, lease)
                    task.done.add(windows[name], task.each)

    def _frame(self, task: MonitorTask, chunk: Spans, reads: Reads) -> Frame:
        """The readings of a monitor. If the store refuses a query for several monitors together, it is repeated for this one alone."""
        try:
            return self._evaluate(task.monitor, chunk, reads, task.early)
        except Retryable:
            own = scope_of(task.monitor, reads.scope.model, reads.scope.segments)
            if reads.scope in (own, dataclasses.replace(own, fields=own.fields | COUNT)):
                raise
            return self._evaluate(task.monitor, chunk, self._evaluate.reads(own), task.early)

    def _changed(self, frame: Frame, stored: pa.Table, given: StepInput, lease: Lease) -> tuple[pa.Table, int, Fresh]:
        """The readings to store, how many of them are new, and these, which the alerts get before they are stored.

        If this process is killed between the two, the alerts get the same readings again, which changes nothing.
        """
        changed, revision = frame.changed(stored)
        written, numbers = (frame.every, np.where(changed, revision, revision - 1)) if given.catching_up else (changed, revision)
        table = frame.table(written, numbers, self._clock.now(), lease.generation)
        return table, int(changed.sum()), Fresh(frame.monitor, frame.bare(changed, revision), frame.with_evidence)

    def _write_all(self, written: Sequence[tuple[MonitorTask, pa.Table, int]], lease: Lease, failures: Failures) -> None:
        """Store the readings of several monitors in one insert; if that is refused, each monitor's alone."""
        new = [(task, table) for task, table, _ in written if table.num_rows]
        if not new:
            return
        lease.check()
        try:
            self._write.readings([table for _, table in new])
        except Fenced:
            raise
        except Exception as error:  # perhaps because of one monitor: those of the others are stored
            for task, table in new:
                with failures.of(task.monitor):
                    if len(new) == 1:
                        raise error from None
                    lease.check()
                    self._write.readings([table])

    def _withdraw_gone(self, task: MonitorTask, contract: Contract, lease: Lease) -> None:
        """Withdraw the readings of windows that no longer exist."""
        for chunk in plan.chunks(task.gone, len(task.gone)):
            stored = self._stored([task.monitor], (int(chunk.start[0]), int(chunk.start[-1]) + 1))[task.monitor.name]
            self._withdraw(task.monitor, held(stored, chunk, contract.version), lease)
            task.done.drop(chunk)

    def _stored(self, monitors: Sequence[Monitor], span: tuple[int, int]) -> dict[str, pa.Table]:
        """By monitor the stored readings of windows that start in a span."""
        return self._readings.newest(monitors[0].model, {monitor.name: monitor.evaluated_revision for monitor in monitors}, span)

    def _withdraw(self, monitor: Monitor, stored: pa.Table, lease: Lease) -> None:
        """Withdraw readings."""
        if stored.num_rows:
            table = withdrawn(stored, self._clock.now(), lease.generation)
            self.judged += tell(self._alerts, [Fresh(monitor, as_nodata(table))], lease, came=self._came)
            lease.check()
            self._write.readings([table])

    def _failed(self, monitor: Monitor, error: Exception) -> None:
        """Log and report why, and try again after twice the last pause."""
        refused = isinstance(error, Retryable)  # the message says enough, without a traceback
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

    def _note_missing_columns(self, monitor: Monitor, contract: Contract) -> None:
        """Note which of a monitor's columns the contract does not have; the others are evaluated."""
        self.counts.missing.pop(monitor.name, None)
        if names := missing(monitor, contract):
            self.counts.missing[monitor.name] = f"contract version {contract.version} has no column {', '.join(names)}; change its columns"

    def _load_evaluated(self, monitors: Sequence[Monitor], contract: Contract) -> None:
        """Load which windows have readings, for the monitors for which that is not known."""
        unknown = {m.name: m.evaluated_revision for m in monitors if _key(m, contract) not in self._done}
        for monitor in monitors:
            if monitor.name in unknown:
                self._evaluate.forget(monitor)  # another owner may have seen its events change
        if unknown:
            found = self._readings.evaluated(contract.model, unknown, contract.version)
            self._done |= {(name, revision, contract.evaluated_as): EvaluatedWindows(*found[name]) for name, revision in unknown.items()}


def _key(monitor: Monitor, contract: Contract) -> Key:
    return monitor.name, monitor.evaluated_revision, contract.evaluated_as


def _computed(frame: Future[Frame], _task: MonitorTask) -> Frame:
    return frame.result()
