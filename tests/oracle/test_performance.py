"""The measures that the oracle computes itself, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, mean_absolute_error, mean_squared_error, roc_auc_score

from tests.oracle.performance import Labelled, f1, measure, roc_auc


@pytest.mark.parametrize("seed", range(40))
def test_f1_and_auc_are_those_of_scikit_learn(seed: int) -> None:
    """Groups of any size and balance, scores with many ties and with none."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2, 400))
    label = rng.random(rows) < rng.choice([0.02, 0.2, 0.5, 0.97])
    label[:2] = (True, False)
    score = rng.random(rows).round(1 + seed % 2 * 14)
    assert f1(label, score > 0.5) == pytest.approx(f1_score(label, score > 0.5), abs=1e-14)
    assert f1(label, ~label) == f1_score(label, ~label) == 0
    assert roc_auc(label, score) == pytest.approx(roc_auc_score(label, score), abs=1e-13)


def test_f1_of_nothing_positive_is_none() -> None:
    """Where scikit-learn says 0 and warns."""
    nothing = np.zeros(3, np.bool_)
    assert f1(nothing, nothing) is None


@pytest.mark.parametrize("seed", range(10))
def test_errors_are_those_of_scikit_learn(seed: int) -> None:
    """Mean absolute error, and the root of the mean squared one."""
    rng = np.random.default_rng(seed)
    rows = Labelled(rng.normal(0, 30, seed + 1), rng.normal(5, 30, seed + 1), {})
    wanted = [mean_absolute_error(rows.label, rows.prediction), mean_squared_error(rows.label, rows.prediction) ** 0.5]
    assert [measure(name, rows, {}, positive=None)[0].value for name in ("mae", "rmse")] == pytest.approx(wanted, rel=1e-14)
