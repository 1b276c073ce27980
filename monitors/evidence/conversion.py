"""Converts events that came under one contract version to the layout of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from core import text
from core.block import Categories, Floats, Outcomes, Predictions, Vectors
from core.classes import Classes
from core.contract import Column, Contract, Kind, Task
from core.extra import read
from detectors.summary.signal import derived, needed
from detectors.summary.text_column import names, text_columns
from detectors.summary.text_column import read as read_texts
from detectors.summary.vector_column import embedding, states, statistics, vector_columns

_Block = TypeVar("_Block", Predictions, Outcomes)
_Values = Categories | Floats


def convert(block: Predictions, source: Contract, target: Contract) -> Predictions:
    """The events under `target`. Columns and probabilities go by name, null if `source` has none; outputs are as the task has them; signals are made again."""
    if source == target:
        return block
    vectors = tuple(_vector_states(block, source, column)[0] for column in vector_columns(target))
    again = replace(_outputs(block, source, target).with_columns(_columns(block, source, target)), vectors=vectors)
    if not target.signals:
        return again
    fields = needed(target, read(block.extra))
    return derived(
        target, again, replace(fields, numbers={**fields.numbers, **_of_texts(block, source, target), **_of_vectors(again, target)})
    )


def convert_outcomes(block: Outcomes, source: Contract, target: Contract) -> Outcomes:
    """As `convert`, for labelled events; their dimensions are texts under every contract, and their intervals, ensembles and sets were read under `target`."""
    if source == target:
        return block
    return replace(_outputs(block, source, target), label=_values(block.label, numeric=target.task == Task.REGRESSION))


def with_columns(block: Outcomes, target: Contract, columns: Sequence[str]) -> Outcomes:
    """The block with these features and tags as `target` has them: numbers or texts; null where the contract that it came under has none of the name."""
    null = np.full(len(block), np.nan)
    held = {name: _values(block.columns.get(name, null), numeric=target.column(name).numeric) for name in columns}
    return replace(block, columns=held) if columns else block


def _outputs(block: _Block, source: Contract, target: Contract) -> _Block:
    """The block with the model's outputs in the form of `target`."""
    return replace(
        block,
        prediction=_values(block.prediction, numeric=target.task == Task.REGRESSION),
        score=_score(block, source, target),
        probabilities=_probabilities(block.probabilities, source, target) if target.task == Task.MULTICLASS else None,
    )


def _held(block: Predictions, source: Contract) -> dict[str, _Values]:
    numbers, texts = iter(block.numbers), iter(block.texts)
    return {column.name: next(numbers) if column.numeric else next(texts) for column in source.kept}


def _columns(block: Predictions, source: Contract, target: Contract) -> list[_Values]:
    held, null = _held(block, source), np.full(len(block), np.nan)
    kinds = {column.name: column.kind for column in source.columns}

    def values(column: Column) -> _Values:
        before = kinds.get(column.name)
        if column.kind == Kind.VECTOR:
            return _vector_states(block, source, column)[1]
        if before == Kind.VECTOR:
            return _values(null, numeric=column.numeric)
        if Kind.TEXT in (before, column.kind) and before != column.kind:
            return (
                _as_text(column.name, held.get(column.name, null))[0] if column.kind == Kind.TEXT else _values(null, numeric=column.numeric)
            )
        return _values(held.get(column.name, null), numeric=column.numeric)

    return [values(column) for column in target.columns]


def _of_texts(block: Predictions, source: Contract, target: Contract) -> dict[str, Floats]:
    """The statistics of the text columns of `target`: as they were kept, else of the categories that were kept in place of texts, else null or invalid."""
    held, found = _held(block, source), dict[str, Floats]()
    texts = {column.name for column in text_columns(source)}
    for column in text_columns(target):
        if column.name in texts:
            found |= {name: np.asarray(held[name], np.float64) for name in names(column.name)}
        else:
            found |= _as_text(column.name, held.get(column.name, np.full(len(block), np.nan)))[1]
    return found


def _vector_states(block: Predictions, source: Contract, column: Column) -> tuple[Vectors, Categories]:
    """A vector column of the target and its states: as in `source`, where vectors of another length are invalid; null where `source` has no vector of the name."""
    size, null = embedding(column).size, np.ones(len(block), np.bool_)
    found = np.full((len(block), size), np.nan, np.float32)
    before = [one.name for one in vector_columns(source)]
    if column.name in before:
        vectors, held = block.vectors[before.index(column.name)], _held(block, source)[column.name]
        if isinstance(held, Categories):
            null = np.array([one == text.NULL for one in held.texts], np.bool_)[held.codes]
        found = vectors if vectors.shape[1] == size else found
    return found, states(found, null)


def _of_vectors(block: Predictions, target: Contract) -> dict[str, Floats]:
    """The statistics of the vector columns of `target`, under which the block already is."""
    texts = {column.name: values for column, values in zip((one for one in target.columns if not one.numeric), block.texts, strict=False)}
    found: dict[str, Floats] = {}
    for column, vectors in zip(vector_columns(target), block.vectors, strict=True):
        found |= statistics(column, vectors, texts[column.name])
    return found


def _as_text(name: str, values: _Values) -> tuple[Categories, Mapping[str, Floats]]:
    """A column of another kind as texts: categories as they are written, numbers are invalid."""
    if isinstance(values, Categories):
        known: list[object] = [None if one == text.NULL else 0 if one == text.INVALID else text.unquote(one) for one in values.texts]
        return read_texts(name, [known[code] for code in values.codes.tolist()])
    return read_texts(name, [None if value != value else value for value in values.tolist()])


def _values(values: _Values, *, numeric: bool) -> _Values:
    if isinstance(values, Categories):
        return np.array([_number(value) for value in values.texts], np.float64)[values.codes] if numeric else values
    return values if numeric else Categories.of_numbers(values)


def _number(value: str) -> float:
    """The number of a text; NaN for null, and infinity for a text that is not a number."""
    if value == text.NULL:
        return np.nan
    try:
        number = float(value)
    except ValueError:
        return np.inf
    return number if np.isfinite(number) else np.inf


def _score(block: Predictions | Outcomes, source: Contract, target: Contract) -> Floats:
    """The scores of the positive class of `target`: from the score between two binary contracts, else from that class's probability.

    If one class of `source` is known in `target`, the other follows. NaN if neither is a class of `target`.
    """
    if source.task == target.task == Task.BINARY:
        known = Classes.of(target)
        positive = known.find(source.positive)
        others = {known.find(name) for name in source.classes if name != source.positive} - {None}
        if positive == target.positive or (positive is None and others and target.positive not in others):
            return block.score
        return np.full(len(block), np.nan) if positive is None and not others else 1.0 - block.score
    held = Classes.of(source).find(target.positive)
    if target.task != Task.BINARY or block.probabilities is None or held is None:
        return np.full(len(block), np.nan)
    return block.probabilities[:, source.classes.index(held)]


def _probabilities(values: Floats | None, source: Contract, target: Contract) -> Floats | None:
    if values is None or source.classes == target.classes:
        return values
    held, known = np.full((len(values), len(target.classes)), np.nan), Classes.of(target)
    # A class with the exact text comes before others that mean the same.
    for index, name in sorted(enumerate(source.classes), key=lambda one: one[1] not in target.classes):
        if (meant := known.find(name)) is not None:
            column = held[:, target.classes.index(meant)]
            column[:] = np.where(np.isnan(column), values[:, index], column)
    return held
