"""Errors of a regression before its labels, by the trees of the product on the rows of a public data set, beside those that NannyML has published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

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
SMALL = 5_000  # rows: of a smaller reference other trees tell other things


class Estimate(NamedTuple):
    """Our estimate for a chunk and the published one, how far they may be apart, and why they may be further apart."""

    measure: str
    ours: float
    theirs: float
    allowed: float
    why: str


def compared(data: Data, results: Mapping[str, Any]) -> Iterator[Estimate]:
    """The estimates of each chunk of production: the mean of what the trees of each fold of the reference expect of all rows of the chunk.

    They may be apart by 2 %, or by the sampling error that the peer states. Of a small reference they may be further apart if ours are nearer to the errors that labels showed.
    """
    listed = results.get("nannyml_performance", {}).get("dle_estimated", [])
    if not listed:
        return
    x, said = _rows(data)
    label = np.asarray(data.table[data.about.get("target", "label")].to_numpy(), np.float64)
    reference = data.places("reference")
    fold = folds(np.array([str(place) for place in reference.tolist()], object), FOLDS)
    for name, error in (("mae", np.abs(said - label)), ("rmse", (said - label) ** 2)):
        known = dle.known(x[reference], error[reference], fold)
        ours, theirs, shown, allowed = [], [], [], []
        for chunk in results["chunks"]:
            published, realised = (_of(results["nannyml_performance"][listing], chunk) for listing in ("dle_estimated", "realized"))
            if chunk["set"] == "production" and name in published and name in realised:
                mean = float(dle.expected(known, x[chunk["start"] : chunk["end"]]).each.mean())
                ours.append(mean if name == "mae" else mean**0.5)
                theirs.append(float(published[name]["value"]))
                shown.append(float(realised[name]["value"]))
                allowed.append(max(ALLOWED * theirs[-1], float(published[name]["sampling_error"])))
        mine, other = (float(np.mean(np.abs(np.subtract(side, shown)))) for side in (ours, theirs))
        why = f"other trees on a reference of {len(reference)} rows; ours are off by {mine:.3g} on average, the peer's by {other:.3g}"
        for one in zip(ours, theirs, allowed, strict=True):
            yield Estimate(f"performance.estimated_{name}", *one, why if len(reference) < SMALL and mine <= other else "")


def _of(listed: Sequence[Mapping[str, Any]], chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry of a list for a chunk; nothing if there is none."""
    return next((one for one in listed if (one["set"], one["index"]) == (chunk["set"], chunk["index"])), {})


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
