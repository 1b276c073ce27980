"""Finds the class that a value means.

First the text is looked up as it is. If no class has it, the class that is the same number (`1.0` is `1`) or the same boolean word in any case
(`True` is `true`, and `1` in a binary model) is taken, if there is exactly one. Two known classes with different texts stay two classes: a multiclass
model may have `1.1` and `1.10`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core import text
from core.block import Categories
from core.contract import Contract, Task

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WORDS = ("true", "false")
_NO_CLASS = frozenset({text.NULL, text.INVALID})


class Classes:
    """The classes of a model, by their texts (`core.text.class_of`)."""

    def __init__(self, names: Iterable[str], *, binary: bool) -> None:
        self.names = tuple(names)
        self._exact = frozenset(self.names)
        self._binary = binary
        meanings = [_meaning(name, binary) for name in self.names]
        count = Counter(meanings)
        self._several = frozenset(meaning for meaning in meanings if count[meaning] > 1)
        self._alike = {meaning: name for meaning, name in zip(meanings, self.names, strict=True) if count[meaning] == 1}

    @staticmethod
    def of(contract: Contract) -> Classes:
        """The classes of a contract; none for a regression."""
        return _cached(contract.classes, contract.task == Task.BINARY)

    def find(self, name: str) -> str | None:
        """The class that a text means; None if it is none of them, or could be several."""
        return name if name in self._exact else self._alike.get(_meaning(name, self._binary))

    def name(self, name: str) -> str:
        """The class that a text means. A text that means none of them is a class of its own; a number or boolean word gets its plain form."""
        if name in self._exact or name in _NO_CLASS:
            return name
        meaning = _meaning(name, self._binary)
        return name if meaning in self._several else self._alike.get(meaning) or _plain(name, meaning)

    def column(self, values: Categories) -> Categories:
        """The column with each text as the class that it means, (n,)."""
        names = [self.name(one) for one in values.texts]
        if names == list(values.texts):
            return values
        table: dict[str, int] = {}
        codes = np.array([table.setdefault(name, len(table)) for name in names], np.int32)
        return Categories(codes[values.codes], list(table))

    def outside(self, values: Categories) -> npt.NDArray[np.intp]:
        """Indices of the values that mean none of the classes; null and invalid values are left out."""
        outside = [bool(self.names) and name not in _NO_CLASS and self.find(name) is None for name in values.texts]
        return np.flatnonzero(np.array(outside, np.bool_)[values.codes]) if any(outside) else np.zeros(0, np.intp)

    def columns(self, names: Iterable[str], prefix: str) -> dict[str, str]:
        """By class its column of probabilities, whose name is `prefix` and the class. Of two columns for one class the one with its exact text counts, else the first."""
        spelled = {name: text.of(name.removeprefix(prefix)) for name in names if name.startswith(prefix)}
        found = {one: name for name, one in spelled.items() if one in self._exact}
        for name, one in spelled.items():
            if (meant := self.find(one)) is not None:
                found.setdefault(meant, name)
        return found

    def spellings(self, name: str) -> tuple[str, ...]:
        """Other texts that are often written for a class: a whole number with `.0`, and in a binary model boolean words for 0 and 1."""
        other = [f"{name}.0"] if name.removeprefix("-").isdecimal() else []
        words = [spelled for word in _WORDS for spelled in (word, word.title())]
        return tuple(one for one in (*other, *words) if one not in self._exact and self.find(one) == name)


def gathered(columns: Iterable[tuple[Collection[str], bool]], *, binary: bool) -> tuple[str, ...]:
    """The classes that columns hold, in order of their texts. A column is given as the texts of its values, and whether the values are texts themselves.

    In a binary model texts that mean the same are one class, in its plain form. In a multiclass model texts that differ are different classes, and a
    number or boolean is the class of the one text that means it.
    """
    written: set[str] = set()
    typed: set[str] = set()
    for texts, is_text in columns:
        (written if is_text else typed).update(set(texts) - _NO_CLASS)
    if binary:
        return tuple(sorted({_plain(one, _meaning(one, binary)) for one in written | typed}))
    known = {_meaning(one, binary) for one in typed}
    spelled = Counter(_meaning(one, binary) for one in written)
    another = {one for one in written if _meaning(one, binary) not in known or spelled[_meaning(one, binary)] > 1}
    return tuple(sorted(typed | another))


def with_others(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The classes of a multiclass model, and a class for each other text that means none of them."""
    known, others = Classes(names, binary=False), tuple(others)
    count = Counter(_meaning(one, binary=False) for one in others)
    return tuple(sorted({*known.names, *(one for one in others if count[_meaning(one, binary=False)] > 1 or known.find(one) is None)}))


@lru_cache(maxsize=256)
def _cached(names: tuple[str, ...], binary: bool) -> Classes:
    return Classes(names, binary=binary)


def _meaning(name: str, binary: bool) -> Decimal | str:
    """What the texts of one class have in common: the number, the boolean word, or else the text."""
    if _NUMBER.fullmatch(name):
        try:
            return Decimal(name)
        except InvalidOperation:  # an exponent of many digits
            return name
    word = name.lower()
    if word not in _WORDS:
        return name
    return Decimal(word == "true") if binary else word


def _plain(name: str, meaning: Decimal | str) -> str:
    """The plain text of a number or boolean word; the text as it is for a number that no float holds."""
    if isinstance(meaning, str):
        return meaning
    plain = text.of(float(meaning))
    return plain if _NUMBER.fullmatch(plain) and Decimal(plain) == meaning else name
