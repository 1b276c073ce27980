"""What measures of a page read of panes, which is asked for once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from time import sleep
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from core.contract import Column, Contract, Kind, Task
from core.error import Retryable
from core.span import Spans
from monitors.evidence.extent import Extent
from monitors.evidence.reads import PaneFields, Reads, Scope
from monitors.evidence.shared_reads import SharedReads
from monitors.model import Model

CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.BINARY,
    features=tuple(Column(name=name, kind=Kind.NUMERIC, edges=(0.0, 1.0)) for name in ("a", "b", "c")),
)
EXTENT = Extent(10, np.array([0, 10, 20]))


class Panes:
    """Panes without rows; what is asked of them, and what an answer waits for."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.asked: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self._before = before

    def inputs(self, _contract: Contract, columns: tuple[str, ...], names: tuple[str, ...], *_: Any, **__: Any) -> pa.Table:
        self.asked.append((columns, names))
        self._before()
        return pa.table({name: pa.array([], pa.string()) for name in ("start", "column", "segment", *names)})


def make(panes: Any) -> Callable[[Scope], Reads]:
    nothing: Any = None
    return lambda scope: Reads(panes, nothing, nothing, scope)


def scope(columns: tuple[str, ...], *fields: str) -> Scope:
    return Scope(Model(CONTRACT, None), ("all",), ("",), columns, fields=PaneFields(inputs=frozenset(fields)))


def test_measures_of_several_columns_share_one_question_under_a_stamp() -> None:
    """Whichever columns and fields each needs; not under another stamp, of another segment, or once it is too old. What each makes of the answers is its own."""
    now, panes = [0.0], Panes()
    shared = SharedReads(60.0, lambda: now[0])
    counts, moments = scope(("a", "b"), "bin", "count"), scope(("b", "c"), "n", "below", "above")
    first, second = (shared.of(one, 3, "s", make(panes)) for one in (counts, moments))
    first.inputs(EXTENT, "a", ("bin", "count"))
    second.inputs(EXTENT.part(Spans.of([(10, 20)])), "c", ("n", "below", "above"))
    assert [columns for columns, _ in panes.asked] == [tuple(column.name for column in CONTRACT.summarised)]
    assert (first.once(("x",), lambda: 1), second.once(("x",), lambda: 2)) == (1, 2)
    for other, stamp in ((counts, "t"), (replace(counts, segments=("a=1",)), "s")):
        shared.of(other, 3, stamp, make(panes)).inputs(EXTENT, "a", ("bin", "count"))
    assert len(panes.asked) == 3
    now[0] = 61.0
    shared.of(counts, 3, "s", make(panes)).inputs(EXTENT, "a", ("bin", "count"))
    assert len(panes.asked) == 4


def test_one_column_and_many_windows_read_nothing_along() -> None:
    """A measure of one column reads no others; one over so many windows that all columns would be too much reads what it needs."""
    panes = Panes()
    shared = SharedReads(60.0)
    shared.of(scope(("a",), "bin", "count"), 3, "s", make(panes)).inputs(EXTENT, "a", ("bin", "count"))
    shared.of(scope(("a", "b"), "bin", "count"), 10_000, "s", make(panes)).inputs(EXTENT, "a", ("bin", "count"))
    assert [columns for columns, _ in panes.asked] == [("a",), ("a", "b")]
    assert panes.asked[1][1] == ("bin", "count")


def test_threads_that_ask_at_once_ask_the_store_once() -> None:
    """Those that come while the store answers wait for the answer."""
    panes = Panes(lambda: sleep(0.05))
    reads, gate = make(panes)(scope(("a",), "bin", "count")), Barrier(4)

    def ask(_: int) -> None:
        gate.wait(10)
        reads.inputs(EXTENT, "a", ("bin", "count"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(4)))
    assert len(panes.asked) == 1


def test_threads_that_wait_are_told_of_the_failure_that_they_waited_for() -> None:
    """A store that is away is asked once, and not by each of them in turn; who comes later asks again."""
    began, over = Event(), Event()

    def fail() -> None:
        began.set()
        assert over.wait(10)
        raise Retryable("away")

    panes = Panes(fail)
    reads = make(panes)(scope(("a",), "bin", "count"))
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(reads.inputs, EXTENT, "a", ("bin", "count"))
        assert began.wait(10)
        others = [pool.submit(reads.inputs, EXTENT, "a", ("bin", "count")) for _ in range(3)]
        sleep(0.2)  # they wait for the first
        over.set()
        for one in (first, *others):
            with pytest.raises(Retryable, match="away"):
                one.result(10)
    assert len(panes.asked) == 1
    with pytest.raises(Retryable):
        reads.inputs(EXTENT, "a", ("bin", "count"))
    assert len(panes.asked) == 2
