"""The owner's loop of one model: join the truth, reconcile, evaluate, alert.

It finds its work in the stores: what was committed since the place it saved last, and the windows that have closed since. So it may be killed
anywhere and begin again, and another owner may take the model over at any time; nothing that is written is written twice with another result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.clock import Clock
from core.contract import Contract
from core.monitor import Monitor
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.watch import Move, Watch, WorkDone
from monitors.lease import Lease
from monitors.model import Model
from monitors.ownership.audit import NO_SLOTS, Audit, fresh
from monitors.ownership.rebuild import Rebuild
from monitors.ownership.requested import Requested
from monitors.ports import Alerts, Committed, Cursors, Panes, Ranges, Raw, Readings, Store, Truth

_NOTHING = -(1 << 62)  # no window was looked at yet
_LIVE = moment.HOUR  # a model is live if its latest event was not older than this when it came


@dataclass(frozen=True)
class Stores:
    """The stores that an owner works with."""

    raw: Raw
    truth: Truth
    panes: Panes
    readings: Readings
    write: Store
    cursors: Cursors
    alerts: Alerts


class _News(NamedTuple):
    """What there is to do with the events."""

    predictions: Ranges  # committed since
    labels: Ranges
    audit: Ranges  # to be audited now
    more: bool  # of those, later
    strange: Ints  # slots to be audited whatever rests: somebody else has rebuilt them since, or they are judged now
    recast: bool  # the contract is another one: all slots are due
    asked: bool  # for a rebuild that has not ended yet
    remade: Ints  # the slots that it makes again now
    requested: Requested  # where it stands then

    def __bool__(self) -> bool:
        return bool(self.predictions or self.labels or self.audit or len(self.strange) or self.recast or self.asked)


class _Rest(NamedTuple):
    """What a step was called with that found nothing to do, and the watermark up to which no further window closes."""

    contract: int
    monitors: list[Monitor]
    rebuild: int
    predictions: Mapping[int, int]
    labels: Mapping[int, int]
    silent: bool
    failed: set[str]
    until: int


class Owner:
    """Watches one model. Its host calls `step` again and again; Fenced means that another owner has taken the model over, for good."""

    def __init__(self, name: str, stores: Stores, rebuild: Rebuild, evaluate: Evaluate, clock: Clock) -> None:
        self._name, self._stores, self._rebuild, self._clock = name, stores, rebuild, clock
        self._audit = Audit(name, stores.raw, stores.truth, rebuild)
        self._watch = Watch(evaluate, stores.panes, stores.readings, stores.write, stores.alerts, clock)
        self._term: Lease | None = None
        self._anew = True  # until a step has done all that was due
        self._stray = False  # whether a step must look for readings of windows that no longer exist
        self._closes: dict[
            tuple[int, str, int], int
        ] = {}  # by contract, monitor and revision: when the first window closes that was not looked at
        self._rest: _Rest | None = None  # while nothing is known to be due
        self._others: list[int] | None = None  # what other owners have rebuilt, as it was known last
        self._mine: dict[int, int] = {}  # what this one has: the step by slot

    @property
    def counts(self) -> WorkDone:
        """What was done since the beginning."""
        return self._watch.counts

    @property
    def fence(self) -> tuple[str, int] | None:
        """What is owned, and under which epoch; None before the first step."""
        return None if self._term is None else self._term.fence

    @property
    def first(self) -> int | None:
        """The generation below which others wrote; None before the first step, and after one that failed."""
        return None if self._term is None else self._term.first

    def doubt(self) -> None:
        """Somebody who was replaced has written: the next step looks for it."""
        self._rest = None
        self._watch.doubt()

    def idle(self, contract: Contract, monitors: Sequence[Monitor], committed: Committed, *, silent: bool, rebuild: int = 0) -> bool:
        """Whether a step would find nothing to do; told from what the last one found, without asking a store.

        Nothing was committed or defined since, no window has closed, and no monitor that failed is to be tried again. A step in silence holds
        when events come again, for these are other models'; one beside events does not hold in silence. What others write is not seen here.
        """
        rest = self._rest
        return (
            rest is not None
            and (rest.silent or not silent)
            and self._watermark(committed, silent=silent) < rest.until
            and rest.predictions == committed.predictions
            and rest.labels == committed.labels
            and rest.contract == contract.version
            and rest.monitors == monitors
            and rest.rebuild == rebuild
            and not (rest.failed and self._watch.due(monitors, rest.failed))
        )

    def step(self, model: Model, monitors: Sequence[Monitor], committed: Committed, *, silent: bool) -> bool:
        """Do what there is to do now; whether there was anything.

        `silent` says that the log has been read to its end and nothing has come for a while: then the watermark is the wall clock. After a step
        that failed a new term begins, as after a crash: how far it came, and what it made again and nobody evaluated, the stores tell.
        """
        try:
            return self._step(model, monitors, committed, silent=silent)
        except BaseException:
            self._term, self._others, self._anew, self._rest = None, None, True, None
            self._mine.clear()
            self._closes.clear()
            raise

    def _step(self, model: Model, monitors: Sequence[Monitor], committed: Committed, *, silent: bool) -> bool:
        term = self._term = self._term or Lease(self._name, self._stores.cursors, self._stores.truth)
        contract, cursor = model.contract, term.cursor()
        self._rest, watermark = None, self._watermark(committed, silent=silent)
        self._watch.forget(monitors)
        closes = {(contract.version, m.name, m.evaluated_revision): m.window.closes(watermark) for m in monitors}
        # A watermark that falls, as when silence ends, closes nothing.
        passed = any(after > self._closes.get(key, _NOTHING) for key, after in closes.items())
        failed = set(cursor.get("failed", []))
        others = [contract.version, *self._stores.panes.rebuilds(contract, term.era)]
        if self._others is not None and self._others[0] != contract.version:
            self._mine.clear()
        news = self._news(model, committed, cursor, others, term, watermark)
        self._stray |= self._watch.stray(self._name, term)
        if not news and not self._stray and not self._watch.due(monitors, failed) and not passed:
            self._found_nothing(model, monitors, committed, failed, silent=silent)
            return False  # nothing came, and no window has closed since the last time
        term.advance()
        touched = self._truth(contract, news, committed, term) if news else NO_SLOTS
        # Panes may be there of a batch that is not committed: until one is, nothing is known of when events come.
        live = bool(committed.predictions) and committed.logged - committed.watermark < _LIVE
        move = Move(touched, watermark, live, self._anew, self._stray)
        worked, failing = self._watch(model, monitors, move, failed, term)
        self._others = others
        if news or failing != failed:
            term.save(self._place(cursor, contract, committed, news, failing))
        self._closes, self._stray = {key: max(after, self._closes.get(key, after)) for key, after in closes.items()}, False
        self._anew &= news.more
        self.counts.steps += 1
        if not (news or news.more or worked):
            self._found_nothing(model, monitors, committed, failing, silent=silent)
        return bool(news) or worked

    def _watermark(self, committed: Committed, *, silent: bool) -> int:
        return self._clock.now() if silent else committed.watermark - committed.lateness

    def _found_nothing(self, model: Model, monitors: Sequence[Monitor], committed: Committed, failed: set[str], *, silent: bool) -> None:
        version = model.contract.version
        until = min((self._closes[version, m.name, m.evaluated_revision] for m in monitors), default=moment.LATEST)
        self._rest = _Rest(version, list(monitors), model.rebuild, committed.predictions, committed.labels, silent, failed, until)

    def _news(  # long: each kind of news in turn
        self, model: Model, committed: Committed, cursor: Mapping[str, Any], others: list[int], term: Lease, watermark: int
    ) -> _News:
        contract = model.contract
        predictions, labels = (fresh(cursor.get(topic, {}), getattr(committed, topic)) for topic in ("predictions", "labels"))
        recast = cursor.get("contract") != contract.version
        audit = fresh(cursor.get("audit", {}), committed.predictions)
        now = self._audit.due(audit, busy=bool(predictions or labels or recast))
        known = cursor.get("rebuilds") if self._others is None else self._others
        strange = self._stores.panes.rebuilt(contract, term.era) if others != known and others[1] else NO_SLOTS
        if now != audit and (others[1] or self._mine):
            # Ingest adds nothing to panes that were made again. Before their windows are judged they get what has come since, whatever rests.
            made = self._stores.panes.rebuilt(contract, term.era + 1)
            late = np.intersect1d(made[made + contract.pane <= watermark], self._stores.raw.touched(self._name, audit, contract.pane))
            strange = np.union1d(strange, late)
        remade, requested = NO_SLOTS, Requested.of(cursor.get("rebuild"), model.rebuild)
        if asked := not requested.finished:
            held, rows = self._stores.panes.slots(contract)
            slots = np.union1d(held, self._stores.raw.slots(self._name, contract.pane))  # panes may be missing
            many = np.ones(len(slots), np.int64)
            many[np.isin(slots, held)] = rows
            remade, requested = requested.portion(slots, many, committed.frozen)
        return _News(predictions, labels, now, now != audit, strange, recast, asked, remade, requested)

    def _place(self, cursor: Mapping[str, Any], contract: Contract, committed: Committed, news: _News, failing: set[str]) -> dict[str, Any]:
        """What the next step, of whichever owner, has to know of this one."""
        version, slots, steps = self._others or [contract.version, 0, 0]
        return {
            "contract": contract.version,
            "predictions": {str(part): last for part, last in committed.predictions.items()},
            "labels": {str(part): last for part, last in committed.labels.items()},
            "audit": {**cursor.get("audit", {}), **{str(part): last for part, (_, last) in news.audit.items()}},
            "rebuilds": [version, slots + len(self._mine), steps + sum(self._mine.values())],
            "failed": sorted(failing),
            "rebuild": msgspec.to_builtins(news.requested),
        }

    def _truth(self, contract: Contract, news: _News, committed: Committed, term: Lease) -> Ints:
        """Join what is new, audit, recompute performance panes; the slots that may read differently now."""
        raw, truth, pane = self._stores.raw, self._stores.truth, contract.pane
        if committed.labels:  # else there is nothing to join: a later label finds the predictions of before
            term.check()
            truth.join(self._name, news.predictions, news.labels, term.generation)
        suspect = raw.slots(self._name, pane) if news.recast else news.strange
        found = self._audit.look(contract, news.audit, suspect, committed, term, news.remade)
        touched = np.union1d(suspect, raw.touched(self._name, news.predictions, pane))
        joined = np.union1d(found.beaten, news.remade if committed.labels else NO_SLOTS)
        if committed.labels:
            joined = np.union1d(joined, truth.slots(self._name, pane) if news.recast else truth.joined(self._name, term.generation, pane))
        self._rebuild.performance(contract, joined[joined > committed.frozen], term)
        self._mine |= dict.fromkeys(found.repaired, term.steps)
        self.counts.audited += found.slots
        self.counts.repaired += len(np.setdiff1d(found.repaired, news.remade))
        return np.unique(np.concatenate([touched, joined, np.array(found.repaired, np.int64)]))
