"""What an expression is made of: the words that it may hold, and their values for many rows at once.

A number is a column of floats, NaN where it is null. A truth is a column of 1 and 0, NaN where it is not known (Kleene's logic of three values). A text is `Categories`.
An invalid value is null.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np

from core import text
from core.block import Categories, Floats

Value = Floats | Categories
_NULLS = (text.NULL, text.INVALID)


class Type(StrEnum):
    """What a part of an expression is."""

    NUMBER = "number"
    TRUTH = "truth"
    TEXT = "text"


def power(first: Floats, second: Floats) -> Floats:
    """A number to the power of another; null where one is, also as `1 ** null` and `null ** 0`, which IEEE 754 takes for 1."""
    return np.where(np.isnan(first) | np.isnan(second), np.nan, np.power(first, second))


ARITHMETIC: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", np.add),
    ast.Sub: ("-", np.subtract),
    ast.Mult: ("*", np.multiply),
    ast.Div: ("/", np.divide),
    ast.FloorDiv: ("//", np.floor_divide),
    ast.Mod: ("%", np.mod),
    ast.Pow: ("**", power),
}
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", np.equal),
    ast.NotEq: ("!=", np.not_equal),
    ast.Lt: ("<", np.less),
    ast.LtE: ("<=", np.less_equal),
    ast.Gt: (">", np.greater),
    ast.GtE: (">=", np.greater_equal),
}


def where(condition: Floats, then: Floats, other: Floats) -> Floats:
    """`then` where the condition is true, `other` where it is false; null where it is not known."""
    return np.where(np.isnan(condition), np.nan, np.where(condition == 1, then, other))


def every(first: Floats, second: Floats) -> Floats:
    """Whether both are true: false where one is false, though the other is not known."""
    return np.where((first == 0) | (second == 0), 0.0, np.where(np.isnan(first) | np.isnan(second), np.nan, 1.0))


def some(first: Floats, second: Floats) -> Floats:
    """Whether one is true: true where one is, though the other is not known."""
    return np.where((first == 1) | (second == 1), 1.0, np.where(np.isnan(first) | np.isnan(second), np.nan, 0.0))


def negated(value: Floats) -> Floats:
    """Whether it is false."""
    return np.asarray(1.0 - value)


def compared(how: Callable[[Any, Any], Any], first: Floats, second: Floats) -> Floats:
    """The comparison of two columns of numbers; not known where one is null."""
    return np.where(np.isnan(first) | np.isnan(second), np.nan, how(first, second))


def is_null(value: Value) -> Floats:
    """Where a value is null or invalid."""
    if isinstance(value, Categories):
        return np.asarray(_table(value)[value.codes] < 0, np.float64)
    return np.asarray(np.isnan(value), np.float64)


def same(first: Value, second: Value) -> Floats:
    """Whether the texts of two columns are equal; not known where one is null. Numbers count as their texts, which are those of `core.text`."""
    codes, known = list[Any](), dict[str, int]()
    for value in (first, second):
        held = value if isinstance(value, Categories) else Categories.of_numbers(np.atleast_1d(value))
        codes.append(_table(held, known)[held.codes])
    return np.where((codes[0] < 0) | (codes[1] < 0), np.nan, codes[0] == codes[1])


def constant(value: str) -> Categories:
    """A text that is the same in all rows."""
    return Categories(np.zeros(1, np.int32), [value])


def finite(value: Value) -> Value:
    """A column of events as an expression takes it: what is invalid is null."""
    return value if isinstance(value, Categories) else np.where(np.isfinite(value), value, np.nan)


def least(*values: Floats) -> Floats:
    """The least of some numbers; null where one is."""
    return _reduced(np.minimum, values)


def largest(*values: Floats) -> Floats:
    """The largest of some numbers; null where one is."""
    return _reduced(np.maximum, values)


def _reduced(how: Callable[[Any, Any], Any], values: Sequence[Floats]) -> Floats:
    found = values[0]
    for value in values[1:]:
        found = how(found, value)
    return np.asarray(found)


def _table(values: Categories, known: dict[str, int] | None = None) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A code for each text, the same for equal texts; -1 for null."""
    seen = {} if known is None else known
    return np.array([-1 if one in _NULLS else seen.setdefault(one, len(seen)) for one in values.texts] or [-1], np.int64)


FUNCTIONS: Mapping[str, tuple[Callable[..., Floats], int, int]] = {  # with how many arguments at least, and at most
    "where": (where, 3, 3),
    "abs": (np.abs, 1, 1),
    "log": (np.log, 1, 1),
    "exp": (np.exp, 1, 1),
    "min": (least, 2, 20),
    "max": (largest, 2, 20),
    "isnull": (is_null, 1, 1),
}
