"""Windows are evaluated when they close, and again when something changes them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.monitor import Monitor
from monitors import plan

NONE = np.zeros(0, np.int64)


def monitor(baseline: str | None = None) -> Monitor:
    return Monitor(name="w", model="m", measure="drift.psi", window=10, baseline=baseline)


def test_new_windows_are_due_once() -> None:
    """A window that is done and untouched is not due."""
    windows = plan.existing(monitor(), np.array([0, 5, 20]), 100, live=False)
    assert windows.tolist() == [0, 10, 20]
    assert plan.due(monitor(), windows, NONE, np.array([0, 10])).tolist() == [20]
    assert plan.due(monitor(), windows, np.array([5]), windows).tolist() == [0]


def test_the_window_after_a_touched_one_is_due_where_it_is_its_baseline() -> None:
    """With `previous` a late event changes two windows."""
    windows = np.array([0, 10, 20, 30])
    assert plan.due(monitor("previous"), windows, np.array([15]), windows).tolist() == [10, 20]


def test_only_a_live_model_has_windows_after_its_last_event() -> None:
    """Silence of a live model is read as no data; a replayed past has an end."""
    slots = np.array([0])
    assert plan.existing(monitor(), slots, 35, live=False).tolist() == [0]
    assert plan.existing(monitor(), slots, 35, live=True).tolist() == [0, 10, 20]


@given(st.lists(st.integers(0, 500), max_size=60, unique=True), st.integers(1, 9))
def test_chunks_hold_every_window_once(numbers: list[int], most: int) -> None:
    """Cutting into runs loses no window and keeps the order."""
    windows = np.array(sorted(numbers), np.int64) * 10
    parts = plan.chunks(windows, 10, most)
    assert [start for part in parts for start in part.tolist()] == windows.tolist()
    assert all(0 < len(part) <= most for part in parts)
