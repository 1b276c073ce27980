"""Signals: columns that are derived from an event's own fields. `SIGNALS` is the table of all of them.

A signal is null if the field that it is made of is missing, and invalid if that cannot be used. It depends only on the contract and on what raw events
keep, so that panes made again from raw events are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Categories, Floats, Predictions
from core.contract import Column, Contract, Kind, Task
from core.extra import WRONG, Fields, fields_of
from detectors.summary import text_column, vector_column
from detectors.summary.bins import text_bins

ATTRIBUTION = "@attribution:"  # and the name of a feature
TEXT, VECTOR = text_column.PREFIX, vector_column.PREFIX  # and the name of a text or vector column, a colon, and the statistic
MOST_OUTSIDE, MOST_CLASSES = 50, 50  # counts with a bin of their own
STEPS = 50  # bins over a fixed range
DECIMALS = 12  # decimals of signals that are made of probabilities, so that 0.3 and 0.7 give the same confidence

Values = Categories | Floats
Flags = npt.NDArray[np.bool_]


class Given(NamedTuple):
    """What signals are made of, for n events: their columns by name, scores (n,), probabilities (n, classes) or None, and optional fields."""

    contract: Contract
    columns: Mapping[str, Values]
    score: Floats
    probabilities: Floats | None
    fields: Fields


class Signal(NamedTuple):
    """A signal. `field` is the event's field that it needs; `edges` are its bins if there is no reference, None if the contract must declare them.

    `frozen` bins are used with a reference, too.
    """

    name: str
    kind: Kind
    field: str
    formula: str
    tasks: tuple[Task, ...]
    binned: str
    of: Callable[[Given, str], Values]
    edges: Callable[[Contract], tuple[float, ...]] | None = None
    frozen: bool = False


def signal(name: str) -> Signal | None:
    """The signal of a name; None if there is none."""
    for prefix in (ATTRIBUTION, TEXT, VECTOR):
        if name.startswith(prefix) and name != prefix:
            return _BY_NAME.get(prefix if prefix == ATTRIBUTION else f"{prefix}<column>:{name.rpartition(':')[2]}")
    return _BY_NAME.get(name)


def of_columns(contract: Contract) -> tuple[str, ...]:
    """The names of the signals that a contract's text and vector columns bring with them: statistics of their values."""
    return tuple(
        name
        for module, columns in ((text_column, text_column.text_columns(contract)), (vector_column, vector_column.vector_columns(contract)))
        for column in columns
        for name in module.names(column.name)
    )


def derive(given: Given) -> dict[str, Values]:
    """The signals of the contract by name, n values each."""
    known = ((column.name, signal(column.name)) for column in given.contract.signals)
    return {name: one.of(given, name.removeprefix(ATTRIBUTION)) for name, one in known if one is not None}


def fields_needed(contract: Contract) -> tuple[str, ...]:
    """The optional fields of events that a contract's signals are made of, as `core.extra.fields_of` names them."""
    found = []
    for column in contract.signals:
        one = signal(column.name)
        if one is not None and one.field in _FIELDS:
            found.append(column.name.replace(ATTRIBUTION, "attributions.") if one.field == "attributions" else one.field)
    return tuple(dict.fromkeys(found))


def derived(contract: Contract, block: Predictions, fields: Fields) -> Predictions:
    """The block of a contract's events, whose numbers and texts are those of `contract.columns`, with those of its signals."""
    if not contract.signals:
        return block
    numbers, texts = iter(block.numbers), iter(block.texts)
    columns: dict[str, Values] = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.columns}
    values = derive(Given(contract, columns, block.score, block.probabilities, fields)).values()
    return block.with_columns((*columns.values(), *values))


def needed(contract: Contract, events: Sequence[object]) -> Fields:
    """The fields that a contract's signals are made of, of events as structs."""
    return fields_of(fields_needed(contract), events)


def _shares(given: Given) -> Floats:
    """The probabilities of each event (n, K). A missing one is NaN; if one is not a probability, all of the event are infinite."""
    if given.contract.task == Task.BINARY:
        shares = np.column_stack([given.score, 1.0 - given.score])
    elif given.probabilities is None:
        shares = np.full((len(given.score), max(1, len(given.contract.classes))), np.nan)
    else:
        shares = given.probabilities
    invalid: Flags = np.any((shares < 0) | (shares > 1), axis=1)
    return np.where(invalid[:, None], WRONG, shares)


def _confidence(given: Given, _: str) -> Floats:
    return _rounded(np.fmax.reduce(_shares(given), axis=1))


def _margin(given: Given, _: str) -> Floats:
    shares = _shares(given)
    if shares.shape[1] < 2:
        return np.full(len(shares), np.nan)
    ordered = -np.sort(-shares, axis=1)  # NaN comes last
    return _rounded(np.where(np.isinf(ordered[:, 0]), WRONG, ordered[:, 0] - np.where(np.isinf(ordered[:, 1]), 0, ordered[:, 1])))


def _entropy(given: Given, _: str) -> Floats:
    shares = _shares(given)
    missing = np.isnan(shares)
    invalid: Flags = np.any(np.isinf(shares), axis=1)
    sent = np.where(missing | invalid[:, None], 0.0, shares)
    rest = np.where(missing.any(axis=1), np.maximum(0.0, 1.0 - sent.sum(axis=1)), 0.0)
    total = sent.sum(axis=1) + rest
    whole = np.where(total > 0, total, 1.0)
    entropy = _terms(sent / whole[:, None]).sum(axis=1) + _terms(rest / whole)
    return _rounded(np.where(missing.all(axis=1), np.nan, np.where(invalid | (total <= 0), WRONG, entropy)))


def _terms(shares: Floats) -> Floats:
    """-p ln p, 0 at 0."""
    return -shares * np.log(np.where(shares > 0, shares, 1.0))


def _rounded(values: Floats) -> Floats:
    return np.asarray(np.round(values, DECIMALS) + 0.0, np.float64)


def _interval_width(given: Given, _: str) -> Floats:
    lower, upper = given.fields.numbers["interval.lower"], given.fields.numbers["interval.upper"]
    wrong = np.isinf(lower) | np.isinf(upper) | (lower > upper)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(wrong, WRONG, upper - lower)


def _number(name: str) -> Callable[[Given, str], Floats]:
    return lambda given, _: given.fields.numbers[name]


def _text(name: str) -> Callable[[Given, str], Categories]:
    return lambda given, _: given.fields.texts[name]


def _attribution(given: Given, feature: str) -> Floats:
    return given.fields.numbers[f"attributions.{feature}"]


def _of_column(given: Given, name: str) -> Floats:
    return given.fields.numbers[name]


def _means(given: Given, values: Floats) -> Floats:
    """The mean over the members of each event; NaN without members, infinity if the ensemble is invalid."""
    counts = given.fields.counts
    row = np.repeat(np.arange(len(counts)), np.maximum(counts, 0))
    with np.errstate(invalid="ignore", over="ignore"):
        means = np.bincount(row, values, len(counts)) / np.where(counts > 0, counts, np.nan)
    means = np.where(np.isinf(means), WRONG, means)
    return np.where(counts < 0, WRONG, means)


def _ensemble_mean(given: Given, _: str) -> Floats:
    return _means(given, given.fields.members)


def _ensemble_std(given: Given, _: str) -> Floats:
    means, counts = _means(given, given.fields.members), given.fields.counts
    with np.errstate(invalid="ignore", over="ignore"):
        apart = given.fields.members - np.repeat(means, np.maximum(counts, 0))
        return np.sqrt(_means(given, apart * apart))


def _ensemble_total(given: Given, _: str) -> Floats:
    means = _ensemble_mean(given, "")
    wrong = _means(given, np.where((given.fields.members < 0) | (given.fields.members > 1), np.inf, 0.0)) == WRONG
    with np.errstate(invalid="ignore"):
        return np.where(wrong, WRONG, _rounded(_binary(np.where(wrong, 0.0, means))))


def _ensemble_aleatoric(given: Given, _: str) -> Floats:
    members = given.fields.members
    invalid = (members < 0) | (members > 1)
    return _rounded(_means(given, np.where(invalid, np.inf, _binary(np.where(invalid, 0.0, members)))))


def _ensemble_epistemic(given: Given, _: str) -> Floats:
    total, aleatoric = _ensemble_total(given, ""), _ensemble_aleatoric(given, "")
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(total), WRONG, np.maximum(_rounded(total - aleatoric), 0.0))


def _binary(shares: Floats) -> Floats:
    """The entropy of two classes with probabilities p and 1 - p."""
    return _terms(shares) + _terms(1.0 - shares)


def _outside(given: Given, _: str) -> Floats:
    return outside(given.contract.features, given.columns, len(given.score))


def outside(columns: Sequence[Column], held: Mapping[str, Values], rows: int) -> Floats:
    """How many of some columns are beyond the reference's least or greatest number, or unseen, in each row: (rows,)."""
    count = np.zeros(rows)
    for column in columns:
        values = held[column.name]
        if isinstance(values, Categories):
            count += text_bins(column, values) == column.values + 1
        elif column.range is not None:
            low, high = column.range
            count += np.isfinite(values) & ((values < low) | (values > high))
    return count


def _over(low: float, high: float) -> tuple[float, ...]:
    return tuple(low + (high - low) * step / STEPS for step in range(1, STEPS))


def _counts(most: int) -> tuple[float, ...]:
    return tuple(float(count) for count in range(1, most + 1))


def _large(_: Contract) -> tuple[float, ...]:
    """Bins of counts, ten for each power of ten, as far as a million."""
    return tuple(dict.fromkeys(float(round(10 ** (step / 10))) for step in range(61)))


def _shares_of(_: Contract) -> tuple[float, ...]:
    return _over(0, 1)


def _classes(contract: Contract) -> int:
    return max(2, len(contract.classes))


# Buckets within which every value is at most 1 % from one between the ends: from 10 microseconds to an hour.
LATENCY = tuple(float(f"{0.01 * (1.01 / 0.99) ** step:.9g}") for step in range(987))

_CLASSES, _ALL = (Task.BINARY, Task.MULTICLASS), tuple(Task)
_QUANTILES = "as a numeric column"
_ENTROPY = tuple(step * float(np.log(2)) / STEPS for step in range(1, STEPS))

SIGNALS = (
    Signal(
        "@confidence", Kind.NUMERIC, "score", "the highest probability; binary: of the score and 1 - score", _CLASSES, _QUANTILES,
        _confidence, lambda contract: _over(1 / _classes(contract), 1),
    ),
    Signal(
        "@entropy", Kind.NUMERIC, "score", "minus the sum of p ln p, in nats", _CLASSES, _QUANTILES,
        _entropy, lambda contract: _over(0, float(np.log(_classes(contract)))),
    ),
    Signal(
        "@margin", Kind.NUMERIC, "score", "the highest probability less the next", _CLASSES, _QUANTILES, _margin, lambda _: _over(0, 1),
    ),
    Signal("@interval_width", Kind.NUMERIC, "interval", "the upper bound less the lower", (Task.REGRESSION,), _QUANTILES, _interval_width),
    Signal(
        "@set_size", Kind.NUMERIC, "prediction_set", "the number of classes in it", _CLASSES, _QUANTILES,
        _number("set_size"), lambda contract: _counts(min(_classes(contract), MOST_CLASSES)),
    ),
    Signal("@ensemble_mean", Kind.NUMERIC, "ensemble", "the mean of its members", (Task.BINARY, Task.REGRESSION), _QUANTILES, _ensemble_mean),
    Signal(
        "@ensemble_std", Kind.NUMERIC, "ensemble", "the root of the mean squared distance from their mean", (Task.BINARY, Task.REGRESSION),
        _QUANTILES, _ensemble_std,
    ),
    Signal(
        "@ensemble_total", Kind.NUMERIC, "ensemble", "the entropy of the mean of the members, in nats", (Task.BINARY,), _QUANTILES,
        _ensemble_total, lambda _: _ENTROPY,
    ),
    Signal(
        "@ensemble_aleatoric", Kind.NUMERIC, "ensemble", "the mean of the members' entropies: uncertainty of the data", (Task.BINARY,),
        _QUANTILES, _ensemble_aleatoric, lambda _: _ENTROPY,
    ),
    Signal(
        "@ensemble_epistemic", Kind.NUMERIC, "ensemble", "total less aleatoric: uncertainty of the model", (Task.BINARY,), _QUANTILES,
        _ensemble_epistemic, lambda _: _ENTROPY,
    ),
    Signal(
        "@latency_ms", Kind.NUMERIC, "latency_ms", "as sent", _ALL, "987 edges from 0.01 ms to an hour, each 1.01 / 0.99 times the one before",
        _number("latency_ms"), lambda _: LATENCY, frozen=True,
    ),
    Signal("@status", Kind.CATEGORICAL, "status", "as sent: `ok` or `error`", _ALL, "`ok` and `error`", _text("status"), frozen=True),
    Signal("@caller", Kind.CATEGORICAL, "caller", "as sent", _ALL, "as a categorical column", _text("caller")),
    Signal(
        "@outside", Kind.NUMERIC, "features", "how many features are beyond the reference's least or greatest number, or unseen", _ALL,
        "0, 1, 2, ... as far as 50", _outside, lambda contract: _counts(min(len(contract.features), MOST_OUTSIDE)), frozen=True,
    ),
    *(
        Signal(f"{TEXT}<column>:{name}", Kind.NUMERIC, "features", formula, _ALL, _QUANTILES, _of_column, edges)
        for name, formula, edges in (
            ("length", "the number of characters", _large),
            ("words", "the number of words, which have whitespace between them", _large),
            ("letters", "the share of letters and their marks (Unicode L, M) among the characters", _shares_of),
            ("digits", "the share of digits and other numbers (N)", _shares_of),
            ("whitespace", "the share of whitespace", _shares_of),
            ("punctuation", "the share of punctuation and symbols, emoji among them (P, S)", _shares_of),
            ("non_ascii", "the share of characters beyond ASCII", _shares_of),
            ("distinct", "the number of distinct characters over the number of characters", _shares_of),
        )
    ),
    *(
        Signal(f"{VECTOR}<column>:{name}", Kind.NUMERIC, "features", formula, _ALL, _QUANTILES, _of_column)
        for name, formula in (
            ("norm", "the length of the vector, to 5 digits"),
            ("nearest", "the distance to the nearest other vector of a sample of the reference, to 5 digits"),
        )
    ),
    Signal(ATTRIBUTION, Kind.NUMERIC, "attributions", "that of the feature, as sent", _ALL, _QUANTILES, _attribution),
)  # fmt: skip

_BY_NAME = {one.name: one for one in SIGNALS}
STATUSES = ("ok", "error")
_FIELDS = ("interval", "prediction_set", "ensemble", "latency_ms", "status", "caller", "attributions")
