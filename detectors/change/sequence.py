"""Evidence of change: the losses of labelled rows in order of their time, cut into runs that a detector goes through. Blocks as in `detectors.evidence`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from core.block import Floats, Ints
from core.span import Spans


@dataclass(frozen=True, eq=False)
class Run:
    """Rows of one segment in order of time, of which a detector starts with the first: `times` in microseconds, and `values`, (rows,) each. Detections count from the time `since` on, before it the detector only learns.

    `gone`: panes count rows in it whose raw events are not there any more.
    """

    times: Ints
    values: Floats
    since: int
    until: int
    gone: bool = False


@dataclass(frozen=True)
class LossRuns:
    """Labelled rows (windows, segments), and by loss and length of runs the runs of each segment, in order, which together hold all rows of the `windows` once from their `since` on."""

    n: Floats
    windows: Spans
    runs: Callable[[str, int], list[list[Run]]]

    empty: ClassVar[str] = "no labelled predictions"


@dataclass(frozen=True)
class Detection:
    """A detection at a row of a run: its index, that of the first row since the detector last started, that of the first row after the change, most likely, and the means before and after it."""

    at: int
    first: int
    onset: int
    before: float
    after: float


def onset(values: Floats) -> tuple[int, float, float]:
    """Where the mean of values (n,) most likely changed once: the index of the first value after it, and the means before and after. n is at least 2.

    The place at which two means explain most of the variance: the maximum of k (n - k) / n times their squared difference over k, which is the likelihood's for normal values (Hinkley 1970).
    """
    n, sums = len(values), np.cumsum(values)
    k = np.arange(1, n)
    before, after = sums[:-1] / k, (sums[-1] - sums[:-1]) / (n - k)
    place = int(np.argmax(k * (n - k) / n * (before - after) ** 2))
    return place + 1, float(before[place]), float(after[place])


def located(values: Floats, detected: npt.NDArray[np.intp]) -> list[Detection]:
    """The detections at some rows of a run, ascending, each with its onset. A detector starts anew with the row after a detection."""
    found, first = [], 0
    for at in detected.tolist():
        part = values[first : at + 1]
        place, before, after = onset(part) if len(part) > 1 else (0, float("nan"), float(part[0]))
        found.append(Detection(at, first, first + place, before, after))
        first = at + 1
    return found
