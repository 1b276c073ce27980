"""Counts, sums and moments of columns of many numbers are those of plain numpy, in one pane and in several."""

from __future__ import annotations

import numpy as np
import pytest

from core.block import Categories, Floats, Ints
from core.contract import Column, Kind
from detectors.summary import numeric_column
from detectors.summary.bins import edges, extremes, number_bins, tails
from detectors.summary.lookup import BLOCK, FEW
from detectors.summary.panes import PaneRows
from tests.detectors.nasty import NUMBERS


def _panes(rows: Ints) -> PaneRows:
    """Panes of which every one has rows: (n,)."""
    many = int(rows.max()) + 1
    name = Categories.of(["1"] * many)
    return PaneRows(np.arange(many), name, name, Categories.of(["all"] * many), rows[None], np.bincount(rows))


def _column(reference: Floats) -> Column:
    return Column(
        name="x", kind=Kind.NUMERIC, edges=edges(reference), tails=tails(reference), range=extremes(reference[: len(reference) // 2])
    )


def _agree(column: Column, panes: PaneRows, x: Floats) -> None:
    found, moments = numeric_column.summary(panes, column, x)
    place, of_pane = number_bins(column, x), panes.rows[0]
    for pane in range(len(panes)):
        cells = slice(found.offsets[pane], found.offsets[pane + 1])
        here, finite = of_pane == pane, (of_pane == pane) & np.isfinite(x)
        expected = np.bincount(place[here], minlength=column.bins)
        assert found.bin[cells].tolist() == np.flatnonzero(expected).tolist()
        assert found.count[cells].tolist() == expected[expected > 0].tolist()
        sums = np.array([x[finite & (place == bin_)].sum() for bin_ in found.bin[cells]])
        sizes = np.array([np.abs(x[finite & (place == bin_)]).sum() for bin_ in found.bin[cells]])
        assert (np.abs(found.sums[0][cells] - sums) <= 1e-13 * sizes).all()
        held = x[finite]
        low, high = column.tails or (-np.inf, np.inf)
        least, most = column.range or (-np.inf, np.inf)
        whole = {
            "below": (held < low).sum(),
            "above": (held > high).sum(),
            "outside": ((held < least) | (held > most)).sum(),
            "low": held.min(initial=np.inf),
            "high": held.max(initial=-np.inf),
        }
        assert {name: moments[name][pane] for name in whole} == whole
        with np.errstate(over="ignore"):
            square = ((held - column.middle) ** 2).sum()
        assert moments["square"][pane] == pytest.approx(square, rel=1e-12)
        assert moments["absolute"][pane] == pytest.approx(np.abs(held).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", sorted(NUMBERS))
def test_many_numbers(kind: str) -> None:
    """Of any kind, as the reference or moved; two blocks, of which the second has nulls and a value for invalid, and few rows of each."""
    rng = np.random.default_rng(5)
    column = _column(NUMBERS[kind](rng, 5_000))
    for now in (kind, "moved", "ties"):
        x = NUMBERS[now](rng, BLOCK + FEW)
        x[rng.integers(BLOCK, len(x), 100)] = np.nan
        x[-1] = np.inf
        for rows in (np.zeros(len(x), np.int64), rng.permutation(np.arange(len(x)) % 3)):
            _agree(column, _panes(rows), x)


@pytest.mark.parametrize("x", [[np.nan] * 3, [np.inf], [0.0], [-1.0, np.nan, 2.0, 2.0]])
def test_few_numbers(x: list[float]) -> None:
    """All null, all invalid, one value, values beyond."""
    for reference in (np.array([0.0, 1.0, 1.0, 2.0]), np.full(3, np.nan)):
        _agree(_column(reference), _panes(np.zeros(len(x), np.int64)), np.array(x))
        _agree(_column(reference), _panes(np.arange(len(x))), np.array(x))


def test_one_value_in_a_block_is_counted_without_a_passage() -> None:
    """A column that stands still, and one that begins to move in its second block."""
    still = np.full(BLOCK, 0.1)
    column = _column(np.random.default_rng(2).normal(size=5_000))
    for x in (still, np.concatenate([still, np.linspace(-3, 3, FEW)]), np.full(FEW, 7.0)):
        _agree(column, _panes(np.zeros(len(x), np.int64)), x)
