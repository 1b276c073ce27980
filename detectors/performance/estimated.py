"""Performance that is estimated before labels come, by CBPE: from the scores of predictions, and from how often such scores were right in the reference.

It assumes that a score means what it meant in the reference. Two checks say where that does not hold: the share of rows that lie where the reference has none, at once; and the
labels, once at least half of a window's rows have one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.block import Floats
from core.contract import Task
from core.measure import Judged, Measure, Need
from detectors.estimate import ClassScores, Predicted
from detectors.interval import Z
from detectors.performance import cbpe
from detectors.performance.average import Average
from detectors.performance.calibrator import calibrator
from detectors.performance.f_score import f_score
from detectors.spec import Places, Result, Spec, estimable

Flags = npt.NDArray[np.bool_]

LEAST, SHARE = 30, 0.5  # labels that tell how wrong an estimate is: so many, and of such a share of the rows
_APART = 3.0  # standard errors between an estimate and what labels give, that are no chance
NO_REFERENCE = "the reference has no labelled rows with a score"


class EstimateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`outside`: the largest share of rows that may lie outside of the reference; `tolerance`: how far labels may be from an estimate; beyond either its assumptions are broken.

    `earlier`: how many windows before tell how wrong estimates are.
    """

    outside: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    tolerance: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    earlier: Annotated[int, msgspec.Meta(ge=0, le=50)] = 7


class Way(NamedTuple):
    """How an estimate is made: of each class, from its rows and chances; as the mean over classes, or as the `share` of all rows; and of labelled rows."""

    of_class: Callable[[Floats, Floats], cbpe.Expected]
    share: bool
    realised: Callable[[Predicted], Floats]


class Estimate(NamedTuple):
    """An estimate (...), and the variances of it: by which rows happen to be of the class, and by which rows the reference happens to hold."""

    value: Floats
    sampling: Floats
    calibration: Floats


class Truth(NamedTuple):
    """What labels give (...), how far the estimate is from it, the variance of that by chance, and where there are enough labels to tell."""

    value: Floats
    apart: Floats
    variance: Floats
    tells: Flags


def estimate(target: Predicted, way: Way) -> Estimate:
    """The estimate. Classes of a mean are taken to err together, which is conservative; rows of a share count for one class only."""
    parts = [_of_class(one, way) for one in target.classes]
    if not parts:
        return Estimate(*(np.full(target.n.shape, np.nan),) * 3)
    value, sampling, calibration = (np.stack(arrays) for arrays in zip(*parts, strict=True))
    there = np.isfinite(value)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = 1 / (target.n if way.share else there.sum(0))
        total = np.where(there, value, 0.0).sum(0) if not way.share else value.sum(0)
        by_rows = np.where(there, sampling, 0.0)
        of_rows = by_rows.sum(0) if way.share else np.sqrt(by_rows).sum(0) ** 2
        of_reference = np.sqrt(np.where(there, calibration, 0.0)).sum(0) ** 2
        return Estimate(np.asarray(total * scale), of_rows * scale**2, of_reference * scale**2)


def _of_class(rows: ClassScores, way: Way) -> Estimate:
    made = [calibrator(np.ascontiguousarray(own), np.ascontiguousarray(others)) for own, others in rows.known]
    chance, drawn = np.stack([one.chance for one in made]), np.stack([one.drawn for one in made])
    value, influence = way.of_class(rows.counts, chance)
    with np.errstate(invalid="ignore"):
        sampling = ((rows.counts * influence**2).sum(-2) * chance * (1 - chance)).sum(-1)
        gradient = (rows.counts * influence).sum(-2)
        moved = np.matmul(gradient[..., None, :], (drawn - chance[:, None]).swapaxes(-1, -2))[..., 0, :]
        return Estimate(value, sampling, (moved**2).mean(-1))


def truth(target: Predicted, found: Estimate, way: Way) -> Truth:
    """What the labels give that have come, beside the estimate."""
    value, labels = way.realised(target), target.labelled.n
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = found.sampling * target.n / labels + found.calibration
        apart = found.value - value
    return Truth(value, apart, variance, (labels >= np.maximum(LEAST, SHARE * target.n)) & np.isfinite(apart))


def past_error(target: Predicted, way: Way) -> Floats:
    """The mean squared error of the estimates of earlier windows with enough labels, as far as it is larger than by chance; 0 without such windows."""
    held = [truth(one, estimate(one, way), way) for one in target.earlier]
    if not held:
        return np.zeros(target.n.shape)
    tells = np.stack([one.tells for one in held])
    beyond = np.stack([np.where(one.tells, one.apart**2 - one.variance, 0.0) for one in held])
    return np.asarray(np.maximum(beyond.sum(0) / np.maximum(tells.sum(0), 1), 0.0))


def _accuracy(target: Predicted) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(target.labelled.right.sum(-1) / target.labelled.n)


def _f1(target: Predicted) -> Floats:
    return f_score(target.labelled, Average())


def _roc_auc(target: Predicted) -> Floats:
    """From score bins as the estimate, so that both are wrong alike by what bins leave out."""
    each = []
    for one in target.classes:
        positive, negative = one.own, one.others
        below = np.cumsum(negative, axis=-1) - negative / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            each.append((positive * below).sum(-1) / (positive.sum(-1) * negative.sum(-1)))
    found = np.stack(each) if each else np.full((1, *target.n.shape), np.nan)
    there = np.isfinite(found)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(there, found, 0.0).sum(0) / there.sum(0))


def _computed(way: Callable[[Predicted], Way]) -> Callable[[Predicted, Predicted | None, EstimateParams], Result]:
    def compute(target: Predicted, _baseline: Predicted | None, params: EstimateParams) -> Result:
        how = way(target)
        found, past = estimate(target, how), past_error(target, how)
        true = truth(target, found, how)
        value, why = estimable(found.value, (~target.known, target.unknown), (_unknown(target), NO_REFERENCE))

        def interval(phi: Floats) -> tuple[Floats, Floats]:
            half = Z * np.sqrt(found.sampling * phi + found.calibration + past)
            return np.maximum(found.value - half, 0.0), np.minimum(found.value + half, 1.0)

        share = {name: _share(rows, target.rows) for name, (rows, _) in target.outside.items()}
        beyond = {name: share[name] - chance > params.outside for name, (_, chance) in target.outside.items()}
        far = np.any([np.zeros(value.shape, np.bool_), *beyond.values()], axis=0)
        wrong = true.tells & (np.abs(true.apart) > np.maximum(params.tolerance, _APART * np.sqrt(true.variance)))
        note = _note(target, true, wrong, {name: np.where(beyond[name], share[name], np.nan) for name in share})

        def evidence(places: Places) -> list[dict[str, Any]]:
            return [_document(found, past, true, target, share, (far, wrong), place) for place in zip(*places, strict=True)]

        return Result(value, why, interval, evidence=evidence, note=note, broken=far | wrong)

    return compute


def _unknown(target: Predicted) -> Flags:
    """Where the reference has no labelled rows with a score: (...)."""
    empty = np.array([one.known.sum((-2, -1)) == 0 for one in target.classes] or [[True]])
    return np.broadcast_to(empty.any(0), target.n.shape)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(part / np.maximum(whole, 1.0))


def _note(target: Predicted, true: Truth, wrong: Flags, far: dict[str, Floats]) -> npt.NDArray[np.object_]:
    """What a reading says: how much is outside of the reference, and what labels give. (...), None where there is nothing to say."""
    note = np.full(true.value.shape, None, object)
    for place in zip(*np.nonzero(np.isfinite(true.value)), strict=True):
        said = "assumptions broken: " if wrong[place] else ""
        note[place] = f"{said}labels of {int(target.labelled.n[place])} of {int(target.n[place])} rows give {true.value[place]:.6g}"
    for name, share in far.items():
        for place in zip(*np.nonzero(np.isfinite(share)), strict=True):
            outside = f"{name} of {100 * share[place]:.3g} % of the rows lie where the reference has none"
            note[place] = outside if note[place] is None else f"{outside}; {note[place]}"
    return note


def _document(
    found: Estimate, past: Floats, true: Truth, target: Predicted, share: dict[str, Floats], broken: tuple[Flags, Flags], place: Any
) -> dict[str, Any]:
    """The evidence of one place."""
    far, wrong = (bool(one[place]) for one in broken)
    concept = {"assumption": "a score means what it meant in the reference", "holds": not wrong if true.tells[place] else None}
    support = {"assumption": "rows lie where the reference has some", "holds": not far}
    held = {
        "assumptions": [support | {"outside": {name: float(one[place]) for name, one in share.items()}}, concept],
        "sampling_error": float(np.sqrt(found.sampling[place])),
        "calibration_error": float(np.sqrt(found.calibration[place])),
        "past_error": float(np.sqrt(past[place])),
    }
    if np.isfinite(true.value[place]):
        held |= {"realised": float(true.value[place]), "labelled": int(target.labelled.n[place])}
    return held


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
