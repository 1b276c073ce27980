"""The owner's loop of one model: admit events that waited for its contract, join outcomes, audit, recompute panes, evaluate, alert.

It finds its work in the stores: events that were committed since the cursor that it saved last, and windows that have closed since. So it may be killed
at any point and start again, and another owner may take the model over at any time. What is written twice is written with the same result.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.clock import Clock
from core.contract import Contract
from core.error import Fenced, Retryable
from core.monitor import Monitor
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.runner import MonitorRunner, StepInput
from monitors.evaluation.watched import Touch, touched_by, wait
from monitors.evaluation.work_done import WorkDone
from monitors.lease import Lease
from monitors.model import Model
from monitors.ownership.admitting import Admitting
from monitors.ownership.audit import NO_SLOTS, Audit, fresh
from monitors.ownership.new_values import NewValues
from monitors.ownership.rebuild import Rebuild
from monitors.ownership.rebuild_progress import RebuildProgress
from monitors.ports import (
    Admission,
    Alerts,
    Committed,
    Cursors,
    FactWriter,
    OutcomeStore,
    Panes,
    Ranges,
    Raw,
    Readings,
    Stream,
    Takes,
    TrustStates,
)

_log = logging.getLogger(__name__)
_NOTHING = -(1 << 62)  # no window was looked at yet
_LIVE = moment.HOUR  # a model is live if its latest event was not older than this when it came


@dataclass(frozen=True)
class OwnerStores:
    """The stores that an owner works with."""

    raw: Raw
    stream: Stream
    outcomes: OutcomeStore
    panes: Panes
    readings: Readings
    write: FactWriter
    cursors: Cursors
    alerts: Alerts
    trust: TrustStates
    admission: Admission
    contracts: Takes


class _Work(NamedTuple):
    """The work of a step with events, outcomes and panes."""

    predictions: Ranges  # positions that were committed since the last step
    labels: Ranges
    audit: Ranges  # positions to be audited now
    more: bool  # whether further positions are to be audited later
    suspect: Ints  # slots to be audited even while audits pause: another owner has rebuilt them since, or their windows close now
    contract_changed: bool  # or its reference was summarised again; then all slots are due
    rebuilding: bool  # a requested rebuild has not ended yet
    to_rebuild: Ints  # the slots whose panes it makes again in this step
    rebuild_progress: RebuildProgress  # how far it will be after this step

    def __bool__(self) -> bool:
        return bool(self.predictions or self.labels or self.audit or len(self.suspect) or self.contract_changed or self.rebuilding)


class _IdleState(NamedTuple):
    """The arguments of a step that found nothing to do, and the watermark (`until`) below which no further window closes."""

    contract: tuple[int, int]
    monitors: list[Monitor]
    rebuild: int
    listening: tuple[str, ...]
    predictions: Mapping[int, int]
    labels: Mapping[int, int]
    silent: bool
    failed: set[str]
    until: int


class Owner:
    """Watches one model. The scheduler calls `step` repeatedly. After Fenced this owner never writes again: another one has taken the model."""

    def __init__(self, name: str, stores: OwnerStores, rebuild: Rebuild, evaluate: Evaluate, clock: Clock) -> None:
        self._name, self._stores, self._rebuild, self._clock = name, stores, rebuild, clock
        self._admitting = Admitting(stores.admission)
        self._audit = Audit(name, stores.raw, stores.outcomes, rebuild)
        self._runner = MonitorRunner(evaluate, stores.panes, stores.readings, stores.write, stores.alerts, clock)
        self._new_values = NewValues(rebuild.history, stores.panes, stores.contracts)
        self._lease: Lease | None = None
        self._catching_up = True  # until a step has done all that was due
        self._orphans_possible = False  # whether a step must look for readings of windows that no longer exist
        self._closes: dict[
            tuple[int, str, int], int
        ] = {}  # by contract, monitor and revision: the end of the first window that was not evaluated
        self._idle_state: _IdleState | None = None  # None while something may be due
        self._rebuilt_by_others: list[int] | None = None  # [contract version, *Panes.rebuilds()] of earlier leases, as of the last step
        self._rebuilt_here: dict[int, int] = {}  # by slot: the step in which this lease rebuilt it
        self._trusted: tuple[int, list[Monitor], int, tuple[str, ...]] | None = (
            None  # contract, monitors, judgements and who listens when trust was looked at last
        )

    @property
    def counts(self) -> WorkDone:
        """What this owner has done since it began."""
        return self._runner.counts

    @property
    def fence(self) -> tuple[str, int] | None:
        """The name and epoch of the ownership; None before the first step."""
        return None if self._lease is None else self._lease.fence

    @property
    def first(self) -> int | None:
        """The generation below which earlier owners wrote; None before the first step, and after one that failed."""
        return None if self._lease is None else self._lease.first

    @property
    def waiting(self) -> bool:
        """Whether readings are still computed in the background: then a later step stores them, and the model is not quiet."""
        return self._runner.waiting

    def close(self) -> None:
        """Leave the model, which is deleted or another owner's: what waits to be computed in the background is not computed for nothing, before what other models wait for."""
        self._runner.close()

    def recheck_earlier_owners(self) -> None:
        """Look in the next step for what an earlier owner has written late."""
        self._idle_state = None
        self._runner.recheck_earlier_owners()

    def idle(
        self,
        contract: Contract,
        monitors: Sequence[Monitor],
        committed: Committed,
        *,
        silent: bool,
        rebuild: int = 0,
        listening: tuple[str, ...] = (),
    ) -> bool:
        """Whether a step would find nothing to do, judged by what the last step found, without a query to a store.

        That is so if nothing was committed or defined since, no window has closed, no reading has come from the background, and no failed monitor is due again. A step that was taken in
        silence counts also when events come again, since those are events of other models. One that was taken while events came does not count in
        silence. Writes of other owners are not seen here.
        """
        state = self._idle_state
        return (
            state is not None
            and (state.silent or not silent)
            and self._watermark(committed, silent=silent) < state.until
            and state.predictions == committed.predictions
            and state.labels == committed.labels
            and state.contract == contract.evaluated_as
            and state.monitors == monitors
            and state.rebuild == rebuild
            and state.listening == listening
            and not self._runner.ready
            and not (state.failed and self._runner.due(monitors, state.failed))
            and (not self._new_values.failed or self._new_values.waits(self._clock.now()))
        )

    def step(self, model: Model, monitors: Sequence[Monitor], committed: Committed, *, silent: bool) -> bool:
        """Do all work that is due now. Returns whether there was any.

        `silent` means that the log has been read to its end and no event has come for a while: then the watermark is the wall clock. After a step
        that failed a new lease begins, as after a crash, and the stores show how far the failed step came.
        """
        try:
            return self._step(model, monitors, committed, silent=silent)
        except BaseException:
            self._lease, self._rebuilt_by_others, self._catching_up, self._idle_state, self._trusted = None, None, True, None, None
            self._new_values = NewValues(self._rebuild.history, self._stores.panes, self._stores.contracts)
            self._rebuilt_here.clear()
            self._closes.clear()
            raise

    def _step(  # long: the parts of a step in their order
        self, model: Model, monitors: Sequence[Monitor], committed: Committed, *, silent: bool
    ) -> bool:
        lease = self._lease = self._lease or Lease(self._name, self._stores.cursors, self._stores.outcomes)
        contract, cursor = model.contract, lease.cursor()
        self._idle_state, watermark = None, self._watermark(committed, silent=silent)
        if self._admitting(contract, committed, cursor, lease):
            return True  # the next step does what follows from them
        self._runner.clear(monitors, contract)
        closes = {(contract.version, m.name, m.evaluated_revision): _closes(m, watermark) for m in monitors}
        # A watermark that falls, as when silence ends, closes nothing. Windows of the events that end a silence close later, though the watermark was beyond them before.
        passed = any(after > self._closes.get(key, _NOTHING) for key, after in closes.items())
        failed = set(cursor.get("failed", []))
        by_others = [contract.version, *self._stores.panes.rebuilds(contract, lease.first)]
        if self._rebuilt_by_others is not None and self._rebuilt_by_others[0] != contract.version:
            self._rebuilt_here.clear()
        work = self._find_work(model, committed, cursor, by_others, lease, watermark)
        self._orphans_possible |= self._runner.orphans_possible(self._name, lease)
        ready = self._runner.ready or bool(self._runner.due(monitors, failed))
        if not (work or self._orphans_possible or ready or passed):
            if self._look_for_values(contract, monitors, committed, watermark, lease, wait=self._new_values.failed):
                return True  # the next step has the next version of the contract
            self._look_at_trust(model, monitors, lease)
            self._found_nothing(model, monitors, committed, failed, silent=silent)
            return False  # nothing came, and no window has closed since the last step
        lease.advance()
        touched = {Touch.EVENTS: self._update_facts(contract, work, committed, lease) if work else NO_SLOTS}
        self._touch(touched, {*map(touched_by, monitors)}, contract, work)
        # Panes of a batch that is not committed may exist. Until a batch is committed, it is unknown whether events come when they happen.
        live = committed.logged > moment.EARLIEST and committed.logged - committed.watermark < _LIVE
        given = StepInput(touched, watermark, live, self._catching_up, self._orphans_possible)
        worked, failing = self._runner(model, monitors, given, failed, lease)
        self._rebuilt_by_others = by_others
        if work or failing != failed:
            lease.save(self._next_cursor(cursor, contract, committed, work, failing))
        self._closes = closes if work else {key: max(after, self._closes.get(key, after)) for key, after in closes.items()}
        self._orphans_possible = False
        self._catching_up &= work.more
        self.counts.steps += 1
        self._look_at_trust(model, monitors, lease)
        self._new_values.touch(touched[Touch.EVENTS])
        if self._look_for_values(contract, monitors, committed, watermark, lease, wait=True):
            return True
        if not (work or work.more or worked or self._new_values.closes <= watermark):
            self._found_nothing(model, monitors, committed, failing, silent=silent)
        return bool(work) or worked

    def _look_for_values(
        self, contract: Contract, monitors: Sequence[Monitor], committed: Committed, watermark: int, lease: Lease, *, wait: bool
    ) -> bool:
        """Have values that have become frequent taken up as segments, unless the last look was just now and this one can `wait`. Returns whether there is another version of the contract.

        If it fails, what the step has stored is as it should be. It is reported as a problem of the monitors that find their segments, and tried again.
        """
        now, unsought, frozen = self._clock.now(), self.counts.unsought, committed.frozen > moment.EARLIEST
        if wait and self._new_values.waits(now):
            return False
        unsought.clear()
        try:
            return self._new_values.look(contract, monitors, watermark, now, lease, frozen=frozen)
        except Fenced:
            raise
        except Exception as error:  # whatever it is, readings do not depend on it
            _log.warning("new values of %s could not be looked for: %s", self._name, error, exc_info=not isinstance(error, Retryable))
            said = (
                f"new values of its segments could not be looked for: {type(error).__name__}: {str(error)[:300]}; tried again in a minute"
            )
            unsought.update({one.name: said for one in monitors if one.enabled and one.auto is not None})
            return False

    def _look_at_trust(self, model: Model, monitors: Sequence[Monitor], lease: Lease) -> None:
        """Have changes of trust told, if readings, definitions or who listens have changed since: in the first step always, because an owner before may have ended without."""
        now = model.contract.version, list(monitors), self._runner.judged, model.listening
        if now != self._trusted:
            self._stores.trust.look(self._name, monitors, model.contract.version, lease.fence)
            self._trusted = now

    def _watermark(self, committed: Committed, *, silent: bool) -> int:
        return self._clock.now() if silent else max(committed.watermark, committed.silent_until) - committed.lateness

    def _found_nothing(self, model: Model, monitors: Sequence[Monitor], committed: Committed, failed: set[str], *, silent: bool) -> None:
        version = model.contract.version
        until = min((self._closes[version, m.name, m.evaluated_revision] for m in monitors), default=moment.LATEST)
        until = min(until, self._new_values.closes)
        self._idle_state = _IdleState(
            model.contract.evaluated_as,
            list(monitors),
            model.rebuild,
            model.listening,
            committed.predictions,
            committed.labels,
            silent,
            failed,
            until,
        )

    def _find_work(  # long: each kind of work in turn
        self, model: Model, committed: Committed, cursor: Mapping[str, Any], by_others: list[int], lease: Lease, watermark: int
    ) -> _Work:
        contract = model.contract
        predictions, labels = (fresh(cursor.get(topic, {}), getattr(committed, topic)) for topic in ("predictions", "labels"))
        contract_changed = (cursor.get("contract"), cursor.get("summary", 0)) != contract.evaluated_as
        audit = fresh(cursor.get("audit", {}), committed.predictions)
        now = self._audit.due(audit, busy=bool(predictions or labels or contract_changed))
        known = cursor.get("rebuilds") if self._rebuilt_by_others is None else self._rebuilt_by_others
        suspect = self._stores.panes.rebuilt(contract, lease.first) if by_others != known and by_others[1] else NO_SLOTS
        if now != audit and (by_others[1] or self._rebuilt_here):
            # Ingest adds nothing to panes that were rebuilt. Before their windows are evaluated they get the events that have come since, even while audits pause.
            made = self._stores.panes.rebuilt(contract, lease.generation + 1)
            late = np.intersect1d(made[made + contract.pane <= watermark], self._stores.raw.touched(self._name, audit, contract.pane))
            suspect = np.union1d(suspect, late)
        to_rebuild, rebuild_progress = NO_SLOTS, RebuildProgress.of(cursor.get("rebuild"), model.rebuild)
        if rebuilding := not rebuild_progress.finished:
            held, rows = self._stores.panes.slots(contract)
            slots = np.union1d(held, self._stores.raw.slots(self._name, contract.pane))  # panes may be missing
            many = np.ones(len(slots), np.int64)
            many[np.isin(slots, held)] = rows
            to_rebuild, rebuild_progress = rebuild_progress.portion(slots, many, committed.frozen)
        return _Work(predictions, labels, now, now != audit, suspect, contract_changed, rebuilding, to_rebuild, rebuild_progress)

    def _next_cursor(
        self, cursor: Mapping[str, Any], contract: Contract, committed: Committed, work: _Work, failing: set[str]
    ) -> dict[str, Any]:
        """The cursor for the next step, by this owner or another."""
        version, slots, steps = self._rebuilt_by_others or [contract.version, 0, 0]
        return {
            "contract": contract.version,
            "contracts": {str(contract.version): self._clock.now()} | _evaluated_since(cursor),
            "summary": contract.summary,
            "predictions": {str(part): last for part, last in committed.predictions.items()},
            "labels": {str(part): last for part, last in committed.labels.items()},
            "audit": {**cursor.get("audit", {}), **{str(part): last for part, (_, last) in work.audit.items()}},
            "rebuilds": [version, slots + len(self._rebuilt_here), steps + sum(self._rebuilt_here.values())],
            "failed": sorted(failing),
            "rebuild": msgspec.to_builtins(work.rebuild_progress),
        }

    def _update_facts(self, contract: Contract, work: _Work, committed: Committed, lease: Lease) -> Ints:
        """Join new predictions and labels, audit, recompute performance panes. Returns the slots whose readings may change."""
        raw, outcomes, pane = self._stores.raw, self._stores.outcomes, contract.pane
        if committed.labels:  # without labels there is nothing to join: a later label finds earlier predictions
            lease.check()
            outcomes.join(self._name, work.predictions, work.labels, lease.generation)
            if len(work.to_rebuild):
                outcomes.fill(self._name, work.to_rebuild, pane)
        suspect = raw.slots(self._name, pane) if work.contract_changed else work.suspect
        came = raw.touched(self._name, work.predictions, pane)
        audited = came if work.audit == work.predictions else raw.touched(self._name, work.audit, pane)
        found = self._audit.run(contract, work.audit, np.union1d(suspect, audited), committed, lease, work.to_rebuild)
        touched = np.union1d(suspect, came)
        joined = np.union1d(found.with_duplicates, work.to_rebuild if committed.labels else NO_SLOTS)
        if committed.labels:
            joined = np.union1d(
                joined, outcomes.slots(self._name, pane) if work.contract_changed else outcomes.joined(self._name, lease.generation, pane)
            )
        self._rebuild.performance(contract, joined[joined > committed.frozen], lease)
        self._rebuilt_here |= dict.fromkeys(found.repaired, lease.steps)
        self.counts.audited += found.slots
        self.counts.repaired += len(np.setdiff1d(found.repaired, work.to_rebuild))
        return np.unique(np.concatenate([touched, joined, np.array(found.repaired, np.int64)]))

    def _touch(self, touched: dict[Touch, Ints], wanted: set[Touch], contract: Contract, work: _Work) -> None:
        """Add the slots that are touched in other ways than by events that count."""
        stream, every = self._stores.stream, work.contract_changed or work.rebuilding
        if Touch.LABELS in wanted:
            came = (self._name, work.predictions, work.labels, contract.pane)
            touched[Touch.LABELS] = stream.every_label_slot(self._name, contract.pane) if every else stream.label_slots(*came)
        if Touch.ARRIVALS in wanted:
            predictions, labels = (None if every else positions for positions in (work.predictions, work.labels))
            touched[Touch.ARRIVALS] = stream.arrival_slots(self._name, predictions, labels, contract.pane)
        if Touch.COPIES in wanted:
            touched[Touch.COPIES] = np.union1d(touched[Touch.EVENTS], stream.copy_slots(self._name, None if every else work.predictions))


def _closes(monitor: Monitor, watermark: int) -> int:
    """The watermark at which the next window of a monitor is due."""
    after = wait(monitor)
    return monitor.window.closes(watermark - after) + after


def _evaluated_since(cursor: Mapping[str, Any]) -> dict[str, int]:
    """By contract version, when everything had been evaluated under it. 0 for the one of a cursor that an earlier version of the program saved."""
    earlier = {str(cursor["contract"]): 0} if "contract" in cursor else {}
    return dict(cursor.get("contracts", earlier))
