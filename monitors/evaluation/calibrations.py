"""The calibrations of monitors, which are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock

import msgspec

from core.block import Ints
from core.monitor import Monitor
from core.span import Spans
from detectors import catalogue
from detectors.dispersion import ENOUGH
from monitors.evaluation.calibration import Calibration, calibrate, early_windows, recalibrate, slots_of_reference
from monitors.evaluation.watched import of_columns
from monitors.evidence.reads import Reads, Scope
from monitors.model import Model
from monitors.ports import Panes

_MOST_KEPT = 10_000  # calibrations

_Kept = dict[tuple[str, str], tuple[object, Calibration]]  # by model and monitor: of what, and the calibration


class Calibrations(ABC):
    """Calibrates monitors on their reference, or on the first windows of their stream."""

    def __init__(self, panes: Panes) -> None:
        self._panes = panes
        self._calibrations: _Kept = {}
        self._early: _Kept = {}
        self._slots: dict[Hashable, Ints] = {}  # by reference
        self._marks: dict[tuple[str, str], tuple[Hashable, Sequence[str]]] = {}
        self._looking = Lock()

    @abstractmethod
    def reads_of(self, scope: Scope, windows: int, stamp: Hashable) -> Reads:
        """The reads of a scope over so many windows; others of the same stamp may share their answers."""

    def calibration(self, monitor: Monitor, model: Model, early: Spans | None = None) -> Calibration | None:
        """The calibration of a monitor, or of its features if its readings are made of theirs; None if the measure has no statistic whose law is known.

        `early` are the first windows of the stream (`early_windows`), which take the place of a reference that has too few; None before there are `EARLY`.
        Raises Retryable.
        """
        monitor = of_columns(monitor) or monitor
        found = self._of_reference(monitor, model)
        if found is None or found.windows >= ENOUGH or early is None:
            return found
        mark, segments = self._marks.get((monitor.model, monitor.name), (None, None))
        key = (msgspec.json.encode(monitor), model.contract.evaluated_as, early.start.tobytes(), early.end.tobytes(), mark)

        def make() -> Calibration:
            there = self._panes.segments(model.contract) if segments is None else segments
            return recalibrate(monitor, model, there, partial(self.reads_of, stamp=mark), early)

        return _kept(self._early, monitor, key, make)

    def early(self, monitor: Monitor, model: Model, windows: Spans, slots: Ints, rows: Ints) -> Spans | None:
        """The first windows of the stream with enough rows, if the monitor is calibrated on them; None if its reference does, or before there are `EARLY`.

        `windows` are those that exist, `slots` those with predictions, and `rows` how many each holds. Raises Retryable.
        """
        if not len(windows) or (found := self.calibration(monitor, model)) is None or found.windows >= ENOUGH:
            return None
        if monitor.version is not None:
            slots, rows = self._panes.slots(model.contract, monitor.version)
        return early_windows(windows, slots, rows, max(monitor.min_samples, 1))

    def forget(self, monitor: Monitor) -> None:
        """Calibrate a monitor again on the first windows of its stream when it is asked for: their events may have changed."""
        self._early.pop((monitor.model, monitor.name), None)

    def known_under(self, monitor: Monitor, mark: Hashable, segments: Sequence[str]) -> None:
        """Calibrate a monitor again on the first windows of its stream unless that was done under this mark, which is another one once their events may have changed. `segments` are those of the stream."""
        if len(self._marks) >= _MOST_KEPT:
            self._marks.clear()
        self._marks[monitor.model, monitor.name] = mark, segments

    def relearned(self, monitor: Monitor, model: Model, early: Spans) -> bool:
        """Calibrate a monitor again on the first windows of its stream, whose events have changed. Returns whether it is another calibration, or none was known."""
        before = self._early.pop((monitor.model, monitor.name), None)
        after = self.calibration(monitor, model, early)
        return before is None or after is None or not before[1].equals(after)

    def calibrate(self, monitors: Sequence[Monitor], model: Model) -> None:
        """Calibrate monitors on the reference that are not calibrated yet, or whose features are not: together they read little more than one.

        A failure is not told: that monitor, and those after it, are then calibrated alone, when they are asked for.
        """
        tested = (one for one in (of_columns(monitor) or monitor for monitor in monitors) if _is_tested(one))
        unknown = [one for one in tested if self._calibrations.get((one.model, one.name), (None,))[0] != _made_of(one, model)]
        with suppress(Exception):  # whatever fails here fails again for the monitor alone, where it is reported
            for monitor, found in self._calibrated(unknown, model) if unknown else ():
                self._of_reference(monitor, model, found)

    def _of_reference(self, monitor: Monitor, model: Model, made: Calibration | None = None) -> Calibration | None:
        """The calibration on the reference, which is kept: the one that was `made`, if none is known."""
        if not _is_tested(monitor):
            return None

        def make() -> Calibration:
            return made or next(found for _, found in self._calibrated([monitor], model))

        found = _kept(self._calibrations, monitor, _made_of(monitor, model), make)
        if not (found.windows or model.contract.facts or model.reference is None):  # the reference may be stored yet
            self._calibrations.pop((monitor.model, monitor.name), None)
        return found

    def _calibrated(self, monitors: Sequence[Monitor], model: Model) -> Iterator[tuple[Monitor, Calibration]]:
        reference = (model.contract.model, model.contract.evaluated_as)
        with self._looking:  # the measures of a page ask at once
            if (slots := self._slots.get(reference)) is None:
                slots = slots_of_reference(model, self._panes)
                if len(self._slots) >= _MOST_KEPT:
                    self._slots.clear()
                if len(slots):  # else they may be stored yet
                    self._slots[reference] = slots
        return calibrate(monitors, model, slots, partial(self.reads_of, stamp=reference))


def _is_tested(monitor: Monitor) -> bool:
    """Whether the law of a monitor's statistic is known."""
    return (spec := catalogue.known(monitor.measure)) is not None and spec.about.tested


def _made_of(monitor: Monitor, model: Model) -> tuple[bytes, tuple[int, int]]:
    """What a calibration on the reference depends on."""
    return msgspec.json.encode(monitor), model.contract.evaluated_as


def _kept(kept: _Kept, monitor: Monitor, key: object, make: Callable[[], Calibration]) -> Calibration:
    """What is kept of a monitor under this key, or else made and kept. Threads of the API share it."""
    place = (monitor.model, monitor.name)
    held = kept.get(place)
    if held is not None and held[0] == key:
        return held[1]
    found = make()
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[place] = key, found
    return found
