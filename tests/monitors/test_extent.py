"""What is read of the stream for windows of any shape."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.calendar import Calendar, Unit
from core.pane import cell_of
from core.span import Spans
from core.window.period import Period
from monitors.evidence.extent import Extent

STEP = 10


@st.composite
def spans(draw: st.DrawFn, most: int = 8) -> Spans:
    """Spans that lie anyhow: side by side, over one another, begun together, far apart."""
    bound = st.integers(-30, 30) | st.integers(1_000, 1_010) | st.sampled_from([-100_000, 100_000])
    pairs = draw(st.lists(st.tuples(bound, st.integers(1, 9) | st.integers(0, 200)), min_size=1, max_size=most, unique=True))
    pairs = [*pairs, (0, 1)]  # at least one that is not empty
    phase = draw(st.integers(0, STEP - 1))
    return Spans.of(sorted({(start * STEP + phase, (start + length) * STEP + phase) for start, length in pairs}))


@given(spans(), st.integers(0, 2**32))
def test_what_is_pooled_is_the_sum_over_the_span(windows: Spans, seed: int) -> None:
    """Of events at any times the counts of each span are those of its cells, whatever cells there are."""
    times = np.random.default_rng(seed).integers(-500, 10_500, 300)
    found = Extent.of(windows)
    cells = list(zip(found.cells.tolist(), found.ends.tolist(), strict=True))
    counts = np.array([((times >= start) & (times < end)).sum() for start, end in cells], np.float64)[:, None]
    each = [((times >= start) & (times < end)).sum() for start, end in windows.pairs()]
    assert found.pooled(counts, [windows])[:, 0].tolist() == each
    assert found.pooled(counts, [windows, windows])[:, 0].tolist() == [2 * count for count in each]
    assert found.counted(counts, [windows])[:, 0].tolist() == each
    assert found.counted(counts, [windows, windows])[:, 0].tolist() == [2 * count for count in each]
    lows = np.array([times[(times >= start) & (times < end)].min(initial=9_999) for start, end in cells], np.float64)[:, None]
    least = [times[(times >= start) & (times < end)].min(initial=9_999) for start, end in windows.pairs()]
    assert found.pooled(lows, [windows], np.minimum, 9_999)[:, 0].tolist() == least


@given(spans(), spans())
def test_a_reading_serves_what_lies_in_it(one: Spans, other: Spans) -> None:
    """What covers another holds its cells; the ranges that are asked for hold every cell, and their cells begin at the phase."""
    both = Extent.of(one.join(other))
    assert all(both.covers(both.part(part)) for part in (one, other))
    assert all(any(low <= cell < high for low, high in both.runs) for cell in both.cells.tolist())
    if both.bounds is None:
        assert {cell % both.step for cell in both.cells.tolist()} == {both.phase}
    asked = np.concatenate([np.arange(low, high, STEP) + part for low, high in both.runs for part in (0, STEP - 1)])
    starts = cell_of(asked, both.step, both.phase, both.bounds)
    of = np.searchsorted(both.cells, asked, "right") - 1
    inside = (of >= 0) & (asked < both.ends[of])
    assert (starts[inside] == both.cells[of[inside]]).all()
    assert not np.isin(starts[~inside], both.cells).any()


def test_cells_are_as_long_as_can_be() -> None:
    """Windows side by side are their own cells; sliding ones have those of their step."""
    day = 24 * STEP
    assert Extent.of(Spans.of([(0, day), (day, 2 * day)])).cells.tolist() == [0, day]
    sliding = Extent.of(Spans.of([(place * STEP, place * STEP + day) for place in range(3)]))
    assert (sliding.step, len(sliding.cells)) == (STEP, 26)
    assert Extent.of(Spans.of([(0, STEP), (1_000 * STEP, 1_001 * STEP)])).runs == [(0, STEP), (1_000 * STEP, 1_001 * STEP)]


def test_cells_are_of_any_length_where_windows_are() -> None:
    """Days of a zone in which clocks change are their own cells, and so is all the time before them."""
    days = Period(Unit.DAY, Calendar("America/New_York")).between(
        moment.parse("2024-01-01T05:00:00Z"), moment.parse("2024-12-31T05:00:00Z")
    )
    assert len(Extent.of(days).cells) == 366
    ever = Spans(np.full(3, moment.EARLIEST), days.start[100:103])
    assert len(Extent.of(ever.join(days.take(slice(100, 103)))).cells) == 4


def test_cells_of_windows_that_overlap_are_made_once() -> None:
    """A thousand windows to date take the memory of the longest, and not of all together."""
    windows = Spans.of([(0, (place + 1) * STEP) for place in range(1_000)])
    tracemalloc.start()
    try:
        found = Extent.of(windows).part(windows)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.cells.tolist() == list(range(0, 1_000 * STEP, STEP))
    assert most < 400_000  # 4,000,000 if each is cut
