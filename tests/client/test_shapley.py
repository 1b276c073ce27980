"""Attributions by SHAP: what is asked of the library, and what is done where it is not installed. The library itself is no dependency; its double has the parts that are called."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from core.block import Floats
from core.error import ConfigError
from watchkeeper.shapley import installed, shapley


class _Permutation:
    """`shap.explainers.Permutation`: here each feature alone against the background, which is exact for a sum of features."""

    def __init__(self, model: Any, masker: Floats, *, seed: int) -> None:
        self._model, self._masker = model, masker

    def __call__(self, rows: Floats, *, max_evals: int, silent: bool) -> Any:
        assert max_evals >= 2 * rows.shape[1] + 1
        assert silent
        found = np.zeros(rows.shape)
        for row, feature in np.ndindex(rows.shape):
            hidden = np.tile(rows[row], (len(self._masker), 1))
            hidden[:, feature] = self._masker[:, feature]
            found[row, feature] = (self._model(rows[[row]]) - self._model(hidden).mean()).item()
        return SimpleNamespace(values=found)


@pytest.fixture
def shap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The double in place of the library."""
    double: Any = ModuleType("shap")
    double.__spec__ = SimpleNamespace()
    double.explainers = SimpleNamespace(Permutation=_Permutation)
    double.maskers = SimpleNamespace(Independent=lambda rows, max_samples: rows[:max_samples])
    monkeypatch.setitem(sys.modules, "shap", double)


def _score(rows: list[dict[str, Any]]) -> Floats:
    return np.array([3 * row["x"] + (row["c"] == "b") for row in rows], np.float64)


@pytest.mark.usefixtures("shap")
def test_values_of_any_kind_are_explained() -> None:
    """Texts and nulls, too: the library gets their places, and the model the values."""
    rng = np.random.default_rng(3)
    rows = [{"x": float(rng.normal()), "c": "ab"[place % 2], "z": None} for place in range(60)]
    found = shapley(_score, rows)
    x, c = np.array([row["x"] for row in rows]), np.array([row["c"] == "b" for row in rows])
    assert found == pytest.approx(np.stack([3 * (x - x.mean()), c - c.mean(), np.zeros(60)], axis=1))


def test_a_library_that_is_not_installed_is_told() -> None:
    """With what to do; nothing of Watchkeeper needs it."""
    assert not installed()
    with pytest.raises(ConfigError, match="pip install shap"):
        shapley(_score, [{"x": 1.0, "c": "a"}] * 2)
