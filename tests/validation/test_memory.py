"""What validation adds to the product's code: panes in memory, windows as draws, the usual rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from core.block import Categories
from core.contract import PREDICTION
from validation import conformance, public, rule
from validation.replicate import resampled
from validation.stream import Draw, Multiplicities, Rows, cells, drawn, levels, sparse
from validation.world import Binned, default_watch


def pooled(draw: Draw) -> list[int]:
    """The rows of all windows."""
    return [row for window in range(draw.windows) for row in listed(draw, window)]


def listed(draw: Draw, window: int) -> list[int]:
    """The rows of a window, some more than once."""
    if isinstance(draw, Rows):
        return sorted(draw.index[draw.window == window].tolist())
    return np.repeat(np.arange(draw.times.shape[1]), draw.times[window]).tolist()


@pytest.mark.parametrize("n", [300, 5_000])
def test_panes_count_the_rows_of_each_window(n: int) -> None:
    """By bin, and beyond the tails; also where windows are given by how often each row is in them."""
    population = sparse(np.random.default_rng(1), 1_000)
    draw = drawn(population, np.arange(3), n, np.random.default_rng(2))
    assert isinstance(draw, Multiplicities if n > 1_000 else Rows)
    binned = Binned.of(population.columns, np.arange(len(population)), n)
    found = cells(binned, draw)
    for column in binned.contract.summarised:
        values = population.columns[column.name]
        assert not isinstance(values, Categories)
        assert column.tails is not None
        for window in range(3):
            mine = values[listed(draw, window)]
            assert len(mine) == n == found[column.name].counts[window].sum()
            assert found[column.name].counts[window, column.null] == np.isnan(mine).sum()
            assert found[column.name].above[window] == (mine > column.tails[1]).sum()
            assert found[column.name].below[window] == (mine < column.tails[0]).sum()


def test_the_usual_rules_are_scipys() -> None:
    """Kolmogorov-Smirnov of the finite numbers, chi-square of the categories that either side has."""
    rng = np.random.default_rng(3)
    population = levels(rng, 2_000)
    draw = drawn(population, np.arange(4), 400, rng)
    reference, windows = draw.take(0, 3), draw.take(3, 4)
    found = rule.p_values(population.columns, reference, windows)[0]
    for name, p in zip(population.columns, found, strict=True):
        values = population.columns[name]
        if isinstance(values, Categories):
            table = np.array([np.bincount(values.codes[pooled(side)], minlength=1_000) for side in (reference, windows)])
            expected = stats.chi2_contingency(table[:, table.sum(0) > 0], correction=False).pvalue
        else:
            one, other = (values[pooled(side)] for side in (reference, windows))
            expected = stats.ks_2samp(one, other, method="asymp").pvalue
        assert p == pytest.approx(expected, abs=0.02 if name == PREDICTION else 1e-9)


def test_the_default_watch_is_evaluated_over_windows_in_memory() -> None:
    """A reading for each window and column; a column that becomes null alarms, and nothing else does."""
    one = resampled(sparse(np.random.default_rng(4), 2_000), 500).replicate(np.random.default_rng(5), 3)
    world = one.world()
    frames = [world.frame(monitor) for monitor in default_watch(world.model.contract)]
    assert {frame.monitor.measure for frame in frames} == {"drift.psi", "quality.null_rate", "drift.tail_share"}
    assert {frame.value.shape for frame in frames} == {(3, 11, 1)}
    assert all((frame.n_target == 500).all() for frame in frames)


def test_without_data_conformance_says_so_and_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout has no public data beside it."""
    monkeypatch.setattr(public, "FOLDER", tmp_path)
    conformance.main()
    assert f"{tmp_path / 'reference_results.json'} does not exist" in capsys.readouterr().out
