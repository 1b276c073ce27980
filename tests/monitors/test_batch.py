"""Which groups of monitors are judged and stored together, what happens where the store refuses that, and which ranges of panes are read by one query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core import moment
from core.baseline.rows import Version
from core.error import Fatal, Retryable
from core.monitor import Monitor
from core.span import Spans
from core.window.tumbling import Tumbling
from monitors.evaluation.batch import Part, batches, starts
from monitors.evaluation.failure import Failures
from monitors.evaluation.runner import MonitorRunner
from monitors.evaluation.task import EvaluatedWindows, MonitorTask
from monitors.evaluation.watched import most, scope_of
from monitors.evidence.extent import Extent
from monitors.evidence.reads import COUNT, PaneFields, Reads, Scope, _joined
from monitors.model import Model
from tests.monitors.contracts import DELAY


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


def test_few_readings_of_much_evidence_are_alone() -> None:
    """The evidence of a batch is held until it is stored: of all its parts no more than is read at a time."""
    much = [part(name, days(10, 1))._replace(held=0.4) for name in "abc"]
    assert together(*much) == [["a", "b"], ["c"]]
    task = part("a", days(10, 3)).tasks[0]
    model, held = Model(DELAY, None), (days(10, 3).start, np.ones(3, np.int64))
    (one,) = _runner(evaluate=SimpleNamespace(reads=lambda *_: None))._parts([task], model, held)
    assert one.held == 3 / most(scope_of(task.monitor, model, task.segments))


def _runner(evaluate: Any = None, write: Any = None) -> MonitorRunner:
    """A runner that has some of its parts only."""
    none: Any = None
    return MonitorRunner(evaluate, none, none, write, none, none)


def test_a_refused_insert_is_the_fault_of_a_monitor_that_has_readings_in_it() -> None:
    """Those of the same batch that have nothing to store have not failed, and the readings of others are stored."""
    stored = list[int]()

    def readings(tables: Sequence[pa.Table]) -> None:
        if any(table.num_rows == 2 for table in tables):
            raise Fatal("refused")
        stored.extend(table.num_rows for table in tables)

    tasks, lease = {name: part(name, days(0, 1)).tasks[0] for name in "abc"}, SimpleNamespace(check=lambda: None)
    for rows, failed, held in (({"a": 0, "b": 2, "c": 0}, {"b"}, []), ({"a": 1, "b": 2, "c": 0}, {"b"}, [1])):
        failures = Failures(lambda _: None)
        written = [(tasks[name], pa.table({"x": [0] * many}), many) for name, many in rows.items()]
        _runner(write=SimpleNamespace(readings=readings))._write_all(written, lease, failures)  # type: ignore[arg-type]
        assert (set(failures.errors), stored) == (failed, held)


def test_fields_that_are_refused_for_several_monitors_are_asked_for_each() -> None:
    """A monitor that reads the same columns, but fewer fields of them, is not stopped by the others; what was refused for it alone is not asked again."""
    task, asked = part("a", days(0, 1)).tasks[0], list[Scope]()
    own = scope_of(task.monitor, Model(DELAY, None), task.segments)

    class Evaluation:
        """Refuses all but its own fields."""

        reads = staticmethod(lambda scope: SimpleNamespace(scope=scope))

        def __call__(self, _monitor: Monitor, _windows: Spans, reads: Reads, _early: Spans | None) -> Any:
            asked.append(reads.scope)
            if reads.scope != own or len(asked) == 1:
                raise Retryable("MEMORY_LIMIT_EXCEEDED")
            return "readings"

    def found(fields: PaneFields) -> Any:
        asked.clear()
        return _runner(Evaluation())._frame(task, task.due, SimpleNamespace(scope=replace(own, fields=fields)))  # type: ignore[arg-type]

    assert found(own.fields | PaneFields(inputs=frozenset({"register", "rank"}))) == "readings"
    for fields in (own.fields, own.fields | COUNT):
        with pytest.raises(Retryable):
            found(fields)
        assert len(asked) == 1


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


def test_how_many_rows_there_are_comes_with_columns_of_the_same_cells() -> None:
    """Where these were read; for other cells, as of the long baseline of a volume, it is asked for alone, and not with all that is read of columns."""
    asked, names, nothing = list[Any](), ("bin", "count", "n"), pa.table({"start": [0], "segment": ["all"], "column": ["@prediction"]})

    def inputs(_contract: Any, columns: Any, fields: Any, _groupings: Any, _step: int, span: Any, *_: Any) -> pa.Table:
        asked.append((columns, fields, span[1] - span[0]))
        return nothing

    read = PaneFields(inputs=frozenset(names))
    scope = Scope(Model(DELAY, None), ("all",), ("",), ("distance", "@prediction"), fields=read)
    reads = Reads(SimpleNamespace(inputs=inputs), None, None, scope)  # type: ignore[arg-type]
    for one in (reads, reads.of(Version("2"))):
        asked.clear()
        one.predictions(Extent.of(days(0, 90)))
        one.inputs(Extent.of(days(90, 7)), "distance", ("n",))
        one.predictions(Extent.of(days(90, 7)))
        one.inputs(Extent.of(days(92, 1)), "distance", ("bin", "count"))
        one.predictions(Extent.of(days(92, 1)))
        assert asked == [(("@prediction",), ("n",), 90 * moment.DAY), (scope.columns, names, 7 * moment.DAY)]


def test_ranges_are_one_where_few_slots_are_between_them() -> None:
    """Slots with predictions between two ranges are read along, up to eight."""
    runs, hour = [(0, 1), (10, 11), (30, 31)], np.array([0, 10, *range(12, 21), 30])
    assert _joined(runs, hour) == [(0, 11), (30, 31)]
    assert _joined(runs, hour[:-2]) == [(0, 31)]
    assert _joined(runs[:1], hour) == runs[:1]
