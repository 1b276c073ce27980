"""What events say of where their label lies, which labels then tell: intervals and ensembles of a regression, and sets of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core import text
from core.block import Floats, Ints
from core.classes import Classes
from core.contract import Contract, Task
from core.extra import WRONG, fields_of

INTERVAL, SET, ENSEMBLE = "@interval_width", "@set_size", "@ensemble_std"  # the signals of contracts whose events have them


def has(contract: Contract, *signals: str) -> bool:
    """Whether a contract has one of these signals."""
    return any(column.name in signals for column in contract.signals)


def told(contract: Contract) -> bool:
    """Whether labels of a contract's events are held against what these say of them."""
    return has(contract, INTERVAL, SET) or (contract.task == Task.REGRESSION and has(contract, ENSEMBLE))


def intervals(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """The bounds of intervals, both NaN where one is missing or invalid or they are crossed: (n,) each."""
    good = np.isfinite(lower) & np.isfinite(upper) & (lower <= upper)
    return np.where(good, lower, np.nan), np.where(good, upper, np.nan)


def ensembles(members: Floats, counts: Ints) -> Floats:
    """The members of each row's ensemble, (n, most members of a row), NaN behind the last. `members` are those of all rows, one after the other, `counts` how many each has."""
    many = np.maximum(counts, 0)
    found = np.full((len(many), int(many.max(initial=0))), np.nan)
    found[np.arange(found.shape[1]) < many[:, None]] = members
    return found


def sets(contract: Contract, values: Sequence[object], row: Ints, there: Sequence[bool]) -> Floats:
    """Which classes are in the set of each row, (n, classes): 1 or 0, NaN in rows without a set (`there` is false).

    `values` are the members of all sets, one after the other, and `row` the row of each. A member that is no class of the contract is left out.
    """
    found = np.where(np.asarray(there, np.bool_)[:, None], 0.0, np.nan) * np.ones(len(contract.classes))
    known, binary = Classes.of(contract), contract.task == Task.BINARY
    code = {name: index for index, name in enumerate(contract.classes)}
    codes: dict[tuple[type, object], int] = {}
    for at, value in zip(row.tolist(), values, strict=True):
        key = (type(value), value)
        if key not in codes:
            codes[key] = code.get(known.find(text.class_of(value, binary=binary)) or "", -1)
        if codes[key] >= 0:
            found[at, codes[key]] = 1.0
    return found


def regions(contract: Contract, events: Sequence[Any]) -> dict[str, Any]:
    """The intervals and ensembles of a regression's events, or the sets of a classifier's, as fields of `core.block.Outcomes`. `events` are as `core.extra.read` gives them."""
    if contract.task == Task.REGRESSION:
        fields = fields_of({"interval", *(["ensemble"] if has(contract, ENSEMBLE) else [])}, events)
        found = {"interval": intervals(fields.numbers["interval.lower"], fields.numbers["interval.upper"])}
        return found | ({"ensemble": ensembles(fields.members, fields.counts)} if has(contract, ENSEMBLE) else {})
    held = [None if event.prediction_set is WRONG else event.prediction_set for event in events]
    lengths = np.array([0 if one is None else len(one) for one in held], np.int64)
    values = [value for one in held if one for value in one]
    return {"sets": sets(contract, values, np.repeat(np.arange(len(held)), lengths), [one is not None for one in held])}
