"""The texts and numbers by which values of a file are compared (docs/events.md)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

NULL, INVALID, OTHER, UNSEEN = "null", "invalid", "other", "unseen"
_BARE = {"null": "%6Eull", "invalid": "%69nvalid", "other": "%6Fther"}


def text(value: object, *, binary: bool = False) -> str:
    """The text of one value; with `binary` the text of a class of a binary model."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return NULL
    if isinstance(value, bool | np.bool_):
        return str(int(value)) if binary else str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isinf(number):
            return INVALID
        return str(int(number)) if number.is_integer() and abs(number) < 2**63 else repr(number)
    assert isinstance(value, str), type(value)
    if binary and value in {"true", "false"}:
        return "1" if value == "true" else "0"
    if len(value.encode()) > 4096:
        return INVALID
    return _BARE.get(value) or value.replace("%", "%25").replace(",", "%2C").replace("=", "%3D")


def texts(column: pd.Series, *, binary: bool = False) -> npt.NDArray[np.object_]:
    """The texts of a column; each distinct value is written once."""
    codes, distinct = pd.factorize(column, use_na_sentinel=True)
    written = np.array([*(text(value, binary=binary) for value in distinct), NULL], dtype=object)
    taken: npt.NDArray[np.object_] = written[codes]  # -1, a null, takes the last
    return taken


def numbers(column: pd.Series) -> npt.NDArray[np.float64]:
    """A column as float64: NaN is null, an infinity or a value that is no number is +infinity (invalid)."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return np.where(column.isna(), np.nan, np.inf)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isinf(values), np.inf, values)
    plain = [value if isinstance(value, int | float) and not isinstance(value, bool) else math.inf for value in column]
    return np.where(column.isna(), np.nan, np.where(np.isinf(plain), np.inf, np.array(plain, dtype=np.float64)))
