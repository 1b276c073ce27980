"""Blocks: many events as columns. No function here handles one event at a time.

In a column of numbers NaN is null and +infinity is invalid; all other values are finite. A column of texts holds the texts
of `core.text`, `null` and `invalid` among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from core import text

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Categories:
    """A column of texts: row i holds `texts[codes[i]]`. The texts are distinct."""

    codes: npt.NDArray[np.int32]
    texts: Sequence[str]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.intp]) -> Categories:
        """The rows at the given indices."""
        return Categories(self.codes[rows], self.texts)

    @staticmethod
    def of(texts: Sequence[str]) -> Categories:
        """Encode texts, in order of first appearance."""
        table: dict[str, int] = {}
        codes = np.fromiter((table.setdefault(text, len(table)) for text in texts), np.int32, len(texts))
        return Categories(codes, list(table))

    @staticmethod
    def of_numbers(values: Floats) -> Categories:
        """The texts of a number column."""
        distinct, codes = np.unique(values, return_inverse=True)
        texts = [text.NULL if np.isnan(value) else text.of(float(value)) for value in distinct]
        return Categories(codes.astype(np.int32), texts)

    @staticmethod
    def concat(parts: Sequence[Categories]) -> Categories:
        """One column from several."""
        table: dict[str, int] = {}
        codes = []
        for part in parts:
            remap = np.array([table.setdefault(text, len(table)) for text in part.texts], np.int32)
            codes.append(remap[part.codes] if len(remap) else part.codes)
        return Categories(np.concatenate(codes) if codes else np.zeros(0, np.int32), list(table))


@dataclass(frozen=True)
class Predictions:
    """Prediction events of one model under one contract version, n rows.

    `numbers` and `texts` follow the numeric and the categorical ones of `contract.kept`, in that order.
    `prediction` is a column of texts for classes, and of numbers for a regression. `score` is the probability of the positive class, NaN if
    there is none; `probabilities` is (n, classes) or None. `extra` holds the event's optional fields as JSON text, "" for none.
    `position` is the record in the log that the row came from, `row` its index in that record, `logged` when the log took it (microseconds).
    `vectors` are those of the vector columns, in order, (n, size) each; a vector that is null or invalid (its state is among `texts`) has no finite number.
    """

    id: npt.NDArray[np.object_]
    ts: Ints
    version: Categories
    role: Categories
    prediction: Categories | Floats
    score: Floats
    probabilities: Floats | None
    numbers: tuple[Floats, ...]
    texts: tuple[Categories, ...]
    extra: npt.NDArray[np.object_]
    position: Ints
    row: Ints
    logged: Ints
    vectors: tuple[Vectors, ...] = ()

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: npt.NDArray[np.intp]) -> Predictions:
        """The rows at the given indices."""
        return Predictions(*(_take(getattr(self, one.name), rows) for one in fields(self)))

    def with_columns(self, columns: Sequence[Categories | Floats]) -> Predictions:
        """The same rows with other columns."""
        numbers = tuple(values for values in columns if not isinstance(values, Categories))
        return replace(self, numbers=numbers, texts=tuple(values for values in columns if isinstance(values, Categories)))

    @staticmethod
    def concat(parts: Sequence[Predictions]) -> Predictions:
        """One block from several of the same contract."""
        if len(parts) == 1:
            return parts[0]
        return Predictions(*(_concat([getattr(part, one.name) for part in parts]) for one in fields(Predictions)))


@dataclass(frozen=True)
class Labels:
    """Label events of one model, n rows. `text` is the label's text, `number` its value (NaN where it is no number)."""

    id: npt.NDArray[np.object_]
    ts: Ints
    text: npt.NDArray[np.object_]
    number: Floats
    weight: Floats
    deleted: npt.NDArray[np.bool_]
    prediction_ts: Ints  # 0 where it was not sent
    position: Ints
    row: Ints
    logged: Ints

    def __len__(self) -> int:
        return len(self.id)

    def take(self, rows: npt.NDArray[np.intp]) -> Labels:
        """The rows at the given indices."""
        return Labels(*(_take(getattr(self, one.name), rows) for one in fields(self)))

    @staticmethod
    def concat(parts: Sequence[Labels]) -> Labels:
        """One block from several."""
        if len(parts) == 1:
            return parts[0]
        return Labels(*(_concat([getattr(part, one.name) for part in parts]) for one in fields(Labels)))


@dataclass(frozen=True)
class Outcomes:
    """Predictions of one model whose truth is known, n rows. `dimensions` are the segment columns' texts by name.

    `delay` is the time from each prediction to its label in microseconds, -1 where it is not known; None if it is not known for any.
    `interval` holds the lower and upper bounds of prediction intervals, `sets` (n, classes) is 1 for the classes in a prediction set and 0 for others, `ensemble`
    (n, most members of a row) the members of ensembles, NaN behind the last; all are NaN in rows without one, and None if the contract has no such field (`core.region`).
    `weight` is that of labels, None if it is not read. `columns` are those features and tags by name that are read. `id` and `request` are the events' own and that of
    the request that they answer, "" where none was sent; None if they are not read.
    """

    ts: Ints
    version: Categories
    role: Categories
    dimensions: dict[str, Categories]
    prediction: Categories | Floats
    label: Categories | Floats
    score: Floats
    probabilities: Floats | None
    delay: Ints | None = None
    interval: tuple[Floats, Floats] | None = None
    sets: Floats | None = None
    ensemble: Floats | None = None
    weight: Floats | None = None
    columns: dict[str, Categories | Floats] = field(default_factory=dict)
    id: npt.NDArray[np.object_] | None = None
    request: npt.NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: npt.NDArray[np.intp]) -> Outcomes:
        """The rows at the given indices."""
        return Outcomes(*(_take(getattr(self, one.name), rows) for one in fields(self)))


def _take(value: Any, rows: npt.NDArray[np.intp]) -> Any:
    if isinstance(value, tuple):
        return tuple(_take(item, rows) for item in value)
    if isinstance(value, dict):
        return {name: _take(item, rows) for name, item in value.items()}
    if isinstance(value, Categories):
        return value.take(rows)
    return None if value is None else value[rows]


def _concat(parts: Sequence[Any]) -> Any:
    first = parts[0]
    if isinstance(first, tuple):
        return tuple(_concat(items) for items in zip(*parts, strict=True))
    if isinstance(first, Categories):
        return Categories.concat(parts)
    return None if first is None else np.concatenate(parts)
