"""Events that were taken under one contract version, in the layout of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core import text
from core.block import Categories, Floats, Predictions
from core.contract import Column, Contract


def recast(block: Predictions, source: Contract, target: Contract) -> Predictions:
    """The same events under `target`: columns by name, a column that the source has not is null."""
    if source == target:
        return block
    numbers = iter(block.numbers)
    texts = iter(block.texts)
    held: dict[str, Floats | Categories] = {column.name: next(numbers) if column.numeric else next(texts) for column in source.columns}
    columns = [(column, _column(held.get(column.name), column, len(block))) for column in target.columns]
    return replace(
        block,
        numbers=tuple(values for _, values in columns if not isinstance(values, Categories)),
        texts=tuple(values for _, values in columns if isinstance(values, Categories)),
        probabilities=_probabilities(block.probabilities, source, target),
    )


def _column(values: Floats | Categories | None, column: Column, rows: int) -> Floats | Categories:
    if values is None:
        return np.full(rows, np.nan) if column.numeric else Categories(np.zeros(rows, np.int32), [text.NULL])
    if column.numeric:
        return (
            values if not isinstance(values, Categories) else np.array([_number(value) for value in values.texts], np.float64)[values.codes]
        )
    if isinstance(values, Categories):
        return values
    distinct, codes = np.unique(values, return_inverse=True)
    texts = [text.NULL if np.isnan(value) else text.of(float(value)) for value in distinct]
    return Categories(codes.astype(np.int32), texts)


def _number(value: str) -> float:
    """The number that a text stands for; NaN for null and infinity for what is no number."""
    if value == text.NULL:
        return np.nan
    try:
        number = float(value)
    except ValueError:
        return np.inf
    return number if np.isfinite(number) else np.inf


def _probabilities(values: Floats | None, source: Contract, target: Contract) -> Floats | None:
    if values is None or source.classes == target.classes:
        return values
    places = [source.classes.index(name) if name in source.classes else -1 for name in target.classes]
    padded = np.column_stack([values, np.full(len(values), np.nan)])
    return padded[:, places]
