"""Categories that a reference has not seen: what it tells of them, against rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.block import Categories
from core.contract import Column
from detectors.drift.psi import SPEC
from detectors.evidence import Counts
from detectors.groups import groups
from detectors.spec import NoParams
from detectors.summary.bins import text_bins
from detectors.unseen import as_new, expecting, once
from monitors.reference.signal import binned

LEVELS, ROWS = 2_000, 3_000


def texts(rng: np.random.Generator, rows: int) -> list[str]:
    """Texts of which most are rare."""
    return [f"c{level:04}" for level in rng.integers(0, LEVELS, rows).tolist()]


def values(found: list[str]) -> Categories:
    """A column of texts."""
    every = sorted(set(found))
    place = {text: code for code, text in enumerate(every)}
    return Categories(np.array([place[text] for text in found], np.int32), every)


def counted(column: Column, found: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Rows by bin."""
    return np.bincount(text_bins(column, values(found)), minlength=column.bins).astype(np.float64)


def test_rows_that_are_the_only_ones_of_their_category_are_counted() -> None:
    """Also those among the categories that have no bin of their own."""
    rows = texts(np.random.default_rng(1), ROWS)
    column = binned("c", values(rows))
    every = counted(column, rows)
    assert len(column.others) > 0
    binned_into = groups(column, every)
    assert once(column, binned_into, every, every[None]) == pytest.approx(sum(count == 1 for count in Counter(rows).values()))
    assert once(column, binned_into, every, every[None] / 2) == pytest.approx(sum(count == 1 for count in Counter(rows).values()) / 2)


def test_few_categories_expect_no_new_one() -> None:
    """Where each is one of the nine largest."""
    rows = ["a"] * 50 + ["b"] * 30 + ["c"]
    column = binned("c", values(rows))
    every = counted(column, rows)
    assert once(column, groups(column, every), every, every[None]) is None


def test_as_many_rows_of_new_categories_are_expected_as_were_seen_once() -> None:
    """The rows are taken from the rare categories, and the sum stays."""
    rows = texts(np.random.default_rng(2), ROWS)
    column = binned("c", values(rows))
    every = counted(column, rows)
    binned_into = groups(column, every)
    side = Counts(every[None, None], column, binned_into, once=once(column, binned_into, every, every[None, None]))
    found = expecting(side).counts[0, 0]
    assert found.sum() == pytest.approx(ROWS)
    assert found[column.values + 1] == pytest.approx(sum(count == 1 for count in Counter(rows).values()))
    assert (found[binned_into < 9] == every[binned_into < 9]).all()


def test_new_categories_of_the_same_source_are_no_evidence_and_those_of_another_are() -> None:
    """The value stays that of the counts as they are."""
    rng = np.random.default_rng(3)
    rows = texts(rng, ROWS)
    column = binned("c", values(rows))
    every = counted(column, rows)
    binned_into = groups(column, every)
    windows = np.array([counted(column, texts(rng, 200)) for _ in range(200)])
    plain = Counts(every[None], column, binned_into)
    known = Counts(every[None], column, binned_into, once=once(column, binned_into, every, every[None]))
    without, found = (SPEC.compute(Counts(windows, column, binned_into), side, NoParams()) for side in (plain, known))
    assert (found.value == without.value).all()
    assert without.law is not None
    assert found.expected is not None
    assert without.law.statistic.mean() > 20  # every window would be evidence
    assert found.expected.statistic.mean() < 2.5
    moved = windows.copy()
    moved[:, column.values + 1] += 100  # rows of categories that are new indeed
    later = SPEC.compute(Counts(moved, column, binned_into), known, NoParams())
    assert later.expected is not None
    assert later.expected.statistic.mean() > 20


def test_windows_of_a_reference_are_grouped_by_the_others() -> None:
    """The groups of a window are those that the rest of the reference alone gives; few categories keep theirs."""
    rng = np.random.default_rng(4)
    parts = [texts(rng, 100) for _ in range(6)]
    rows = [text for part in parts for text in part]
    column = binned("c", values(rows))
    window = np.array([counted(column, part) for part in parts])[:, None]
    rest = counted(column, rows) - window
    binned_into = groups(column, counted(column, rows))
    sides = as_new(Counts(window, column, binned_into), Counts(rest, column, binned_into), 0)
    for place in range(len(parts)):
        assert (sides[0].groups[place, 0] == groups(column, rest[place, 0])).all()
        alone = [Counts(side[place], column, groups(column, rest[place, 0])) for side in (window, rest)]
        one = SPEC.compute(alone[0], alone[1], NoParams())
        assert SPEC.compute(*sides, NoParams()).value[place] == pytest.approx(one.value)
    few = binned("c", values(["a", "b"]))
    held = Counts(np.ones((3, 1, few.bins)), few, groups(few, np.ones(few.bins)))
    assert as_new(held, held, 0) == (held, held)
