"""How many values there are: distinct ones, one only, and ones that the reference does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.block import Floats
from core.contract import Kind
from core.measure import Measure, Subject
from detectors.contribution import new_values
from detectors.evidence import Distinct
from detectors.spec import NoParams, Places, Result, Spec, estimable

NO_VALUES = "no values"

Examples = Callable[[Distinct], Callable[[Places], list[dict[str, Any]]] | None]


def _spec(about: Measure, value: Callable[[Distinct], Floats], examples: Examples = lambda _side: None) -> Spec[Distinct, NoParams]:
    """The measure of a number that the evidence holds, of rows that have values, and its examples."""

    def compute(target: Distinct, _baseline: Distinct | None, _params: NoParams) -> Result:
        return Result(*estimable(value(target), (~target.known, target.unknown)), examples=examples(target))

    return Spec(about=about, evidence=Distinct, compute=compute, no_value=NO_VALUES)


CONSTANT = _spec(
    Measure(
        name="quality.constant",
        title="Constant",
        formula="1 if all values are one, else 0; null and invalid are no values",
        subject=Subject.COLUMN,
        better=-1,
        kinds=(Kind.NUMERIC, Kind.CATEGORICAL),
    ),
    lambda side: side.single,
)
DISTINCT = _spec(
    Measure(
        name="quality.distinct",
        title="Distinct values",
        formula="the number of distinct values; null and invalid are no values",
        brief="Distinct",
        unit="values",
        subject=Subject.COLUMN,
        kinds=(Kind.CATEGORICAL,),
    ),
    lambda side: np.where(side.n > 0, side.distinct, np.nan),
)
NEW_CATEGORIES = _spec(
    Measure(
        name="quality.new_categories",
        title="New categories",
        formula="the number of distinct values that the reference does not have",
        unit="values",
        subject=Subject.COLUMN,
        better=-1,
        kinds=(Kind.CATEGORICAL,),
    ),
    lambda side: np.where(side.n > 0, side.new, np.nan),
    lambda side: new_values(side.rows, side.n, side.unseen),
)
SPECS = (CONSTANT, DISTINCT, NEW_CATEGORIES)
