"""Means of what a model says of its own uncertainty: confidence, entropy, margin, the width of intervals, the size of sets."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.certainty import Signals, having
from detectors.evidence import Moments
from detectors.interval import student
from detectors.law import chi_square
from detectors.spec import Law, NoParams, Places, Result, Spec, estimable

_CLASSES = (Task.BINARY, Task.MULTICLASS)


def mean(target: Moments, baseline: Moments | None, nothing: str) -> Result:
    """The mean of a signal's finite numbers, with Student's interval, and against a baseline the square of Welch's t: (...).

    Sources: Student 1908; Welch 1947. `nothing` says why there is no value where no row has the signal.
    """
    value, why = estimable(target.mean, (target.finite == 0, nothing), (~target.known, target.unknown))

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        half = student(target.variance, target.finite / phi)
        return value - half, value + half

    def evidence(places: Places) -> list[dict[str, Any]]:
        return [{"measured": int(rows)} for rows in np.broadcast_to(target.finite, value.shape)[places].tolist()]

    return Result(value, why, interval, None if baseline is None else _law(target, baseline), evidence)


def _law(target: Moments, baseline: Moments) -> Law:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        apart = target.mean - baseline.mean
        squared = target.variance / target.finite + baseline.variance / baseline.finite
        t = np.where((apart == 0) & (squared == 0), 0.0, apart**2 / squared)
    return chi_square(np.where(np.isfinite(t), t, np.nan), np.ones_like(t))


def missing(shape: tuple[int, ...], signal: str) -> Result:
    """No value: the contract does not have the signal."""
    return Result(np.full(shape, np.nan), np.full(shape, f"the contract has no signal `{signal}`", object))


def counted(side: Signals, signal: str) -> Floats:
    """The rows that have a signal: (...)."""
    return having(side.of[signal].finite, side.n) if signal in side.of else side.n


def _spec(name: str, title: str, signal: str, formula: str, **about: Any) -> Spec[Signals, NoParams]:
    nothing = f"no prediction has `{signal}`"

    def compute(target: Signals, baseline: Signals | None, _params: NoParams) -> Result:
        if signal not in target.of:
            return missing(target.n.shape, signal)
        return mean(target.of[signal], None if baseline is None else baseline.of[signal], nothing)

    made = Measure(name=f"uncertainty.{name}", title=title, formula=formula, judged=Judged.WORSE, tested=True, **about)
    return Spec(about=made, evidence=Signals, compute=compute, no_value=nothing, counted=lambda side: counted(side, signal))


SPECS = (
    _spec(
        "confidence", "Confidence", "@confidence", "mean of the highest probability",
        unit="share", better=1, tasks=_CLASSES, requires=(Need.SCORES,),
    ),
    _spec(
        "entropy", "Entropy", "@entropy", "mean of -sum p ln p", unit="nats", better=-1, tasks=_CLASSES, requires=(Need.SCORES,),
    ),
    _spec(
        "margin", "Margin", "@margin", "mean of the highest probability less the next",
        unit="share", better=1, tasks=_CLASSES, requires=(Need.SCORES,),
    ),
    _spec(
        "interval_width", "Width of intervals", "@interval_width", "mean of upper - lower",
        unit="target units", better=-1, tasks=(Task.REGRESSION,),
    ),
    _spec("set_size", "Size of sets", "@set_size", "mean number of classes in the prediction set", unit="classes", better=-1, tasks=_CLASSES),
)  # fmt: skip
