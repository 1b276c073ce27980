"""Rows of the sides of a comparison, and their pairs."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from core.block import Ints
from core.contract import Contract, Task
from core.span import Spans
from monitors.evidence.history import History
from monitors.evidence.kept import Kept
from monitors.evidence.pairs import SideRows, _matched, _ordered
from monitors.evidence.reads import Reads, Scope
from monitors.model import Model
from tests.monitors import outcomes


@pytest.mark.parametrize("times", [1, 3, 10_000])
@pytest.mark.parametrize("rows", [0, 1, 200])
def test_rows_are_ordered_by_time_and_id(rows: int, times: int) -> None:
    """Of one time by id, whatever the order in which they came."""
    rng = np.random.default_rng(1)
    ts, ids = rng.integers(0, times, rows), np.array([*(f"r{place}" for place in rng.permutation(rows)), None], object)[:-1]
    expected = sorted(range(rows), key=lambda place: (ts[place], ids[place]))
    assert _ordered(ts, ids).tolist() == expected


def _side(name: str, *keys: str) -> SideRows:
    nothing, size = np.zeros(0, np.int64), len(keys)
    ids = np.array([*(f"{name}{place}" for place in range(size)), None], object)[:-1]
    return SideRows(np.arange(size), np.zeros(size), ids, ids, np.array([*keys, None], object)[:-1], {}, nothing)


def test_rows_of_a_request_go_together_within_two_windows_that_follow_each_other() -> None:
    """Of each side the first there counts, and a request whose pair was in the window before is none again."""
    a, b = _side("a", "near", "late", "far", "twice", "twice", "same", ""), _side("b", "near", "late", "far", "twice", "twice", "same", "")
    ranks = np.array([0, 0, 0, 0, 1, 0, 0]), np.array([0, 1, 2, 0, 1, 0, 0])
    assert sorted(_matched(a, b, ranks)) == [(0, 0), (1, 1), (3, 3), (5, 5)]
    again = np.array([1, 1, 1, 1, 1, 1, 1]), np.array([0, 1, 0, 1, 1, 1, 1])
    assert sorted(_matched(a, b, again)) == [(0, 0), (1, 1), (2, 2), (3, 3), (5, 5)]
    assert _matched(a, a, (ranks[0], ranks[0])) == []


def test_what_was_made_of_a_window_is_kept_while_its_rows_stay_the_same() -> None:
    """Others are made again, all at once; of many the last used stay."""
    kept, asked = Kept(3), list[list[int]]()

    def made(missing: list[int]) -> list[int]:
        asked.append(missing)
        return [10 * place + len(asked) for place in missing]

    windows = [(0, 1), (1, 2), (2, 3)]
    assert kept(("a",), windows, [1, 1, 1], made) == [1, 11, 21]
    assert kept(("a",), windows, [1, 2, 1], made) == [1, 12, 21]
    assert kept(("b",), windows[:1], [1], made) == [3]
    assert kept(("a",), windows, [1, 2, 1], made) == [4, 12, 21]
    assert asked == [[0, 1, 2], [1], [0], [0]]


def test_comparisons_of_a_step_share_the_scan_of_their_rows() -> None:
    """It is asked for once, and each has the sums of its own."""
    contract, asked = outcomes.contract(Task.BINARY, "0", "1"), list[int]()

    class Scanned(History):
        def traces(self, _contract: Contract) -> tuple[Ints, Ints]:
            asked.append(1)
            return np.array([0]), np.array([[5]])

    history, scope = Scanned(cast("Any", None), cast("Any", None)), Scope(Model(contract, None), ("all",), ("",), ())
    step, *own = (Reads(cast("Any", None), history, cast("Any", None), scope) for _ in range(3))
    for number, reads in enumerate(own):
        reads.marked_as(step)
        assert reads.of_windows((number,), Spans.of([(0, 1)]), lambda missing: [7] * len(missing)) == [7]
    assert asked == [1]


def test_what_is_kept_is_counted_by_its_size() -> None:
    """A large one takes the place of many; one that is made again is counted once."""
    kept, asked = Kept(5), list[int]()

    def made(missing: list[int]) -> list[int]:
        asked.extend(missing)
        return missing

    for mark in range(4):
        kept(("wide",), [(0, 1)], [mark], made, 3)
    kept(("narrow",), [(0, 1), (1, 2)], [1, 1], made)
    kept(("wide",), [(0, 1)], [3], made, 3)
    assert asked == [0, 0, 0, 0, 0, 1]
    kept(("narrow",), [(2, 3)], [1], made)
    kept(("wide",), [(0, 1)], [3], made, 3)
    assert asked[6:] == [0]
    kept(("narrow",), [(0, 1)], [1], made)
    assert asked[7:] == [0]
