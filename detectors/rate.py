"""Rates: the share of a window's rows of which something holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import numpy as np

from core.block import Floats
from core.measure import Measure
from detectors.interval import wilson
from detectors.law import proportions
from detectors.spec import Result, Spec, estimable

NO_ROWS = "no rows"


class HasRows(Protocol):
    """Evidence of any kind."""

    @property
    def n(self) -> Floats:
        """All rows: (...)."""
        ...


E = TypeVar("E", bound=HasRows)


def rate_spec(
    about: Measure, evidence: type[E], count: Callable[[E], Floats], unknown: Callable[[E], str] = lambda _evidence: NO_ROWS, **more: Any
) -> Spec[E, Any]:
    """The measure of the share of all rows that `count` counts. Where that is NaN, `unknown` says why. `more` are other fields of the Spec."""

    def compute(target: E, baseline: E | None, _params: object) -> Result:
        counted, n = count(target), target.n
        with np.errstate(invalid="ignore", divide="ignore"):
            value, why = estimable(counted / n, (n == 0, NO_ROWS), (np.isnan(counted), unknown(target)))
        law = None if baseline is None else proportions(counted, n, count(baseline), baseline.n)
        return Result(value, why, lambda phi: wilson(value, n / phi), law)

    return Spec(about=about, evidence=evidence, compute=compute, no_value=NO_ROWS, **more)
