"""What windows tell together of measures that are no means of rows: of few rows they are biased, and one of two sides may have far fewer than the other."""

from __future__ import annotations

import numpy as np

from core.block import Floats
from detectors.compare.difference import Bounds, DifferenceParams, bounds, verdicts
from detectors.compare.loss import row_loss
from detectors.compare.sums import Amounts, Standing, of_values, unpaired
from detectors.interval import Z

_WINDOWS, _LIVES, _ROWS = 500, 20, (400, 8)  # b is a canary


def never(standing: Standing) -> bool:
    """Whether no verdict is given in any life: both sides are the same."""
    found: Bounds = bounds(standing, DifferenceParams(of="x", detect=0.05), "", 1)
    return bool((verdicts(found, 0.0, np.ones(found.better.shape, np.bool_)) == "keep_waiting").all())


def _amounts(square: Floats) -> Amounts:
    mean = square.mean(-1)
    return Amounts(np.full(mean.shape, square.shape[-1] * 1.0), mean, ((square - mean[..., None]) ** 2).sum(-1))


def test_a_root_of_few_rows_is_no_gain() -> None:
    """The RMSE of 8 rows is too small by 3 %, and that of 400 is not."""
    rng, loss = np.random.default_rng(3), row_loss("performance.rmse", {})
    assert loss is not None
    a, b = (_amounts(rng.normal(size=(_WINDOWS, _LIVES, rows)) ** 2) for rows in _ROWS)
    standing = unpaired(a, b, loss.form)
    assert abs(standing.gain[-1]).max() < 0.05
    assert never(standing)


def test_a_distance_of_few_rows_is_no_loss() -> None:
    """A bias of 0 is far from 0 by chance, the further the fewer rows there are."""
    rng = np.random.default_rng(4)
    a, b = (rng.normal(size=(_WINDOWS, _LIVES)) / np.sqrt(rows) for rows in _ROWS)
    widths = np.full(a.shape, (2 * Z) ** 2 * sum(1 / rows for rows in _ROWS))
    n_a, n_b = (np.full(a.shape, rows * 1.0) for rows in _ROWS)
    gain = np.abs(a) - np.abs(b)
    assert never(of_values(gain, widths, n_a, n_b, (a, b)))
    assert not never(of_values(gain, widths, n_a, n_b))
