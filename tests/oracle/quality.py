"""Measures of quality of the whole model, from the rows of one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.oracle.column import wilson
from tests.oracle.sample import Value

MEASURES = (
    "quality.label_coverage",
    "quality.label_delay",
    "quality.late_rate",
    "quality.orphan_label_rate",
    "quality.freshness",
    "quality.volume",
    "quality.schema_changes",
)
_MILLISECOND, _SECOND, _HOUR = 1_000, 1_000_000, 3_600_000_000


def label_coverage(labelled: npt.NDArray[np.bool_], phi: float) -> tuple[Value, int]:
    """The share of rows that are labelled, and how many rows there are; `phi` of them are worth an independent one."""
    return rate(int(labelled.sum()), len(labelled), phi)


def label_delay(delays: npt.NDArray[np.int64], params: Mapping[str, Any]) -> tuple[Value, int]:
    """A quantile of delays in microseconds: the mean, in seconds, of the delays that share its bin, whose ends are powers of 1.02 milliseconds."""
    if not len(delays):
        return Value(None), 0
    waited = np.maximum(delays, 0)
    bins = np.ceil(np.log(np.maximum(waited, _MILLISECOND) / _MILLISECOND) / np.log(1.02))
    held = bins[np.argsort(waited, kind="stable")][max(int(np.ceil(params.get("q", 0.5) * len(waited))), 1) - 1]
    return Value(float(np.mean(waited[bins == held])) / _SECOND), len(waited)


def rate(count: int, n: int, phi: float = 1.0) -> tuple[Value, int]:
    """A part of all, and how many these are."""
    return (Value(count / n, *wilson(count / phi, n / phi)) if n else Value(None)), n


def age(times: npt.NDArray[np.int64], end: int) -> Value:
    """From the last of the times that is before the end, in seconds; both are in microseconds."""
    before = times[times < end]
    return Value((end - int(before.max())) / _SECOND) if len(before) else Value(None)


def expected_rows(held: npt.NDArray[np.int64], every: npt.NDArray[np.int64], start: int, end: int) -> float:
    """The rows that are expected from start to end: for each hour of the week the mean over such hours, from the first hour of a reference to the last.

    `held` are the hours of the rows that are meant, `every` those of all rows of the reference. All hours of the week must be there.
    """
    span = np.arange(every.min(), every.max() + 1)
    rows = np.bincount(held - span[0], minlength=len(span))
    return float(sum(rows[span % 168 == hour % 168].mean() for hour in range(start // _HOUR, end // _HOUR)))


def schema_changes(columns: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]]) -> tuple[Value, int]:
    """Columns without a value though the reference has some, and columns of which half of the values have a wrong type: each by the bins of its rows, those of
    the reference's, and the bin of nulls, after which that of wrong types comes. The stream has no other columns.
    """
    changed, n = 0, len(columns[0][0])
    for rows, before, null in columns:
        sent = rows[rows != null]
        missing = not len(sent) and float(np.mean(before == null)) ** n < 1e-6
        changed += missing or (len(sent) > 0 and bool(2 * np.sum(sent == null + 1) >= len(sent)))
    return Value(float(changed) if n else None), n
