"""Text columns and their statistics, value by value (docs/signals.md)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

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
    return sum(map(_PER_CHARACTER[name], set(value) if name == "distinct" else value)) / len(value) if value else np.nan


_PER_CHARACTER: dict[str, Callable[[str], bool]] = {
    "letters": lambda one: unicodedata.category(one)[0] in "LM",
    "digits": lambda one: unicodedata.category(one)[0] == "N",
    "whitespace": str.isspace,
    "punctuation": lambda one: unicodedata.category(one)[0] in "PS",
    "non_ascii": lambda one: ord(one) >= 128,
    "distinct": lambda _: True,
}
