"""Performance that is estimated before labels come, by CBPE: from the scores of predictions, and from how often such scores were right in the reference.

It assumes that a score means what it meant in the reference (`detectors.performance.assumption`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.estimate import Predicted, predictions
from detectors.interval import Z
from detectors.performance import cbpe
from detectors.performance.assumption import Errors, Truth, document, enough, notes, part, past_error, support, wrong
from detectors.performance.calibrator import calibrator
from detectors.spec import Places, Result, Spec, estimable

Flags = npt.NDArray[np.bool_]

_DOUBT = 0.02  # labels do not tell if those of rows without a score could move what they give by more
_BIAS = 2.0  # resampled references show about half of the bias of isotonic chances (`docs/calibration.md`)
LEAST_KNOWN = 10  # labelled rows of a class, and of others, that a reference must have for chances
_ASSUMED = "a score means what it meant in the reference"
NO_REFERENCE = f"the reference does not have {LEAST_KNOWN} labelled rows with a score of a class, and of others"


class EstimateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`outside`: the largest share of rows that may lie outside of the reference; `tolerance`: how far labels may be from an estimate; beyond either its assumptions are broken.

    `earlier`: how many windows before tell how wrong estimates are.
    """

    outside: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    tolerance: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    earlier: Annotated[int, msgspec.Meta(ge=0, le=50)] = 7


class Way(NamedTuple):
    """How an estimate is made: of each class, from its rows and chances; and as the `share` of all rows, or as the mean over classes.

    `realised` gives what labels give, (..., classes), or (..., 1) for a share, and by how much rows without a score may have moved it.
    """

    of_class: Callable[[Floats, Floats], cbpe.Expected]
    share: bool
    realised: Callable[[Predicted], tuple[Floats, Floats]]


class Estimate(NamedTuple):
    """An estimate (...), and the variances of it: by which rows happen to be of the class, and by which rows the reference happens to hold."""

    value: Floats
    sampling: Floats
    calibration: Floats


def assess(target: Predicted, way: Way) -> tuple[Estimate, list[Truth]]:
    """The estimate; and what labels say of it, and of those of the windows before. All are made class by class, so that each calibrator is asked for once."""
    sides = (target, *target.earlier)
    labelled = [_labelled(one) for one in sides]
    each, *of_labels = _each([target, *labelled], way)
    truths = [_truth(side, rows.n, found, way) for side, rows, found in zip(sides, labelled, of_labels, strict=True)]
    return _together(each, np.isfinite(each.value), target.n, way), truths


def _each(sides: Sequence[Predicted], way: Way) -> list[Estimate]:
    """For each side the estimate of every class, (..., classes). A class that the reference hardly has is left out of means."""
    parts = []
    for alike in zip(*(one.classes for one in sides), strict=True):
        found = _of_class(np.concatenate([one.counts for one in alike]), alike[0].known, way)
        parts.append(found if way.share else found._replace(value=np.where(few(alike[0].known), np.nan, found.value)))
    if not parts:
        return [Estimate(*(np.full((*one.n.shape, 1), np.nan),) * 3) for one in sides]
    arrays = [np.stack(held, axis=-1) for held in zip(*parts, strict=True)]
    ends = np.cumsum([len(one.n) for one in sides])[:-1]
    return [Estimate._make(held) for held in zip(*(np.split(array, ends) for array in arrays), strict=True)]


def _of_class(counts: Floats, known: Floats, way: Way) -> Estimate:
    """The estimate of a class: of its predictions (windows, segments, 2, bins), by what the reference knows (segments, 2, bins)."""
    distinct, which = np.unique(known, axis=0, return_inverse=True)
    made = [calibrator(np.ascontiguousarray(own), np.ascontiguousarray(others)) for own, others in distinct]
    chance = np.stack([one.chance for one in made])[which.ravel()]
    value, influence = way.of_class(counts, chance)
    with np.errstate(invalid="ignore"):
        sampling = ((counts * influence**2).sum(-2) * chance * (1 - chance)).sum(-1)
        gradient, calibration = (counts * influence).sum(-2), np.empty(counts.shape[:2])
        for index, one in enumerate(made):
            held = which.ravel() == index
            moved = np.matmul(gradient[:, held, None, :], (one.drawn - one.chance).T)[..., 0, :]
            calibration[:, held] = moved.var(-1) + (_BIAS * moved.mean(-1)) ** 2
    return Estimate(value, sampling, calibration)


def _together(each: Estimate, there: Flags, n: Floats, way: Way) -> Estimate:
    """The estimate from those of classes, (..., classes). Classes of a mean are taken to err together, which is conservative; rows of a share count for one class only."""
    there = np.ones_like(there) if way.share else there
    value, by_rows, by_reference = (np.where(there, one, 0.0) for one in each)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / (n if way.share else there.sum(-1))
        of_rows = by_rows.sum(-1) if way.share else np.sqrt(by_rows).sum(-1) ** 2
        return Estimate(value.sum(-1) * scale, of_rows * scale**2, np.sqrt(by_reference).sum(-1) ** 2 * scale**2)


def _labelled(target: Predicted) -> Predicted:
    """The predictions whose labels have come, by score. Which of a bin these are is not known: they name the class as often as all of the bin do."""
    classes = tuple(
        replace(one, counts=one.counts * part(one.own + one.others, one.counts.sum(-2))[..., None, :]) for one in target.classes
    )
    return replace(target, classes=classes, n=predictions(classes, binary=target.binary))


def _truth(target: Predicted, n: Floats, each: Estimate, way: Way) -> Truth:
    """What the labels give that have come, beside the estimates for the `n` rows that have them, `each` (..., classes). Labels of chosen scores are compared with estimates for these scores."""
    realised, doubt = way.realised(target)
    there = np.isfinite(each.value) & np.isfinite(realised)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, doubt = (
            (np.where(there, one, 0.0).sum(-1) / there.sum(-1) for one in (realised, doubt))
            if not way.share
            else (realised[..., 0], doubt[..., 0])
        )
    expected = _together(each, there, n, way)
    value = np.where(doubt <= _DOUBT, value, np.nan)
    apart = expected.value - value
    tells = enough(target.labels, target.n) & np.isfinite(apart) & target.known
    apart = np.sign(apart) * np.maximum(np.abs(apart) - doubt, 0.0)
    return Truth(value, apart, expected.sampling + expected.calibration, tells, target.labels, target.n)


def _accuracy(target: Predicted) -> tuple[Floats, Floats]:
    held = target.labelled
    with np.errstate(invalid="ignore", divide="ignore"):
        return (held.right.sum(-1) / held.n)[..., None], ((held.n - target.labels) / held.n)[..., None]


def _f1(target: Predicted) -> tuple[Floats, Floats]:
    held, places = target.labelled, [one.place for one in target.classes]
    below = (held.predicted + held.labelled)[..., places]
    with np.errstate(invalid="ignore", divide="ignore"):
        return 2 * held.right[..., places] / below, np.minimum(2 * (held.n - target.labels)[..., None] / below, 1.0)


def _roc_auc(target: Predicted) -> tuple[Floats, Floats]:
    """From score bins as the estimate, so that both are wrong alike by what bins leave out, and no row without a score is in it."""
    each = []
    for one in target.classes:
        positive, negative = one.own, one.others
        below = np.cumsum(negative, axis=-1) - negative / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            each.append((positive * below).sum(-1) / (positive.sum(-1) * negative.sum(-1)))
    found = np.stack(each, axis=-1) if each else np.full((*target.n.shape, 1), np.nan)
    return found, np.zeros_like(found)


def _computed(way: Callable[[Predicted], Way]) -> Callable[[Predicted, Predicted | None, EstimateParams], Result]:
    def compute(target: Predicted, _baseline: Predicted | None, params: EstimateParams) -> Result:
        how = way(target)
        found, (true, *before) = assess(target, how)
        past = past_error(before, target.n.shape)
        value, why = estimable(found.value, (~target.known, target.unknown), (_unknown(target), NO_REFERENCE))

        def interval(phi: Floats) -> tuple[Floats, Floats]:
            half = Z * np.sqrt(found.sampling * phi + found.calibration + past)
            return np.maximum(found.value - half, 0.0), np.minimum(found.value + half, 1.0)

        held = support(target.outside, target.rows, params.outside)
        broken, errors = wrong(true, value, params.tolerance), Errors(found.sampling, found.calibration, past)

        def evidence(places: Places) -> list[dict[str, Any]]:
            return [document(errors, true, held, broken, _ASSUMED, place) for place in zip(*places, strict=True)]

        return Result(value, why, interval, evidence=evidence, note=notes(true, broken, held), broken=held.far | broken)

    return compute


def few(known: Floats) -> Flags:
    """Whether the reference has too few labelled rows of a class, or of others, for chances: known (segments, 2, bins); returns (segments,)."""
    return np.asarray((known.sum(-1) < LEAST_KNOWN).any(-1))


def _unknown(target: Predicted) -> Flags:
    """Where the reference has too few labelled rows with a score, for every class: (...)."""
    none = np.array([few(one.known) for one in target.classes] or [np.ones(1, np.bool_)])
    return np.broadcast_to(none.all(0), target.n.shape)


def _spec(
    name: str, title: str, formula: str, unit: str, way: Callable[[Predicted], Way], no_value: str
) -> Spec[Predicted, EstimateParams]:
    return Spec(
        about=Measure(
            name=f"performance.estimated_{name}",
            title=f"Estimated {title}",
            formula=formula,
            unit=unit,
            judged=Judged.WORSE,
            better=1,
            tasks=(Task.BINARY, Task.MULTICLASS),
            requires=(Need.SCORES,),
        ),
        evidence=Predicted,
        compute=_computed(way),
        no_value=no_value,
        params=EstimateParams,
        earlier=lambda params: params.earlier,
    )


def _as_share(target: Predicted) -> Way:
    return Way(cbpe.right_of_two if target.binary else cbpe.right, share=True, realised=_accuracy)


SPECS = (
    _spec("accuracy", "accuracy", "expected right / n", "share", _as_share, "no prediction has a score"),
    _spec(
        "f1", "F1", "2 tp / (2 tp + fp + fn), of expected counts", "share", lambda _: Way(cbpe.f1, share=False, realised=_f1),
        "no row is predicted or expected to be of the class",
    ),
    _spec(
        "roc_auc", "ROC AUC", "P(score of a positive > score of a negative) + P(equal) / 2, of expected positives and negatives", "area",
        lambda _: Way(cbpe.roc_auc, share=False, realised=_roc_auc), "no class is expected to have rows both of its own and of others",
    ),
)  # fmt: skip
