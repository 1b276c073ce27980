"""Which groups of monitors are judged and stored together, and which ranges of panes are read by one query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core import moment
from core.monitor import Monitor
from core.span import Spans
from core.window.tumbling import Tumbling
from monitors.evaluation.batch import Part, batches, starts
from monitors.evaluation.task import EvaluatedWindows, MonitorTask
from monitors.evidence.reads import _joined


def days(first: int, many: int) -> Spans:
    """So many days."""
    start = moment.DAY * np.arange(first, first + many)
    return Spans(start, start + moment.DAY)


def part(name: str, windows: Spans, stored: Spans | None = None, segments: int = 1) -> Part:
    """The part of one monitor, some of whose windows have readings."""
    done = EvaluatedWindows(stored or Spans.none(), np.full(len(stored or ()), segments))
    monitor = Monitor(name=name, model="m", measure="quality.null_rate", window=Tumbling(moment.DAY))
    texts = tuple(map(str, range(segments)))
    return Part([MonitorTask(monitor, texts, ("x",), windows, Spans.none(), None, done)], windows, _no_frame)


def _no_frame(_task: MonitorTask) -> Any:
    raise AssertionError


def together(*parts: Part) -> list[list[str]]:
    """The monitors of each batch."""
    return [[task.monitor.name for one in batch for task in one.tasks] for batch in batches(parts)]


def test_small_groups_are_together_and_large_ones_alone() -> None:
    """Those of some readings share a batch; one of many readings, or that has many stored ones in the span of the batch, has its own. Their order stays."""
    few, many = part("few", days(10, 2)), part("many", days(0, 30), segments=1_000)
    assert together(few, part("other", days(11, 1)), many, part("last", days(12, 1))) == [["few", "other"], ["many"], ["last"]]
    long = part("long", days(0, 1))
    stored = part("stored", days(11, 1), days(0, 100), segments=1_000)
    assert together(few, stored) == [["few", "stored"]]
    assert together(long, few, stored) == [["long", "few"], ["stored"]]


def test_a_monitor_is_in_a_batch_once() -> None:
    """Its chunks are judged one after the other, as rules go from window to window."""
    assert together(part("a", days(0, 1)), part("b", days(0, 1)), part("a", days(1, 1))) == [["a", "b"], ["a"]]
    assert starts([part("a", days(3, 2)), part("b", days(1, 1))]) == (moment.DAY, 4 * moment.DAY + 1)


def test_a_part_is_made_when_the_batch_before_is_taken() -> None:
    """So the evidence of one large part is held at a time."""
    made = []

    def parts() -> Iterator[Part]:
        for name in "abc":
            made.append(name)
            yield part(name, days(0, 30), segments=1_000)

    found = batches(parts())
    next(found)
    assert made == ["a", "b"]


def test_ranges_are_one_where_few_slots_are_between_them() -> None:
    """Slots with predictions between two ranges are read along, up to eight."""
    runs, hour = [(0, 1), (10, 11), (30, 31)], np.array([0, 10, *range(12, 21), 30])
    assert _joined(runs, hour) == [(0, 11), (30, 31)]
    assert _joined(runs, hour[:-2]) == [(0, 31)]
    assert _joined(runs[:1], hour) == runs[:1]
