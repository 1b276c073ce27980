"""Text columns: whether each value is a text, and statistics of its characters that need no language. The text itself is not kept.

The values of a text column are its states `text` and `empty`, and `null` and `invalid`. Its statistics are signals, `@text:<column>:<statistic>`.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core import text
from core.block import Categories, Floats
from core.contract import Column, Contract, Kind

LONGEST = 1 << 20  # bytes of UTF-8; a longer text is invalid
STATES = ("text", "empty")
PREFIX = "@text:"
SHARES = {"letters": "LM", "digits": "N", "whitespace": "Z", "punctuation": "PS"}
"""Of what characters a statistic is the share: the first letters of their Unicode categories."""
STATISTICS = ("length", "words", *SHARES, "non_ascii", "distinct")

_WIDE, _GROUPS = 8, 16  # what is added to the group of a character beyond ASCII; how many groups there are
_PORTION = 1 << 20  # characters that are counted at a time
_NULL, _INVALID = 2, 3  # codes


def column(name: str) -> Column:
    """The text column of a name. Its bins are the same in every contract."""
    return Column(name=name, kind=Kind.TEXT, categories=STATES)


def text_columns(contract: Contract) -> tuple[Column, ...]:
    """The text columns among the features of a contract."""
    return tuple(column for column in contract.features if column.kind == Kind.TEXT)


def names(column: str) -> tuple[str, ...]:
    """The names of a text column's statistics, in the order of `STATISTICS`."""
    return tuple(f"{PREFIX}{column}:{statistic}" for statistic in STATISTICS)


def usable(value: object) -> bool:
    """Whether a value is a text: a string of whole characters that is not longer than `LONGEST`."""
    if not isinstance(value, str):
        return False
    try:
        return len(value if value.isascii() else value.encode()) <= LONGEST
    except UnicodeEncodeError:  # half a character
        return False


def read(name: str, values: Sequence[object]) -> tuple[Categories, Mapping[str, Floats]]:
    """The states of n values, and their statistics by name, (n,). None is null, and what is not `usable` invalid.

    Of an empty text the shares, `distinct` among them, are null.
    """
    codes = np.fromiter((_NULL if one is None else (0 if one else 1) if usable(one) else _INVALID for one in values), np.int32, len(values))
    texts = [one if isinstance(one, str) and code < _NULL else "" for one, code in zip(values, codes.tolist(), strict=True)]
    found = np.zeros((len(STATISTICS), len(texts)))
    for rows in _portions(texts):
        found[:, rows] = _statistics(texts[rows])
    found[:, codes == _NULL], found[:, codes == _INVALID] = np.nan, np.inf
    return Categories(codes, (*STATES, text.NULL, text.INVALID)), dict(zip(names(name), found, strict=True))


def _statistics(texts: Sequence[str]) -> Floats:
    """The statistics of texts: (statistics, n)."""
    length = np.fromiter(map(len, texts), np.int64, len(texts))
    row = np.repeat(np.arange(len(texts)), length)
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), np.uint32)
    counts = np.bincount(row * _GROUPS + _groups()[codes], minlength=len(texts) * _GROUPS).reshape(len(texts), 2, _WIDE)
    distinct = np.fromiter((len(set(one)) for one in texts), np.int64, len(texts))
    parts = np.stack([*counts.sum(1).T[: len(SHARES)], counts[:, 1].sum(1), distinct])
    with np.errstate(invalid="ignore"):
        shares = parts / length  # 0 / 0 is null
    return np.stack([length, np.fromiter((len(one.split()) for one in texts), np.int64, len(texts)), *shares]).astype(np.float64)


@lru_cache(1)
def _groups() -> npt.NDArray[np.uint8]:
    """The group of every character: the place of its share in `SHARES`, or the next number, and `_WIDE` more beyond ASCII."""
    place = {letter: index for index, letters in enumerate(SHARES.values()) for letter in letters}
    rest, blank = len(SHARES), list(SHARES).index("whitespace")
    every = map(chr, range(sys.maxunicode + 1))
    found = np.fromiter((blank if one.isspace() else place.get(unicodedata.category(one)[0], rest) for one in every), np.uint8)
    found[128:] += _WIDE
    return found


def _portions(texts: Sequence[str]) -> Iterator[slice]:
    """Slices of the texts with about `_PORTION` characters each."""
    low = size = 0
    for place, one in enumerate(texts, 1):
        size += len(one)
        if size >= _PORTION or place == len(texts):
            yield slice(low, place)
            low, size = place, 0
