"""The values of a measure in all segments that panes hold, in one window."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Any

import msgspec
import numpy as np

from core.contract import Contract
from core.measure import Subject
from core.monitor import Monitor
from core.segment import ALL
from core.span import Spans
from detectors import catalogue
from monitors.evaluation.calibration import Calibration
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.frame import NONE
from monitors.evaluation.watched import scope_of, segments_of
from monitors.evidence.reads import Reads
from monitors.model import Model


@dataclass(frozen=True)
class Value:
    """A measure in a segment: its value and that of the baseline, None where there is none, and the rows that count on either side."""

    value: float | None
    baseline: float | None
    n: int
    n_baseline: int | None


class Uncalibrated(Evaluate):
    """Computes readings without their p-values, which would take the whole reference."""

    def calibration(self, monitor: Monitor, model: Model, early: Spans | None = None) -> Calibration | None:
        """None."""
        return None


@dataclass(frozen=True)
class Values:
    """The values by segment, `all` among them but for measures of groups; what evidence says of an attribute; and the reads that they were made with."""

    by_segment: dict[str, Value]
    evidence: dict[str, Any]
    reads: Reads


def values(evaluate: Evaluate, monitor: Monitor, model: Model, found: list[str], span: tuple[int, int]) -> Values:
    """The values of a monitor's measure, of its first column, in a window, in the segments that are `found` in panes or in the reference."""
    contract = model.contract
    about = catalogue.spec(monitor.measure).about
    every = (ALL,) if about.of_stream or about.subject.protected else _groupings(contract)
    asked = msgspec.structs.replace(monitor, segments=every)
    segments = segments_of(asked, model, found)
    reads = evaluate.reads(scope_of(asked, model, segments))
    frame = evaluate(asked, Spans.of([span]), reads)
    held = {
        segment: Value(
            _number(frame.value[0, 0, at]),
            _number(frame.baseline_value[0, 0, at]),
            int(frame.n_target[0, 0, at]),
            _count(int(frame.n_baseline[0, 0, at])),
        )
        for at, segment in enumerate(frame.segments)
    }
    told: dict[str, Any] = {}
    if (evidence := frame.evidence[0][0].evidence) is not None and about.subject is Subject.ATTRIBUTE:
        told = evidence((np.zeros(1, np.int64), np.array([frame.segments.index(ALL)])))[0]
    return Values(held, told, reads)


def _groupings(contract: Contract) -> tuple[str, ...]:
    return (ALL, *(one.name for one in contract.dimensions), *("*".join(cross) for cross in contract.crosses))


def _number(value: float) -> float | None:
    return None if isnan(value) else float(value)


def _count(rows: int) -> int | None:
    return None if rows == NONE else rows
