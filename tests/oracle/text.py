"""Text columns and their statistics, value by value (docs/signals.md)."""

from __future__ import annotations

import unicodedata

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.oracle.value import INVALID, NULL

STATES = ("text", "empty")
LONGEST = 1_048_576


def states(column: pd.Series) -> npt.NDArray[np.object_]:
    """Whether each value is a text, empty, null or invalid."""
    return np.array([_state(value) for value in column], object)


def statistic(column: pd.Series, name: str) -> npt.NDArray[np.float64]:
    """A statistic of each value: NaN is null, infinity invalid."""
    absent = {NULL: np.nan, INVALID: np.inf}
    return np.array([absent[state] if (state := _state(value)) in absent else _statistic(value, name) for value in column], np.float64)


def _state(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return NULL
    if not isinstance(value, str) or len(value.encode()) > LONGEST:
        return INVALID
    return "text" if value else "empty"


def _statistic(value: str, name: str) -> float:
    if name == "length":
        return len(value)
    if name == "words":
        return len(value.split())
    counts = {
        "letters": sum(unicodedata.category(one)[0] in "LM" for one in value),
        "digits": sum(unicodedata.category(one)[0] == "N" for one in value),
        "whitespace": sum(one.isspace() for one in value),
        "punctuation": sum(unicodedata.category(one)[0] in "PS" for one in value),
        "non_ascii": sum(ord(one) >= 128 for one in value),
        "distinct": len(set(value)),
    }
    return counts[name] / len(value) if value else np.nan
