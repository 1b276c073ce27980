"""Evidence that is made of raw rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, ParamSpec, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from core.block import Floats

P = ParamSpec("P")
T = TypeVar("T")

FOLDS = 5  # parts into which rows are cut: a classifier is trained on all but one, and judged on that one
LEAST = 50  # rows of a side: with fewer a fold may have none


class Separated(NamedTuple):
    """The area under the ROC curve of rows that a classifier was not trained on, NaN if there is none, and by how much it falls if a column of these rows is permuted (columns,)."""

    auc: float
    importance: Floats

    @classmethod
    def nothing(cls, columns: int) -> Self:
        """No classifier."""
        return cls(np.nan, np.full(columns, np.nan))


class RawRows(Protocol):
    """The raw rows of a column behind a block of counts, (windows, segments); they are read when they are asked for. `place` is a window and a segment."""

    def unseen(self, place: tuple[int, int], most: int, /) -> list[tuple[str, int]]:
        """The most frequent values that the reference does not have, and how many rows have each; nothing where that is not known."""
        ...

    def numbers(self, place: tuple[int, int], /) -> Floats:
        """The finite numbers of the rows that are there, of so many as fit into memory."""
        ...

    def numbers_of_reference(self, segment: int, /) -> Floats:
        """Those of the rows of the reference that are kept."""
        ...


@dataclass(frozen=True)
class Shared:
    """Large data that many calls of `Train` take: a process that has data of this `digest` already need not be sent them again."""

    digest: bytes


class Train(Protocol):
    """Calls a function that trains trees, wherever that takes no time from others. The function is of a module, and its result depends on its arguments only."""

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of the function."""
        ...


def here(work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls it in this thread."""
    return work(*args, **kwargs)


@dataclass(frozen=True)
class Separation:
    """How well a classifier tells the sampled rows of a target from those of its baseline: `auc` (...), and by how much that falls without each of the `columns`,
    `importance` (..., columns); NaN where there is none.

    n counts all rows; `rows` and `baseline_rows` those in the samples; `gone` says where raw events of a side are not there any more; each (...).
    """

    n: Floats
    rows: Floats
    baseline_rows: Floats
    auc: Floats
    importance: Floats
    gone: npt.NDArray[np.bool_]
    columns: tuple[str, ...] = ()

    empty: ClassVar[str] = "no predictions"

    @classmethod
    def counted(cls, n: Floats) -> Self:
        """The rows of a baseline, of which no more is asked."""
        nothing = np.full(n.shape, np.nan)
        return cls(n, nothing, nothing, nothing, nothing[..., None], np.zeros(n.shape, np.bool_))
