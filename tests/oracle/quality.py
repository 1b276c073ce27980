"""Measures of quality of the whole model, from the rows of one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.oracle.column import Value, wilson

MEASURES = ("quality.label_coverage", "quality.label_delay")
_MILLISECOND, _SECOND = 1_000, 1_000_000


def label_coverage(labelled: npt.NDArray[np.bool_]) -> tuple[Value, int]:
    """The share of rows that are labelled, and how many rows there are."""
    n, known = len(labelled), int(labelled.sum())
    return (Value(known / n, *wilson(known, n)) if n else Value(None)), n


def label_delay(delays: npt.NDArray[np.int64], params: Mapping[str, Any]) -> tuple[Value, int]:
    """A quantile of delays in microseconds: the mean, in seconds, of the delays that share its bin, whose ends are powers of 1.02 milliseconds."""
    if not len(delays):
        return Value(None), 0
    waited = np.maximum(delays, 0)
    bins = np.ceil(np.log(np.maximum(waited, _MILLISECOND) / _MILLISECOND) / np.log(1.02))
    held = bins[np.argsort(waited, kind="stable")][max(int(np.ceil(params.get("q", 0.5) * len(waited))), 1) - 1]
    return Value(float(np.mean(waited[bins == held])) / _SECOND), len(waited)
