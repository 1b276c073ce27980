"""What is read of the stream for windows of any shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.span import Spans
from monitors.evidence.extent import Extent

STEP = 10


@st.composite
def spans(draw: st.DrawFn, most: int = 8) -> Spans:
    """Spans that lie anyhow: side by side, over one another, begun together, far apart."""
    bound = st.integers(-30, 30) | st.integers(1_000, 1_010)
    pairs = draw(st.lists(st.tuples(bound, st.integers(1, 9)), min_size=1, max_size=most, unique=True))
    phase = draw(st.integers(0, STEP - 1))
    return Spans.of(sorted((start * STEP + phase, (start + length) * STEP + phase) for start, length in pairs))


@given(spans(), st.integers(0, 2**32))
def test_what_is_pooled_is_the_sum_over_the_span(windows: Spans, seed: int) -> None:
    """Of events at any times the counts of each span are those of its cells, whatever cells there are."""
    times = np.random.default_rng(seed).integers(-500, 10_500, 300)
    found = Extent.of(windows)
    counts = np.array([((times >= cell) & (times < cell + found.step)).sum() for cell in found.cells], np.float64)[:, None]
    each = [((times >= start) & (times < end)).sum() for start, end in windows.pairs()]
    assert found.pooled(counts, [windows])[:, 0].tolist() == each
    assert found.pooled(counts, [windows, windows])[:, 0].tolist() == [2 * count for count in each]


@given(spans(), spans())
def test_a_reading_serves_what_lies_in_it(one: Spans, other: Spans) -> None:
    """What covers another holds its cells; the ranges that are asked for hold every cell, and their cells begin at the phase."""
    both = Extent.of(one.join(other))
    assert all(both.covers(both.part(part)) for part in (one, other))
    assert all(any(low <= cell < high for low, high in both.runs) for cell in both.cells.tolist())
    assert {cell % both.step for cell in both.cells.tolist()} == {both.phase}


def test_cells_are_as_long_as_can_be() -> None:
    """Windows side by side are their own cells; sliding ones have those of their step."""
    day = 24 * STEP
    assert Extent.of(Spans.of([(0, day), (day, 2 * day)])).cells.tolist() == [0, day]
    sliding = Extent.of(Spans.of([(place * STEP, place * STEP + day) for place in range(3)]))
    assert (sliding.step, len(sliding.cells)) == (STEP, 26)
    assert Extent.of(Spans.of([(0, STEP), (1_000 * STEP, 1_001 * STEP)])).runs == [(0, STEP), (1_000 * STEP, 1_001 * STEP)]
