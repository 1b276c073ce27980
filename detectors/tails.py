"""The evidence of a column's tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from core.block import Floats
from core.contract import Column


@dataclass(frozen=True)
class Tails:
    """The rows of a numeric column, those of them below the reference's p1 and those above its p99, each (...). `unknown` says why tails are NaN, "" where they are counted."""

    n: Floats
    below: Floats
    above: Floats
    column: Column
    unknown: str = ""

    empty: ClassVar[str] = "no predictions"

    def without(self, part: Self) -> Self:
        """The rows that are not among those of `part`."""
        return type(self)(self.n - part.n, self.below - part.below, self.above - part.above, self.column, self.unknown)
