"""Windows are evaluated when they close, and again when something changes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.baseline.fixed import Fixed
from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.prior import Prior
from core.calendar import Unit
from core.monitor import Monitor
from core.span import Spans
from core.window.to_date import ToDate
from core.window.tumbling import Tumbling
from monitors.evaluation import changes, plan
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
    assert starts(changes.due(monitor(), found, NONE, windows(0, 10))) == [20]
    assert starts(changes.due(monitor(), found, np.array([5]), found)) == [0]


def test_the_window_after_a_touched_one_is_due_where_it_is_its_baseline() -> None:
    """With `previous` a late event changes two windows."""
    found = windows(0, 10, 20, 30)
    assert starts(changes.due(monitor(Previous()), found, np.array([15]), found)) == [10, 20]


def test_the_window_that_a_baseline_lies_before_is_due_with_it() -> None:
    """With `prior` a late event changes its own window, and the one so much later."""
    found = windows(*range(0, 60, 10))
    assert starts(changes.due(monitor(Prior(30)), found, np.array([15]), found)) == [10, 40]


def test_windows_before_what_was_touched_keep_their_baselines_except_a_fixed_one() -> None:
    """A fixed baseline may lie after its window."""
    found = windows(*range(0, 60, 10))
    assert starts(changes.due(monitor(Previous(2)), found, np.array([45]), found)) == [40, 50]
    assert starts(changes.due(monitor(Fixed(40, 50)), found, np.array([45]), found)) == [0, 10, 20, 30, 40, 50]
    assert starts(changes.due(monitor(Fixed(40, 50)), found, NONE, found)) == []


@given(
    st.lists(st.integers(0, 30), max_size=8, unique=True).map(sorted),
    st.lists(st.integers(0, 30), max_size=8, unique=True).map(sorted),
    st.integers(0, 30),
    st.integers(1, 20),
)
def test_all_baselines_in_which_the_first_event_moved_are_due(before: list[int], after: list[int], start: int, length: int) -> None:
    """Whichever slots came and went: the part of a baseline from the first event on is as long as it was for all others."""
    part, touched = Spans.of([(start, start + length)]), np.array(sorted({*before} ^ {*after}), np.int64)

    def covered(slots: list[int]) -> int:
        return max(0, start + length - max(start, slots[0])) if slots else 0

    if before and after and covered(before) != covered(after):
        assert changes.since_first((part,), np.array(after), touched).tolist() == [True]
    assert changes.since_first((part,), np.array([5, 9]), np.array([9])).tolist() == [False]
    assert changes.since_first((part,), np.array(after, np.int64), NONE).tolist() == [False]


@pytest.mark.parametrize("unit", [Unit.MONTH, Unit.YEAR])
def test_windows_to_date_before_a_long_gap_are_there_to_the_end_of_their_period(unit: Unit) -> None:
    """All of them hold the last event; of the empty ones after them only the first exists."""
    window = ToDate(unit)
    times = [moment.parse(f"{day}T12:00:00Z") for day in ("2015-03-04", "2019-03-04")]
    found = plan.existing(window, np.array(times), 1 << 62, live=False)
    every = window.between(times[0], times[1])
    held = every.take(every.holding(np.array(times)))
    assert held.isin(found).all()
    assert (~found.isin(held)).sum() == 1


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
