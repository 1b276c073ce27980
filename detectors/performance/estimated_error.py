"""Errors of a regression that are estimated before labels come, by DLE: from the features and predictions of rows, and from how large the errors of such rows were in the reference.

It assumes that rows like those of the reference have errors like theirs (`detectors.performance.assumption`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np

from core.block import Floats
from detectors.expected_error import LEAST_KNOWN, AbsoluteErrors, ExpectedErrors, RowErrors, SquaredErrors
from detectors.interval import Z
from detectors.performance.assumption import Errors, Truth, document, enough, notes, past_error, support, wrong
from detectors.performance.losses import TOO_LARGE, regression
from detectors.sample import FOLDS, LEAST
from detectors.spec import Places, Result, Spec, estimable

_ASSUMED = "rows have the errors that rows like them had in the reference"
_UNSAMPLED = "none of the rows is in the sample"
_FEW = f"fewer than {LEAST} of the rows are in the sample"
_EXACT = "all errors of the reference are 0"
GONE = "raw events are not there any more"
NO_REFERENCE = f"fewer than {LEAST_KNOWN} rows with a label are kept of the reference"


class ErrorParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`outside`: the largest share of rows that may lie outside of the reference; `tolerance`: how far labels may be from an estimate, as a share of it; beyond either its
    assumptions are broken.

    `earlier`: how many windows before tell how wrong estimates are.
    """

    outside: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    tolerance: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    earlier: Annotated[int, msgspec.Meta(ge=0, le=50)] = 7


class Way(NamedTuple):
    """A function of the mean error, and how much it rises with that."""

    of_mean: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]


class Estimate(NamedTuple):
    """An estimate (...), and its variances: by which labels rows happen to have, and which rows are in the sample; and by which rows the reference happens to hold."""

    value: Floats
    sampling: Floats
    calibration: Floats


def estimate(held: RowErrors, n: Floats, relative: float, way: Way) -> Estimate:
    """The estimate for n rows, of which some are sampled.

    The errors of rows differ from what is expected of them by `relative` times its square, on average. The trees of each fold lack its rows, so their estimates are those of a
    jackknife that leaves out a fold at a time (Efron and Tibshirani 1993, chapter 11).
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        by_labels = relative * held.square / n
        by_sample = np.maximum(held.square - held.mean**2, 0.0) * held.rows / np.maximum(held.rows - 1, 1) * (1 / held.rows - 1 / n)
        by_reference = (FOLDS - 1) / FOLDS * ((held.each - held.mean[..., None]) ** 2).sum(-1)
        squared = way.slope(held.mean) ** 2
        return Estimate(way.of_mean(held.mean), (by_labels + np.maximum(by_sample, 0.0)) * squared, by_reference * squared)


def _truth(target: ExpectedErrors, way: Way) -> Truth:
    """What labels of sampled rows give, beside the estimate for these rows."""
    held, rows = target.labelled, target.sampled.rows
    expected, value = estimate(held, held.rows, target.relative, way), way.of_mean(target.realised)
    apart = expected.value - value
    tells = enough(held.rows, rows) & np.isfinite(apart) & np.isfinite(expected.sampling + expected.calibration)
    return Truth(value, apart, expected.sampling + expected.calibration, tells, held.rows, rows)


def _computed(way: Way) -> Callable[[ExpectedErrors, ExpectedErrors | None, ErrorParams], Result]:
    def compute(target: ExpectedErrors, _baseline: ExpectedErrors | None, params: ErrorParams) -> Result:
        found, true = estimate(target.sampled, target.n, target.relative, way), _truth(target, way)
        past = past_error([_truth(one, way) for one in target.earlier], target.n.shape)
        errors = Errors(found.sampling, found.calibration, past)
        value, why = estimable(
            found.value,
            (np.full(target.n.shape, target.learned < LEAST_KNOWN), NO_REFERENCE),
            (target.gone, GONE),
            (np.full(target.n.shape, target.exact), _EXACT),
            (target.sampled.rows == 0, _UNSAMPLED),
            ((target.sampled.rows < LEAST) & (target.sampled.rows < target.n), _FEW),
            (~np.isfinite(found.value + sum(errors)), TOO_LARGE),
        )
        with np.errstate(invalid="ignore"):
            tolerance = params.tolerance * way.of_mean(target.labelled.mean)
        held, broken = support(target.outside, target.sampled.rows, params.outside), wrong(true, value, tolerance)

        def interval(phi: Floats) -> tuple[Floats, Floats]:
            half = Z * np.sqrt(errors.sampling * phi + errors.calibration + errors.past)
            return np.maximum(value - half, 0.0), value + half

        def evidence(places: Places) -> list[dict[str, Any]]:
            rows = target.sampled.rows[places].tolist()
            found = (document(errors, true, held, broken, _ASSUMED, place) for place in zip(*places, strict=True))
            return [{"rows": int(many), "reference_rows": target.learned} | one for many, one in zip(rows, found, strict=True)]

        return Result(value, why, interval, evidence=evidence, note=notes(true, broken, held), broken=held.far | broken)

    return compute


def _spec(name: str, title: str, formula: str, kind: type[ExpectedErrors], way: Way) -> Spec[ExpectedErrors, ErrorParams]:
    return Spec(
        about=regression(f"estimated_{name}", title, formula, requires=()),
        evidence=kind,
        compute=_computed(way),
        no_value=_UNSAMPLED,
        params=ErrorParams,
        earlier=lambda params: params.earlier,
        background=True,
        trained=True,
    )


def _root_slope(mean: Floats) -> Floats:
    return np.where(mean > 0, 0.5 / np.sqrt(mean), 0.0)


SPECS = (
    _spec(
        "mae", "Estimated mean absolute error", "mean of the |prediction - label| to expect", AbsoluteErrors,
        Way(lambda mean: mean, np.ones_like),
    ),
    _spec(
        "rmse", "Estimated root mean squared error", "sqrt(mean of the (prediction - label)^2 to expect)", SquaredErrors,
        Way(np.sqrt, _root_slope),
    ),
)  # fmt: skip
