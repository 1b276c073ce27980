"""Reads the times in a column of a file as microseconds, without overflow. A time without a zone is UTC; integers are milliseconds."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as kinds

from core import moment
from core.block import Ints
from core.error import ConfigError

_TICKS = {
    "days": (86_400_000_000, 1),
    "s": (1_000_000, 1),
    "ms": (1_000, 1),
    "us": (1, 1),
    "ns": (1, 1_000),
}  # times, then by: to microseconds
_UNITS = {"seconds": 1_000_000.0, "microseconds": 1.0, "nanoseconds": 0.001}  # what a number may be instead of milliseconds
_RECENT = (moment.parse("1990-01-01T00:00:00Z"), moment.parse("2100-01-01T00:00:00Z"))
_BARE = re.compile(r"\d{4}-\d\d-\d\d([Tt ]\d\d:\d\d:\d\d(\.\d+)?)?", re.ASCII)  # without a zone
_KEPT = f"{moment.text(moment.EARLIEST)[:4]} to {moment.text(moment.LATEST)[:4]}"

Flags = npt.NDArray[np.bool_]


def instants(name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A plain column (`monitors.reference.arrow`) of timestamps, dates, milliseconds or RFC 3339 texts as timestamp[us, UTC], cut to microseconds.

    Raises ConfigError that names the column, the row and the value, if a value is not a time or cannot be kept.
    """
    there = np.asarray(values.is_valid())
    kind = values.type
    if kinds.is_null(kind):
        micros = np.zeros(len(values), np.int64)
    elif kinds.is_timestamp(kind) or kinds.is_date(kind):
        unit = kind.unit if kinds.is_timestamp(kind) else "days" if kinds.is_date32(kind) else "ms"
        ticks = values.cast(pa.int32() if kinds.is_date32(kind) else pa.int64()).fill_null(0).to_numpy()
        micros = _scaled(name, ticks.astype(np.int64), there, unit)
    elif kinds.is_integer(kind):
        micros = _scaled(name, values.fill_null(0).to_numpy(), there, "ms", number=True)
    elif kinds.is_floating(kind):
        milliseconds = values.cast(pa.float64()).fill_null(0.0).to_numpy()
        there &= ~np.isnan(milliseconds)
        micros = _scaled(name, np.where(there, milliseconds, 0.0), there, "ms", number=True)
    else:
        micros = _parsed(name, values)
    return pa.chunked_array([pa.array(micros, pa.timestamp("us", "UTC"), mask=~there)])


def after(name: str, times: pa.ChunkedArray, earliest: int) -> None:
    """Raise ConfigError if there are times and all of them are before `earliest` (microseconds): then the unit or `earliest` is wrong."""
    ticks = times.cast(pa.int64()).drop_null().to_numpy()
    if len(ticks) and (last := int(ticks.max())) < earliest:
        raise ConfigError(
            f"column {name!r}: every time lies before {moment.text(earliest)}, the last is {moment.text(last)}",
            remedy="integers are read as milliseconds since 1970; if the times are right, give the reference an `earliest`",
        )


def _scaled(name: str, ticks: npt.NDArray[Any], there: Flags, unit: str, *, number: bool = False) -> Ints:
    """Ticks of a unit in microseconds. Raises ConfigError first if one is not a time that can be kept."""
    factor, divisor = _TICKS[unit]
    low, high = moment.EARLIEST * divisor // factor, moment.LATEST * divisor // factor
    outside = (ticks > high) if ticks.dtype == np.uint64 else (ticks < low) | (ticks > high)
    if (wrong := outside & there).any():
        row = int(np.flatnonzero(wrong)[0])
        shown = f"{ticks[row]} {'as milliseconds since 1970' if number else unit + ' since 1970'}"
        raise ConfigError(
            f"column {name!r}, row {row}: {shown} is not a time that can be kept, which are those of {_KEPT}",
            remedy=_meant(float(ticks[row])) if number else "write null where there is no time",
        )
    kept = np.where(outside, 0, ticks)
    return np.asarray(np.trunc(kept * factor) if kept.dtype == np.float64 else kept.astype(np.int64) * factor // divisor, np.int64)


def _meant(value: float) -> str:
    """What to write in place of a number that is not a time in milliseconds."""
    for unit, factor in _UNITS.items():
        if _RECENT[0] <= value * factor <= _RECENT[1]:
            return f"it looks like {unit}: write timestamps, or integers that are milliseconds"
    return "write timestamps, or integers that are milliseconds since 1970; null where there is no time"


def _parsed(name: str, values: pa.ChunkedArray) -> Ints:
    """Microseconds of RFC 3339 texts, with or without a zone; 0 for null."""
    coded = (
        values.unify_dictionaries().combine_chunks() if kinds.is_dictionary(values.type) else values.combine_chunks().dictionary_encode()
    )
    micros = np.zeros(len(coded.dictionary) + 1, np.int64)
    codes = coded.indices.cast(pa.int64()).fill_null(len(coded.dictionary)).to_numpy()
    for code in np.unique(codes[codes < len(coded.dictionary)]).tolist():
        value = coded.dictionary[code].as_py()
        try:
            micros[code] = 0 if value is None else _moment(value)
        except ValueError as error:
            row = int(np.flatnonzero(codes == code)[0])
            raise ConfigError(
                f"column {name!r}, row {row}: {error}", remedy="write timestamps, or RFC 3339 texts; null where there is no time"
            ) from None
    return np.asarray(micros[codes])


def _moment(text: str) -> int:
    """Microseconds of an RFC 3339 text; a date is its midnight, and a time without a zone is UTC. ValueError says what is wrong."""
    bare = _BARE.fullmatch(text)
    found = moment.parse(text if bare is None else text + ("Z" if bare[1] else "T00:00:00Z"))
    if not moment.EARLIEST <= found <= moment.LATEST:
        raise ValueError(f"{text[:40]!r} is not a time that can be kept, which are those of {_KEPT}")
    return found
