"""The owner's loop of one model: join the truth, reconcile, evaluate, alert.

It finds its work in the stores: what was committed since the place it saved last, and the windows that have closed since. So it may be killed
anywhere and begin again; nothing that it writes is written twice with another result.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from core import moment
from core.block import Ints
from core.clock import Clock
from core.contract import Contract
from core.monitor import Monitor
from monitors import plan
from monitors.evaluate import Evaluate, Model, columns_of, missing, segments_of
from monitors.rebuild import Rebuild
from monitors.seam import Alerts, Cursors, Panes, Raw, Readings, Store, Truth

_log = logging.getLogger(__name__)

_LIVE = moment.HOUR  # a model is live if its latest event was not older than this when it came
_NO_SLOTS = np.zeros(0, np.int64)
_NEVER = -(1 << 62)

_Ranges = dict[int, tuple[int, int]]


class Committed(NamedTuple):
    """What ingest has committed of a model: the last position of each partition by topic, and times in microseconds.

    Of slots up to `frozen` raw events may be gone by retention: their panes stay as they are.
    """

    predictions: dict[int, int]
    labels: dict[int, int]
    watermark: int
    logged: int
    frozen: int


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


@dataclass
class Counts:
    """What an owner has done since it began."""

    steps: int = 0
    audited: int = 0
    repaired: int = 0
    readings: int = 0
    failed: dict[str, str] = field(default_factory=dict)  # by monitor
    missing: dict[str, str] = field(default_factory=dict)


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
        rest = ~np.isin(self.starts, windows)
        self.starts = np.concatenate([self.starts[rest], windows])
        self.readings = np.concatenate([self.readings[rest], np.full(len(windows), each)])


class Owner:
    """Watches one model. One owner a model at a time; `step` is called again and again by whoever hosts it."""

    def __init__(self, name: str, stores: Stores, rebuild: Rebuild, evaluate: Evaluate, clock: Clock) -> None:
        self._name, self._stores, self._rebuild, self._evaluate, self._clock = name, stores, rebuild, evaluate, clock
        self._done: dict[tuple[str, int, int], _Done] = {}
        self._closed: tuple[Any, ...] = ()
        self.counts = Counts()

    def step(self, model: Model, monitors: Sequence[Monitor], committed: Committed, *, silent: bool) -> bool:
        """Do all that there is to do now; whether there was anything.

        `silent` says that the log has been read to its end and nothing has come for a while: then the watermark is the wall clock.
        """
        now = self._clock.now()
        watermark = now if silent else committed.watermark
        cursor = self._stores.cursors.cursor(f"owner:{self._name}") or {}
        predictions, labels = _news(cursor, "predictions", committed.predictions), _news(cursor, "labels", committed.labels)
        moved = bool(predictions or labels) or cursor.get("contract") != model.contract.version
        failed = set(cursor.get("failed", []))
        closed = (model.contract.version, *((monitor.name, monitor.revision, watermark // monitor.window) for monitor in monitors))
        if not moved and not failed and closed == self._closed:
            return False  # nothing came, and no window has closed since the last time
        touched = self._truth(model.contract, predictions, labels, committed, cursor) if moved else _NO_SLOTS
        worked, failing = self._judge(model, monitors, touched, failed, watermark, live=committed.logged - committed.watermark < _LIVE)
        if moved or failing != failed:
            self._stores.cursors.save_cursor(
                f"owner:{self._name}",
                {
                    "contract": model.contract.version,
                    "predictions": {str(part): last for part, last in committed.predictions.items()},
                    "labels": {str(part): last for part, last in committed.labels.items()},
                    "failed": sorted(failing),
                },
            )
        self._closed = closed
        self.counts.steps += 1
        return moved or worked

    def _truth(self, contract: Contract, predictions: _Ranges, labels: _Ranges, committed: Committed, cursor: dict[str, Any]) -> Ints:
        """Join what is new, recompute performance panes, reconcile; the slots that may read differently now."""
        raw, truth, pane = self._stores.raw, self._stores.truth, contract.pane
        generation = sum(committed.predictions.values()) + sum(committed.labels.values())
        truth.join(self._name, predictions, labels, generation)
        if cursor.get("contract") not in (None, contract.version):
            touched, joined = raw.slots(self._name, pane), truth.slots(self._name, pane)
        else:
            parts = [raw.touched(self._name, part, first, last, pane) for part, (first, last) in predictions.items()]
            touched = np.unique(np.concatenate(parts)) if parts else _NO_SLOTS
            joined = truth.joined(self._name, generation, pane)
        self._rebuild.performance(contract, joined[joined > committed.frozen], generation)
        audited, repaired = self._rebuild.reconcile(contract, touched[touched > committed.frozen], committed.predictions)
        self.counts.audited += audited
        self.counts.repaired += repaired
        return np.union1d(touched, joined)

    def _judge(
        self, model: Model, monitors: Sequence[Monitor], touched: Ints, failed: set[str], watermark: int, *, live: bool
    ) -> tuple[bool, set[str]]:
        """Evaluate every monitor whose windows moved; one that fails does not spoil the others."""
        slots, _ = self._stores.panes.slots(model.contract)
        found = self._stores.panes.segments(model.contract)
        worked, failing = False, set()
        for monitor in monitors:
            try:
                every = slots if monitor.name in failed else touched
                worked |= self._monitor(monitor, model, slots, found, every, watermark, live=live)
                self.counts.failed.pop(monitor.name, None)
                self._tell_missing(monitor, model.contract)
            except Exception as error:  # one monitor's edge: its windows stay due, the others go on
                _log.exception("monitor %s of %s could not be evaluated", monitor.name, self._name)
                self.counts.failed[monitor.name] = f"{type(error).__name__}: {error}"[:300]
                failing.add(monitor.name)
        return worked, failing

    def _monitor(
        self, monitor: Monitor, model: Model, slots: Ints, found: Sequence[str], touched: Ints, watermark: int, *, live: bool
    ) -> bool:
        segments = segments_of(monitor, model, found)
        each = len(segments) * len(columns_of(monitor, model.contract))
        done = self._known(monitor, model.contract)
        windows = plan.existing(monitor, slots, max(watermark, done.until(monitor.window)), live=live)
        windows = plan.due(monitor, windows, touched, done.complete(each))
        for chunk in plan.chunks(windows, monitor.window, self._evaluate.most(monitor, model, len(segments))):
            frame = self._evaluate(monitor, model, chunk, segments)
            stored = self._stores.readings.newest(self._name, monitor.name, monitor.revision, (int(chunk[0]), int(chunk[-1]) + 1))
            changed, revision = frame.changed(stored)
            if changed.any():
                # Alerts first: if we are killed between the two, the same readings come again, and change nothing there.
                watched = monitor.warn is not None or monitor.critical is not None
                self._stores.alerts.observe(monitor, list(frame.readings(changed, revision)) if watched else [])
                self._stores.write.readings(frame.table(changed, revision, self._clock.now()))
                self.counts.readings += int(changed.sum())
            done.add(chunk, each)
        return bool(len(windows))

    def _tell_missing(self, monitor: Monitor, contract: Contract) -> None:
        """Remember which of a monitor's columns the contract has not; the others are evaluated."""
        self.counts.missing.pop(monitor.name, None)
        if names := missing(monitor, contract):
            self.counts.missing[monitor.name] = f"contract version {contract.version} has no column {', '.join(names)}; change its columns"

    def _known(self, monitor: Monitor, contract: Contract) -> _Done:
        key = (monitor.name, monitor.revision, contract.version)
        if key not in self._done:
            self._done[key] = _Done(*self._stores.readings.evaluated(self._name, *key))
        return self._done[key]


def _news(cursor: dict[str, Any], topic: str, committed: dict[int, int]) -> _Ranges:
    """The positions of each partition that were committed since."""
    seen = cursor.get(topic, {})
    return {part: (seen.get(str(part), 0) + 1, last) for part, last in committed.items() if last > seen.get(str(part), 0)}
