"""Errors of a regression before its labels, by the trees of the product on the rows of a public data set, beside those that NannyML has published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.block import Categories, Floats
from core.contract import PREDICTION
from core.draw import folds
from detectors.performance import dle
from detectors.sample import FOLDS
from monitors.evidence.sampled import places_among
from validation.public import Data
from validation.world import Values

ALLOWED = 0.02  # of the published value


def compared(data: Data, results: Mapping[str, Any]) -> Iterator[tuple[str, float, float]]:
    """The measure, our estimate and the published one, of each chunk of production: the mean of what the trees of each fold of the reference expect of all rows of the chunk."""
    listed = results.get("nannyml_performance", {}).get("dle_estimated", [])
    if not listed:
        return
    x, said = _rows(data)
    label = np.asarray(data.table[data.about.get("target", "label")].to_numpy(), np.float64)
    reference = data.places("reference")
    fold = folds(np.array([str(place) for place in reference.tolist()], object), FOLDS)
    for name, error in (("mae", np.abs(said - label)), ("rmse", (said - label) ** 2)):
        known = dle.known(x[reference], error[reference], fold)
        for chunk in results["chunks"]:
            theirs = next((one for one in listed if (one["set"], one["index"]) == (chunk["set"], chunk["index"])), None)
            if chunk["set"] == "production" and theirs is not None and name in theirs:
                mean = float(dle.expected(known, x[chunk["start"] : chunk["end"]]).each.mean())
                yield f"performance.estimated_{name}", mean if name == "mae" else mean**0.5, float(theirs[name]["value"])


def _rows(data: Data) -> tuple[Floats, Floats]:
    """What trees see of each row, (rows, columns), and the predictions: numbers by their place among those of the reference, and codes of categories."""
    columns, reference = data.columns(), data.places("reference")

    def seen(values: Values) -> Floats:
        if isinstance(values, Categories):
            return values.codes.astype(np.float64)
        known = values[reference]
        return places_among(values, np.unique(known[~np.isnan(known)]))

    said = columns[PREDICTION]
    return np.column_stack([seen(values) for values in columns.values()]), np.asarray(said, np.float64)
