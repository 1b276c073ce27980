"""Evaluates monitors on demand: readings that are computed now and not stored, and what alarms they would have raised."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from alerts.rule import advance
from alerts.terms import Terms
from core import moment
from core.block import Ints
from core.contract import Contract
from core.episode import Rule, State, Transition
from core.error import ConfigError, Retryable
from core.monitor import Gate, Monitor
from core.plain_json import plain_json
from core.reading import Reading
from core.segment import ALL, grouping_of
from core.span import Spans
from core.trial import Trial
from detectors.catalogue import MEASURES
from monitors.definition.grammar import parse
from monitors.definition.shared import joins
from monitors.evaluation import plan
from monitors.evaluation.calibration import Calibration
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.frame import Frame
from monitors.evaluation.verdict import alpha
from monitors.evaluation.watched import columns_of, most, places, scope_of, segments_of, trains, wait
from monitors.evidence.shared_reads import SharedReads
from monitors.model import Model
from watchkeeper.backend import Readable
from watchkeeper.reader.kept import LONGEST, Kept
from watchkeeper.reader.observed import observed
from watchkeeper.reader.sources import Sources

_MOST = 200_000  # readings at a time
_TRAINED = 30  # of a measure that takes seconds of CPU for each
_NAME = "trial"  # of a monitor without a name


class _There(NamedTuple):
    """What panes hold of a model: its segments, the slots with predictions, and how many each holds; and the stamp under which that is so."""

    segments: list[str]
    slots: Ints
    rows: Ints
    stamp: Hashable


class TrialReader(Sources):
    """Evaluates monitors that are stored or not. It writes nothing."""

    def __init__(self, backend: Readable) -> None:
        super().__init__(backend)
        stores = backend.stores
        self._there: Kept[_There] = Kept()
        self._looking: dict[str, Lock] = {}  # by model
        self._failed: dict[str, tuple[float, str]] = {}  # by model: when the last look failed, and why
        sources = stores.panes, stores.raw, stores.stream, stores.control.contract_version, stores.training
        self._evaluate = Evaluate(*sources, shared=SharedReads(LONGEST))  # the measures of a page need the same panes

    def calibration(self, monitor: Monitor) -> dict[str, Any] | None:
        """What a monitor's calibration tells, and what it has told of late, ready for JSON; None if it has none. Raises Retryable while the reference is being stored."""
        contract = self.contract(monitor.model)
        if contract is None:
            return None
        model, there = self._model(contract), self._of(contract)
        windows = self._windows(monitor, there)
        found = self._evaluate.calibration(monitor, model, self._early(monitor, model, windows, there))
        return told(found) | {"observed": self._observed(monitor, windows)} if found else None

    def _observed(self, monitor: Monitor, windows: Spans) -> dict[str, Any] | None:
        """What a stored monitor has told of late; None of one that is not stored."""
        control = self._stores.control
        if all(one.name != monitor.name for one in control.monitors(monitor.model)):
            return None
        return observed(windows, partial(control.fired_spans, monitor.model, monitor.name))

    def evaluate(self, trial: Trial) -> pa.Table:
        """The readings of a trial, in the columns of stored ones. Raises ConfigError."""
        monitor = self._read(trial)
        frames = list(self._frames(monitor, trial))
        if not frames:
            return pa.table({})
        every = (frame.table(*_all(frame), self._backend.clock.now(), 0) for frame in frames)
        return pa.concat_tables(every, promote_options="permissive")

    def backtest(self, trial: Trial) -> dict[str, Any]:
        """What a monitor would have raised: windows, readings, alarm_windows, episodes, expected_false_alarm_windows. Raises ConfigError."""
        monitor = self._read(trial)
        rehearsal, windows, readings, segments = _Rehearsal(monitor), 0, 0, 0
        for frame in self._frames(monitor, trial):
            segments = len(frame.segments)
            windows, readings = windows + len(frame.windows), readings + int(frame.every.sum())
            for reading in frame.readings(*_all(frame)) if monitor.alarms else ():
                rehearsal.advance(reading)
        return {
            "windows": windows,
            "readings": readings,
            "alarm_windows": len(rehearsal.alarms),
            "episodes": rehearsal.told(),
            "expected_false_alarm_windows": self._expected(monitor, self._known(monitor.model), windows, segments),
        }

    def rehearse(self, monitor: Monitor, variants: Sequence[Monitor], start: int | None, end: int | None) -> list[list[dict[str, Any]]]:
        """The episodes of a back-test for each of `variants`, which differ from `monitor` in the terms of its rule only. Raises ConfigError."""
        rehearsals = [_Rehearsal(one) for one in variants]
        for frame in self._frames(monitor, Trial({}, start, end)):
            for reading in frame.readings(*_all(frame)):
                for rehearsal in rehearsals:
                    rehearsal.advance(reading)
        return [rehearsal.told() for rehearsal in rehearsals]

    def _expected(self, monitor: Monitor, contract: Contract, windows: int, segments: int) -> float | None:
        """How many of some windows alarm by chance, as promised by a budget or at most by a gate; None without either."""
        if monitor.allowed is not None:
            return windows * monitor.allowed.windows * monitor.window.step / monitor.allowed.period
        columns = len(columns_of(monitor, contract))
        by_chance = min(1.0, segments * columns * alpha(monitor.window.longest, columns))
        return windows * by_chance if monitor.gate is Gate.EVIDENCE else None

    def tried(self, fields: Mapping[str, Any]) -> Monitor:
        """The monitor of a definition that is tried. Raises ConfigError."""
        return self._read(Trial(fields))

    def _read(self, trial: Trial) -> Monitor:
        """The monitor of a trial, with the grouping of the trial's segment among its own. Raises ConfigError."""
        fields = {"monitor": _NAME, **trial.monitor}
        if trial.segment not in {None, ALL}:
            own = fields.get("segments") or []
            grouping = "*".join(grouping_of(str(trial.segment)))  # of segments that are found any one may be asked for
            fields["segments"] = [grouping] if isinstance(own, dict) else [*(own if isinstance(own, list) else [own]), grouping]
        there = [("monitor", str(fields.get("model")), _NAME)]
        found = parse(plain_json([fields]), contract=self._stores.control.contract, there=there).monitors
        if len(found) != 1:
            raise ConfigError("`monitor` is no monitor", remedy="write the fields of a monitor, such as model and measure")
        return self._sharing(found[0])

    def _sharing(self, monitor: Monitor) -> Monitor:
        """The monitor with the share of its model's budget that it would have."""
        defined = self._defined.read().get(monitor.model)
        if defined is None or defined.budget is None or not joins(monitor):
            return monitor
        return msgspec.structs.replace(monitor, share=defined.budget.share(sum(map(joins, defined.monitors)) + 1))

    def _frames(self, monitor: Monitor, trial: Trial) -> Iterator[Frame]:
        """The readings of a monitor, windows in order. Raises ConfigError if they are too many."""
        contract = self._known(monitor.model)
        model, there = self._model(contract), self._of(contract)
        windows = self._windows(monitor, there)
        early = self._early(monitor, model, windows, there)
        inside = np.ones(len(windows), np.bool_) if trial.start is None else windows.start >= trial.start
        windows = windows.take(inside if trial.end is None else inside & (windows.start < trial.end))
        windows = windows if trial.closes is None else windows.take(windows.end == trial.closes)
        columns, segments = columns_of(monitor, contract), segments_of(monitor, model, there.segments)
        if trial.segment is not None:
            segments = tuple(segment for segment in segments if segment == trial.segment)
        limit = _TRAINED if trains(monitor) else _MOST
        if (many := len(windows) * int(places(monitor, columns, segments).sum())) > limit:
            raise ConfigError(f"these are {many:,} readings", remedy=f"ask for {limit:,} at most: fewer columns, one segment, or less time")
        scope = scope_of(monitor, model, segments)
        if trial.segment is not None and not MEASURES[monitor.measure].subject.protected:  # else groups are read within it
            scope = replace(scope, only=segments)
        for chunk in plan.chunks(windows, most(scope, monitor.window)) if segments else ():
            reads = self._evaluate.reads_of(scope, len(windows), there.stamp, (there.slots, there.rows))
            yield self._evaluate(monitor, chunk, reads, early)

    def _windows(self, monitor: Monitor, there: _There) -> Spans:
        """The windows that have closed."""
        return plan.existing(monitor.window, there.slots, self._backend.clock.now() - wait(monitor), live=False)

    def _of(self, contract: Contract) -> _There:
        """What panes hold of a model, which is kept until something comes. The measures of a page ask at once or one after the other. Raises Retryable."""
        began, tag, panes = time.monotonic(), self._backend.tag(), self._stores.panes
        with self._looking.setdefault(contract.model, Lock()):  # who asks meanwhile gets the same answer
            failed, why = self._failed.get(contract.model, (began, ""))
            if began < failed:  # or is told of the same failure: a store that is away is not waited for in turn
                raise Retryable(why)
            try:
                mark = self._stamp(contract, tag)
                held = self._there.get(contract.model, mark)
                return held or self._there.put(contract.model, mark, _There(self._segments(contract, mark), *panes.slots(contract), mark))
            except Retryable as error:
                self._failed[contract.model] = time.monotonic(), str(error)
                raise

    def _early(self, monitor: Monitor, model: Model, windows: Spans, there: _There) -> Spans | None:
        """The windows of the stream that the monitor is calibrated on, as they are now."""
        self._evaluate.known_under(monitor, there.stamp, there.segments)
        return self._evaluate.early(monitor, model, windows, there.slots, there.rows)

    def _model(self, contract: Contract) -> Model:
        return Model(contract, self._reference(contract))


def told(found: Calibration) -> dict[str, Any]:
    """A calibration, ready for JSON: `phi` by column, of the segment `all`."""
    allowed = found.allowance
    return {
        "expected_per_30d": None if allowed is None else allowed.expected * 30 * moment.DAY / found.block,
        "windows": found.windows,
        "extrapolated": allowed is not None and allowed.extrapolated,
        "provisional": found.provisional,
        "phi": {name: float(found.of(name, (ALL,)).phi[0]) for name in found.columns},
    }


def _all(frame: Frame) -> tuple[Any, Any]:
    """All places of a frame, and the revision of each."""
    return frame.every, np.ones(frame.value.shape, np.int64)


class _Rehearsal:
    """The rules of a monitor as readings come, the episodes that they open, and the windows in which they fire."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor, self._about, self._terms = monitor, MEASURES[monitor.measure], Terms.of(monitor)
        self._rules: dict[tuple[str, str], Rule] = {}
        self._episodes: dict[str, dict[str, Any]] = {}
        self.alarms: set[tuple[int, int]] = set()

    def advance(self, reading: Reading) -> None:
        """Advance the rule of a reading. Windows come in order."""
        key = (reading.column, reading.segment)
        rule = self._rules.get(key) or Rule(model=self._monitor.model, monitor=self._monitor.name, column=key[0], segment=key[1])
        self._rules[key], changed = advance(rule, reading, self._about, self._terms)
        if changed is not None and changed.episode:
            _note(self._episodes, reading, changed)
        if self._rules[key].state is State.FIRING:
            self.alarms.add((reading.window_start, reading.window_end))

    def told(self) -> list[dict[str, Any]]:
        """The episodes, the first fired first."""
        return sorted(self._episodes.values(), key=lambda one: (one["fired_at"], one["column"], one["segment"]))


def _note(episodes: dict[str, dict[str, Any]], reading: Reading, changed: Transition) -> None:
    found = episodes.setdefault(
        changed.episode,
        {
            "column": reading.column,
            "segment": reading.segment,
            "fired_at": moment.text(changed.at),
            "ended_at": None,
            "reason": changed.reason,
        },
    )
    found["level"] = changed.level and changed.level.value
    if changed.after is State.RESOLVED:
        found["ended_at"] = moment.text(changed.at)
