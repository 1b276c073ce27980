"""Which groups of a step are judged and stored together: small ones share a query of stored readings, a transaction of the alerts, and an insert."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from core.span import Spans
from monitors.evaluation.frame import Frame
from monitors.evaluation.task import MonitorTask

_READINGS = 5_000  # about so many readings are evaluated, and compared with stored ones, together
_PARTS = 16  # of so many groups


class Part(NamedTuple):
    """Tasks of one group, the windows to evaluate for each, and what makes a task's readings of them. `held`: its evidence, in what is read at a time (`most`)."""

    tasks: Sequence[MonitorTask]
    windows: Spans
    frame: Callable[[MonitorTask], Frame]
    held: float = 0.0


Batch = list[Part]


def batches(parts: Iterable[Part]) -> Iterator[Batch]:
    """Parts in order, small ones together, each monitor once at most. A large part is alone; it is made when its turn comes."""
    batch = Batch()
    for part in parts:
        if batch and not _fits([*batch, part]):
            yield batch
            batch = []
        batch.append(part)
    if batch:
        yield batch


def starts(batch: Batch) -> tuple[int, int]:
    """The half-open span in which the windows of a batch start."""
    return min(int(part.windows.start[0]) for part in batch), max(int(part.windows.start[-1]) for part in batch) + 1


def _fits(batch: Batch) -> bool:
    """Whether parts are judged and stored together."""
    names, span = [task.monitor.name for part in batch for task in part.tasks], starts(batch)
    if len(batch) > _PARTS or len(set(names)) < len(names) or sum(part.held for part in batch) > 1:
        return False  # the evidence of all parts is held until the batch is stored: few readings may be made of much
    return sum(task.each * (len(part.windows) + _stored(task, span)) for part in batch for task in part.tasks) <= _READINGS


def _stored(task: MonitorTask, span: tuple[int, int]) -> int:
    """How many windows of a monitor that start in a span have readings."""
    low, high = np.searchsorted(task.done.windows.start, span)
    return int(high - low)
