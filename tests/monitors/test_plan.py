"""Windows are evaluated when they close, and again when something changes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.prior import Prior
from core.monitor import Monitor
from core.span import Spans
from core.window.tumbling import Tumbling
from monitors.evaluation import plan
from monitors.evaluation.plan import LONGEST_GAP
from monitors.evaluation.watched import finer

NONE = np.zeros(0, np.int64)
TENS = Tumbling(10)


def monitor(baseline: Baseline | None = None) -> Monitor:
    return Monitor(name="w", model="m", measure="drift.psi", window=TENS, baseline=baseline)


def windows(*starts: int) -> Spans:
    """Windows of length 10."""
    return Spans.of([(start, start + 10) for start in starts])


def starts(found: Spans) -> list[int]:
    """Their starts, after a look at their ends."""
    assert (found.end == found.start + 10).all()
    return [int(start) for start in found.start]


def test_new_windows_are_due_once() -> None:
    """A window that is done and untouched is not due."""
    found = plan.existing(TENS, np.array([0, 5, 20]), 100, live=False)
    assert starts(found) == [0, 10, 20]
    assert starts(plan.due(monitor(), found, NONE, windows(0, 10))) == [20]
    assert starts(plan.due(monitor(), found, np.array([5]), found)) == [0]


def test_the_window_after_a_touched_one_is_due_where_it_is_its_baseline() -> None:
    """With `previous` a late event changes two windows."""
    found = windows(0, 10, 20, 30)
    assert starts(plan.due(monitor(Previous()), found, np.array([15]), found)) == [10, 20]


def test_the_window_that_a_baseline_lies_before_is_due_with_it() -> None:
    """With `prior` a late event changes its own window, and the one so much later."""
    found = windows(*range(0, 60, 10))
    assert starts(plan.due(monitor(Prior(30)), found, np.array([15]), found)) == [10, 40]


def test_only_a_live_model_has_windows_after_its_last_event() -> None:
    """Silence of a live model is read as no data; a replayed past has an end."""
    assert starts(plan.existing(TENS, np.array([0]), 35, live=False)) == [0]
    assert starts(plan.existing(TENS, np.array([0]), 35, live=True)) == [0, 10, 20]
    assert len(plan.existing(TENS, np.array([0]), 10**6, live=True)) == LONGEST_GAP + 1


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8, unique=True), st.integers(0, 70))
def test_short_gaps_are_filled(occupied: list[int], until: int) -> None:
    """Every window between the first and the last exists as soon as it has closed."""
    found = plan.existing(TENS, np.array(sorted(occupied)) * 10, until * 10, live=False)
    assert starts(found) == [start * 10 for start in range(min(occupied), max(occupied) + 1) if start + 1 <= until]


@pytest.mark.parametrize("far", [1, 2, 10**9])
@pytest.mark.parametrize(("gap", "expected"), [(LONGEST_GAP, LONGEST_GAP), (LONGEST_GAP + 1, 1)])
def test_of_a_long_gap_only_the_first_exists(gap: int, expected: int, far: int) -> None:
    """A thousand empty windows in a row are all there, of one more or a billion more only the first."""
    gap = gap if gap == LONGEST_GAP else gap * far
    found = plan.existing(Tumbling(1), np.array([0, gap + 1, gap + 2]), 10**15, live=False)
    assert len(found) == expected + 3
    assert found.pairs()[1] == (1, 2)


@given(st.lists(st.integers(0, 500), max_size=60, unique=True), st.integers(1, 9))
def test_chunks_hold_every_window_once(numbers: list[int], most: int) -> None:
    """Cutting into runs loses no window and keeps the order."""
    found = windows(*(10 * number for number in sorted(numbers)))
    parts = plan.chunks(found, most)
    assert [start for part in parts for start in starts(part)] == found.start.tolist()
    assert all(0 < len(part) <= most for part in parts)


pairs = st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=12)


@given(pairs, pairs, st.lists(st.integers(-25, 35)))
def test_spans_are_sets_of_pairs(ours: list[tuple[int, int]], theirs: list[tuple[int, int]], times: list[int]) -> None:
    """Found, joined and held as pairs are, those that begin together among them."""
    one, other = Spans.of(sorted(set(ours))), Spans.of(sorted(set(theirs)))
    assert one.isin(other).tolist() == [pair in theirs for pair in one.pairs()]
    assert one.find(Spans.of(theirs)).tolist() == [one.pairs().index(pair) if pair in ours else -1 for pair in theirs]
    assert one.join(other).pairs() == sorted({*ours, *theirs})
    held = one.holding(np.array(sorted(times), np.int64))
    assert held.tolist() == [any(start <= time < end for time in times) for start, end in one.pairs()]


def test_windows_that_need_many_others_are_evaluated_in_finer_parts() -> None:
    """All of them once and in order, so that no more evidence is held than of windows that need seven."""
    assert finer([slice(0, 400)], 7) == [slice(0, 400)]
    assert finer([slice(0, 0)], 99) == [slice(0, 0)]
    parts = finer([slice(0, 10), slice(10, 25)], 28)
    assert [place for part in parts for place in range(part.start, part.stop)] == list(range(25))
    assert max(part.stop - part.start for part in parts) == 3
