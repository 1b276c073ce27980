"""What measures that compare the counts of a target and a baseline have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
import numpy as np

from core.baseline.reference import Reference
from core.block import Floats
from core.measure import Measure, Subject
from detectors.contribution import at, bin_names, documents
from detectors.documents import Documents
from detectors.evidence import Counts
from detectors.interval import noncentralities
from detectors.law import chi_square
from detectors.rate import HasRows
from detectors.spec import NoParams, Places, Result, Spec
from detectors.unseen import expecting

EMPTY = "one side has no rows"

Terms = Callable[[Floats, Floats], Floats]
E = TypeVar("E", bound=HasRows)
P = TypeVar("P", bound=msgspec.Struct)


def shares(target: Floats, baseline: Floats) -> tuple[Floats, Floats]:
    """The shares of all bins as they are, nothing added: counts (..., bins) to shares, NaN where a side is empty."""
    with np.errstate(invalid="ignore"):
        return target / target.sum(-1, keepdims=True), baseline / baseline.sum(-1, keepdims=True)


def in_use(target: Floats, baseline: Floats) -> Floats:
    """How many bins hold a row of either side: (..., bins) to (...)."""
    return np.asarray(((target + baseline) > 0).sum(-1), np.float64)


def per_row(target: Counts, baseline: Counts) -> Floats:
    """H = 1/n + 1/m: (...)."""
    with np.errstate(divide="ignore"):
        return np.asarray(1 / target.n + 1 / baseline.n)


def compared(compute: Callable[[E, E, P], Result]) -> Callable[[E, E | None, P], Result]:
    """The `compute` of a measure that has no value without a baseline, from one that gets a baseline always."""

    def compute_if_compared(target: E, baseline: E | None, params: P) -> Result:
        return Result(np.full(target.n.shape, np.nan)) if baseline is None else compute(target, baseline, params)

    return compute_if_compared


def comparison(distance: Callable[[Counts, Counts], Result]) -> Callable[[Counts, Counts | None, NoParams], Result]:
    """The `compute` of a measure without params, from a function for the distance of target and baseline. The p-value allows for categories that a reference has not seen."""

    def both(target: Counts, baseline: Counts, _params: NoParams) -> Result:
        found = distance(target, baseline)
        return found if baseline.once is None else replace(found, expected=distance(target, expecting(baseline)).law)

    return compared(both)


def divergence(value: Floats, scaled: Floats, back: Callable[[Floats], Floats], h: Floats, degrees: Floats) -> Result:
    """A value of which `scaled / h` is chi-square with `degrees` degrees of freedom where nothing moved, and noncentral where something did.

    `back` gives the value whose `scaled` is given. The interval is that of the population's value, which the value itself overstates.
    """

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        with np.errstate(invalid="ignore"):
            lower, upper = noncentralities(scaled / (phi * h), degrees)
        return back(phi * h * lower), back(phi * h * upper)

    with np.errstate(invalid="ignore"):
        return Result(value, interval=interval, law=chi_square(scaled / h, degrees))


def evidence(target: Counts, baseline: Counts, terms: Terms) -> Callable[[Places], Documents]:
    """The contributions of bins to a sum of terms, which are made of both sides' counts by bin."""
    shape = np.broadcast_shapes(target.counts.shape, baseline.counts.shape)[:-1]

    def found(places: Places) -> Documents:
        counts = at(target.counts, shape, places), at(baseline.counts, shape, places)
        return documents(target.column, bin_names(target.column), *shares(*counts), terms(*counts))

    return found


def distance_spec(about: Measure, compute: Callable[[Counts, Counts | None, NoParams], Result]) -> Spec[Counts, NoParams]:
    """The measure of a distance between the counts of two sides."""
    return Spec(about=about, evidence=Counts, compute=compute, no_value=EMPTY)


def about(name: str, title: str, formula: str, brief: str = "", **more: Any) -> Measure:
    """The `Measure` of a distance between two sides: for columns, with the reference as usual baseline; less is better unless `more` says otherwise."""
    usual: dict[str, Any] = {"subject": Subject.COLUMN, "better": -1, "compares": True, "usual_baseline": Reference(), "tested": True}
    return Measure(name=f"drift.{name}", title=title, formula=formula, brief=brief, **(usual | more))
