"""Signals of the rows of a file, as its events would give them (docs/signals.md)."""

from __future__ import annotations

from functools import reduce

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import entr

from tests.oracle import text, vector
from tests.oracle.spec import Spec
from tests.oracle.value import INVALID, NULL, numbers, texts

Numbers = npt.NDArray[np.float64]

TEXTS = ("@status", "@caller")
LATENCY = np.array([float(f"{0.01 * (1.01 / 0.99) ** step:.9g}") for step in range(987)])
STATUSES = ("ok", "error")


def fixed_edges(name: str, features: int) -> Numbers | None:
    """The edges of a signal whose bins do not come from the reference."""
    return {"@latency_ms": LATENCY, "@outside": np.arange(1.0, min(features, 50) + 1)}.get(name)


def text_values(frame: pd.DataFrame, spec: Spec, name: str) -> npt.NDArray[np.object_]:
    """A categorical signal."""
    column = {"@status": spec.status, "@caller": spec.caller}[name]
    if column not in frame:
        return np.full(len(frame), NULL, object)
    found = texts(frame[column])
    return np.where(np.isin(found, [*STATUSES, NULL]), found, INVALID) if name == "@status" else found


def number_values(frame: pd.DataFrame, reference: pd.DataFrame, spec: Spec, name: str) -> Numbers:
    """A numeric signal; NaN is null, infinity invalid."""
    if name == "@outside":
        return _outside(frame, reference, spec)
    if name == "@interval_width":
        lower, upper = (numbers(frame[bound]) for bound in spec.interval[:2])
        return np.where(np.isinf(lower) | np.isinf(upper) | (lower > upper), np.inf, upper - lower)
    if name == "@set_size":
        return np.array([np.nan if members is None else len(members) for members in frame[spec.prediction_set]], np.float64)
    if name == "@ensemble_std":
        members = frame[[column for column in frame if str(column).startswith(str(spec.ensemble_prefix))]]
        return np.asarray(members.astype(float).std(axis=1, ddof=0), np.float64)
    if name == "@latency_ms":
        latency = numbers(frame[spec.latency])
        return np.where(latency < 0, np.inf, latency)
    if name.startswith("@attribution:"):
        return numbers(frame[f"{spec.attribution_prefix}{name.partition(':')[2]}"])
    if name.startswith("@text:"):
        column, _, statistic = name.removeprefix("@text:").rpartition(":")
        return text.statistic(frame[column], statistic)
    if name.startswith("@vector:"):
        return _of_vectors(frame, reference, spec, *name.removeprefix("@vector:").rsplit(":", 1))
    return _of_scores(frame, spec, name)


def _of_scores(frame: pd.DataFrame, spec: Spec, name: str) -> Numbers:
    """Confidence, entropy or margin of a binary model's scores."""
    assert spec.task == "binary", name
    score = numbers(frame[spec.score])
    score = np.where(np.isfinite(score), score, np.nan)
    pair = pd.DataFrame({"p": score, "q": 1 - score})
    found = {
        "@confidence": pair.max(axis=1, skipna=False),
        "@margin": pair.max(axis=1, skipna=False) - pair.min(axis=1, skipna=False),
        "@entropy": entr(pair["p"]) + entr(pair["q"]),
    }[name]
    return np.where((score < 0) | (score > 1), np.inf, np.asarray(found.round(12), np.float64))


def _of_vectors(frame: pd.DataFrame, reference: pd.DataFrame, spec: Spec, column: str, statistic: str) -> Numbers:
    """A statistic of vectors: null and invalid where they are."""
    known, rows = (
        vector.Profile(vector.vectors(reference[column], spec.vectors[column])),
        vector.vectors(frame[column], spec.vectors[column]),
    )
    found, good = np.where(frame[column].isna(), np.nan, np.inf), np.isfinite(rows).all(1)
    found[good] = known.statistic(rows[good], statistic)
    return found


def _outside(frame: pd.DataFrame, reference: pd.DataFrame, spec: Spec) -> Numbers:
    """How many features of each row the reference does not reach."""

    def strange(name: str) -> npt.NDArray[np.bool_]:
        here, there = frame[name] if name in frame else pd.Series([None] * len(frame)), reference[name]
        if pd.api.types.is_numeric_dtype(there.dtype) and not pd.api.types.is_bool_dtype(there.dtype) and name not in spec.texts:
            x, known = numbers(here), numbers(there)
            known = known[np.isfinite(known)]
            return np.asarray(np.isfinite(x) & ((x < known.min()) | (x > known.max())), np.bool_)
        return np.asarray(~np.isin(texts(here), [*set(texts(there)), NULL, INVALID]), np.bool_)

    return reduce(
        np.add, (strange(name).astype(np.float64) for name in spec.watched(reference) if name not in spec.text and name not in spec.vectors)
    )
