"""Evidence of how the events of a model come: late, copied, rejected, without a prediction, with other columns, or not at all. Blocks as in `detectors.evidence`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from core.block import Floats, Ints

Lateness = Literal["1m", "5m", "15m", "1h", "6h", "1d", "7d"]
LATE: tuple[str, ...] = get_args(Lateness)


@dataclass(frozen=True)
class Late:
    """Predictions (...), and how many of them the log took later than each time of `LATE` after their own time."""

    n: Floats
    late: Mapping[str, Floats]

    empty: ClassVar[str] = "no predictions"


@dataclass(frozen=True)
class Schema:
    """Predictions (...), and of each of `columns` how many were null and how many of a wrong type, both (..., columns).

    `usual` is the share of nulls in the reference, (columns,), NaN if there is none. `unknown` counts predictions by the column that the contract does not have: (...).
    """

    n: Floats
    columns: tuple[str, ...]
    null: Floats
    invalid: Floats
    usual: Floats
    unknown: Mapping[str, Floats]

    empty: ClassVar[str] = "no predictions"


@dataclass(frozen=True)
class Orphans:
    """Ids with a label whose time is in the window, and how many of them have no prediction, each (...)."""

    n: Floats
    orphans: Floats

    empty: ClassVar[str] = "no labels"


@dataclass(frozen=True)
class Copies:
    """Predictions that came, those that came again among them (n), and how many came again, each (...)."""

    n: Floats
    copies: Floats

    empty: ClassVar[str] = "no predictions"


@dataclass(frozen=True)
class Rejects:
    """Rows that the log took in the window, without copies that were dropped (n), and how many of them could not be used, each (...)."""

    n: Floats
    rejected: Floats

    empty: ClassVar[str] = "no rows"


@dataclass(frozen=True)
class Age:
    """Predictions (...), and how many seconds before the window's end the last one was, in this window or before it: NaN if there is none (...)."""

    n: Floats
    age: Floats

    empty: ClassVar[str] = "no predictions"


@dataclass(frozen=True)
class Volume:
    """Predictions (...), and how many the reference has in a span such as the window, `phi` times as dispersed as independent rows: NaN where it does not say (...).
    Of a baseline from the stream: how many it has in a span as long as the window.

    `windows` is how many windows of the reference gave `phi` (...). `of_reference`: n counts the reference itself.
    """

    n: Floats
    expected: Floats
    phi: Floats
    windows: Ints
    of_reference: bool = False

    empty: ClassVar[str] = "no predictions"
