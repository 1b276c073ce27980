"""Rates: the share of a window's rows of which something holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from core.block import Floats
from core.measure import Measure
from detectors.interval import wilson
from detectors.law import proportions
from detectors.spec import Places, Result, Spec, estimable

NO_ROWS = "no rows"


class HasRows(Protocol):
    """Evidence of any kind."""

    @property
    def n(self) -> Floats:
        """All rows: (...)."""
        ...


E = TypeVar("E", bound=HasRows)


def rate_spec(
    about: Measure,
    evidence: type[E],
    count: Callable[[E], Floats],
    unknown: Callable[[E], str] = lambda _evidence: NO_ROWS,
    examples: Callable[[E], Callable[[Places], list[dict[str, Any]]] | None] = lambda _evidence: None,
    **more: Any,
) -> Spec[E, Any]:
    """The measure of the share of all rows that `count` counts. Where that is NaN, `unknown` says why. `examples` gives those of the result; `more` are other fields of the Spec."""

    def compute(target: E, baseline: E | None, _params: object) -> Result:
        other = None if baseline is None else (count(baseline), baseline.n)
        return replace(rate((count(target), target.n), other, unknown(target)), examples=examples(target))

    return Spec(about=about, evidence=evidence, compute=compute, no_value=NO_ROWS, **more)


def rate(target: tuple[Floats, Floats], baseline: tuple[Floats, Floats] | None = None, unknown: str = NO_ROWS) -> Result:
    """The rate of the rows that are counted, which are given with all rows, for each side; `unknown` says why a count may be NaN."""
    counted, n = target
    with np.errstate(invalid="ignore", divide="ignore"):
        value, why = estimable(counted / n, (n == 0, NO_ROWS), (np.isnan(counted), unknown))
    law = None if baseline is None else proportions(counted, n, *baseline)
    return Result(value, why, lambda phi: wilson(value, n / phi), law)
