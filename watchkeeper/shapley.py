"""Attributions by SHAP, where that library is installed beside Watchkeeper, which does not depend on it."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from core.block import Floats
from core.error import ConfigError

Row = Mapping[str, Any]

_BACKGROUND = 100  # rows that stand for an unknown value


def installed() -> bool:
    """Whether the library is there."""
    return importlib.util.find_spec("shap") is not None


def shapley(outputs: Callable[[list[dict[str, Any]]], Floats], rows: Sequence[Row], repeats: int = 5, seed: int = 0) -> Floats:
    """Shapley values of each feature for each prediction, estimated by permutations (Lundberg and Lee 2017; `shap.explainers.Permutation`): (rows, features), features in the order of the first row. Up to 100 of the rows stand for unknown values.

    SHAP takes numbers: a row is given to it as the places of its values among those of the rows, and turned back before `outputs` gives a number for each row. ConfigError if the library is not installed.
    """
    if not installed():
        raise ConfigError("`--method shap` needs the library shap", remedy="pip install shap, or leave `--method` out")
    shap = importlib.import_module("shap")
    features = list(rows[0])
    places = np.tile(np.arange(len(rows), dtype=np.float64)[:, None], (1, len(features)))

    def of_places(matrix: Floats) -> Floats:
        taken = np.asarray(matrix).astype(np.int64).tolist()
        return outputs([{feature: rows[at][feature] for feature, at in zip(features, one, strict=True)} for one in taken])

    drawn = np.random.default_rng(seed).permutation(len(rows))[:_BACKGROUND]
    explainer = shap.explainers.Permutation(of_places, shap.maskers.Independent(places[drawn], max_samples=_BACKGROUND), seed=seed)
    found = explainer(places, max_evals=repeats * (2 * len(features) + 1), silent=True)
    return np.asarray(found.values, np.float64)
