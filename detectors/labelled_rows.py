"""The evidence `LabelledRows`: labelled rows, of each of which an expression gives an amount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from core.block import Floats
from core.contract import Contract
from detectors.user.expression import Expression

Flags = npt.NDArray[np.bool_]

MOST = 500_000  # labelled rows of a window that are read


class RowSums(NamedTuple):
    """The rows that came, those with an amount, the sum of the amounts, and the sum of squares about their mean: (...) each."""

    rows: Floats
    amounts: Floats
    total: Floats
    centred: Floats

    def joined(self, other: RowSums) -> RowSums:
        """The sums of these rows and others (Chan, Golub and LeVeque 1983)."""
        count = self.amounts + other.amounts
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            apart = self.total / self.amounts - other.total / other.amounts
            between = np.where((self.amounts > 0) & (other.amounts > 0), apart**2 * self.amounts * other.amounts / count, 0.0)
        return RowSums(self.rows + other.rows, count, self.total + other.total, self.centred + other.centred + between)

    def without(self, part: RowSums) -> RowSums:
        """The sums of the rows that are not among those of `part`, which turns `joined` round."""
        count, total = self.amounts - part.amounts, self.total - part.total
        with np.errstate(invalid="ignore", divide="ignore"):
            apart = total / count - part.total / part.amounts
            between = np.where((count > 0) & (part.amounts > 0), apart**2 * count * part.amounts / self.amounts, 0.0)
        return RowSums(self.rows - part.rows, count, total, np.maximum(self.centred - np.nan_to_num(part.centred) - between, 0.0))


@dataclass(frozen=True)
class LabelledRows:
    """n labelled rows (...) of the events of a contract; `sums` reads them, and sums an expression. `large`: a window has more than `MOST` (...).

    `sampled`: the rows are those that are kept of a reference, else all of them.
    """

    n: Floats
    large: Flags
    contract: Contract
    sums: Callable[[Expression], RowSums]
    sampled: bool = False

    empty: ClassVar[str] = "no labelled predictions"

    def without(self, part: LabelledRows) -> LabelledRows:
        """The rows that are not among those of `part`."""

        def sums(amount: Expression) -> RowSums:
            return self.sums(amount).without(part.sums(amount))

        return LabelledRows(self.n - part.n, self.large | part.large, self.contract, sums, self.sampled)
