"""Turns the JSON values of a column into arrays. Wrong values are reported by index and reason.

Columns of numbers: NaN is null, +infinity is invalid. Columns of texts: `null` and `invalid` (core.text).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import moment, text
from core.block import Categories, Floats, Ints, Vectors
from core.contract import Column
from core.name import Named, fault
from detectors.summary import text_column
from detectors.summary.vector_column import embedding, states, statistics
from ingest.decode.fault import HALF, encodes, finite, kind_of

LONGEST_NAME = 256  # bytes of ids

Bad = dict[int, str]

# Texts that Arrow and `core.moment.parse` read alike; all others are left to the latter.
_PLAIN_TIME = r"^[12]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$"
_NONE = type(None)


def numbers(values: Sequence[float | None]) -> tuple[Floats, Bad]:
    """Float64; None is NaN, and infinity of either sign is invalid."""
    array = np.array(values, np.float64)
    bad = np.flatnonzero(np.isinf(array))
    array[bad] = np.inf
    return array, dict.fromkeys(bad.tolist(), "NaN, infinity or a number out of range; send null where there is no value")


def scores(values: Sequence[float | None]) -> tuple[Floats, Bad]:
    """Float64; None is NaN, and so is every value that is not finite."""
    array, bad = numbers(values)
    array[list(bad)] = np.nan
    return array, bad


def tags(values: Sequence[Any]) -> tuple[Floats, Bad]:
    """A numeric column whose values were sent as tags, of any type."""
    wrong = {i: f"{kind_of(v)} where a number is expected" for i, v in enumerate(values) if v is not None and not _is_number(v)}
    array, bad = numbers([math.inf if i in wrong else v for i, v in enumerate(values)] if wrong else values)
    return array, bad | wrong


def texts(values: Sequence[Any], *, binary: bool = False) -> tuple[Categories, Bad]:
    """The texts of strings, numbers, booleans and None; with `binary` the texts of a binary model's classes."""
    kinds = set(map(type, values)) - {_NONE, str}
    if len(kinds) > 1:  # True == 1 == 1.0, and their texts differ
        column = Categories.of([_text(value, binary) for value in values])
    else:
        table: dict[str, int] = {}
        code = {value: table.setdefault(_text(value, binary), len(table)) for value in dict.fromkeys(values)}
        column = Categories(np.fromiter(map(code.__getitem__, values), np.int32, len(values)), list(table))
    if text.INVALID not in column.texts:
        return column, {}
    bad = np.flatnonzero(column.codes == list(column.texts).index(text.INVALID))
    return column, {i: _why_invalid(values[i]) for i in bad.tolist()}


def written(name: str, values: Sequence[Any]) -> tuple[Categories, Mapping[str, Floats], Bad]:
    """The states and the statistics of a text column, as `detectors.summary.text_column` has them."""
    states, statistics = text_column.read(name, values)
    bad = np.flatnonzero(states.codes == states.texts.index(text.INVALID)).tolist()
    return states, statistics, {i: _why_invalid(values[i], text_column.LONGEST) for i in bad}


def vectors(known: Column, values: Sequence[Any]) -> tuple[Categories, Vectors, Mapping[str, Floats], Bad]:
    """The states, the vectors and the statistics of a vector column, as `detectors.summary.vector_column` has them. None is null; what is no list of the
    right length, or holds a number that is not finite in Float32, is invalid.
    """
    size = embedding(known).size
    null = np.array([value is None for value in values], np.bool_)
    lists = [i for i, value in enumerate(values) if isinstance(value, list) and len(value) == size]
    found = np.full((len(values), size), np.nan, np.float32)
    if lists:
        with np.errstate(over="ignore"):
            found[lists] = np.array([values[i] for i in lists], np.float64)
    held = states(found, null)
    found[held.codes != 0] = np.nan
    bad = np.flatnonzero(held.codes == held.texts.index(text.INVALID)).tolist()
    return held, found, statistics(known, found, held), {i: _why_no_vector(values[i], size) for i in bad}


def names(values: Sequence[Any], kind: Named, default: str) -> tuple[Categories, Bad]:
    """Versions or roles: strings as they are, numbers as their text, `default` for None and for values that are no name."""
    table: dict[str, int] = {}
    wrong = {value: why for value in dict.fromkeys(values) if value is not None and (why := _why_no_name(kind, value))}
    code = {
        value: table.setdefault(default if value is None or value in wrong else _name(value), len(table)) for value in dict.fromkeys(values)
    }
    column = Categories(np.fromiter(map(code.__getitem__, values), np.int32, len(values)), list(table))
    return column, {i: f"{wrong[value]}; taken as {default}" for i, value in enumerate(values) if value in wrong} if wrong else {}


def ids(values: Sequence[str]) -> Bad:
    """Which ids cannot be used, and why."""
    suspect = [i for i, value in enumerate(values) if not (0 < len(value) <= LONGEST_NAME and value.isascii())]
    return {i: _why_no_id(values[i]) for i in suspect if not encodes(values[i]) or not 0 < len(values[i].encode()) <= LONGEST_NAME}


def times(values: Sequence[Any], earliest: int, now: int | Ints) -> tuple[Ints, Bad]:
    """Microseconds of times between `earliest` and `now` (of all, or of each) + 1 day; 0 for the others."""
    array = _plain_times(values)
    bad: Bad = {}
    if array is None:
        array = np.zeros(len(values), np.int64)
        for i, value in enumerate(values):
            try:
                array[i] = moment.parse(value)
            except ValueError as error:
                bad[i] = str(error)
    late = array > now + moment.DAY
    for i in np.flatnonzero((array < earliest) | late).tolist():
        limit = "later than now + 1 day" if late[i] else f"earlier than {moment.text(earliest)}"
        bad.setdefault(i, f"{_shown(int(array[i]), values[i])} is {limit}")
    array[list(bad)] = 0
    return array, bad


def _plain_times(values: Sequence[Any]) -> Ints | None:
    """All times at once, where all are texts as most clients write them; else None."""
    try:
        column = pa.array(values, pa.string())
        if pc.all(pc.match_substring_regex(column, _PLAIN_TIME)).as_py() and not column.null_count:
            return np.array(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()))
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        pass
    return None


def _shown(microseconds: int, value: object) -> str:
    try:
        return moment.text(microseconds)
    except OverflowError:  # before the year 1
        return str(value)


def _text(value: Any, binary: bool) -> str:
    if isinstance(value, str) and not encodes(value):
        return text.INVALID
    return text.class_of(value, binary=binary)


def _why_invalid(value: object, longest: int = text.LONGEST) -> str:
    if not isinstance(value, str):
        return kind_of(value)
    return f"a string above {longest} bytes" if encodes(value) else HALF


def _why_no_vector(value: object, size: int) -> str:
    if not isinstance(value, list):
        return kind_of(value)
    if len(value) != size:
        return f"a vector of {len(value)} numbers where {size} are expected"
    return "a vector with NaN, infinity or a number out of the range of Float32"


def _name(value: str | float) -> str:
    return value if isinstance(value, str) else text.of(value)


def _why_no_name(kind: Named, value: str | float) -> str:
    return fault(kind, _name(value)) if isinstance(value, str) or finite(value) else "is no finite number"


def _why_no_id(value: str) -> str:
    if not value:
        return "is empty"
    return f"is longer than {LONGEST_NAME} bytes" if encodes(value) else "has half a character (a lone surrogate)"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and finite(value)
