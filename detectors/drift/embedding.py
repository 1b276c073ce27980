"""Drift of a vector column, such as an embedding: of its distribution, its mean, its lengths, or its distances to the reference's vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Embedding, Kind
from core.measure import Judged
from detectors.drift.comparison import about, compared
from detectors.evidence import VectorSums
from detectors.interval import welch
from detectors.law import chi_square
from detectors.spec import Places, Result, Spec, estimable
from detectors.summary.vector_column import FINE, PAIRS, SQUARES, UNIT, Sums

FEW = "a side has less than two vectors"


class EmbeddingParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`of`: what is compared."""

    of: Literal["mmd", "mean_shift", "norm_shift", "nearest_reference"] = "mmd"


class _Moved(NamedTuple):
    """A value, the squared distance of both sides' means, their variances, and the degrees of freedom of that distance where nothing moved."""

    value: Floats
    apart: Floats
    variances: tuple[Floats, Floats]
    degrees: float


def _mmd(known: Embedding, at: Sums, target: VectorSums, baseline: VectorSums) -> _Moved:
    """The squared maximum mean discrepancy, unbiased: so it may be below 0. Source: Gretton et al. 2012."""
    means = [side.mean(at.fourier) / (UNIT * np.sqrt(PAIRS)) for side in (target, baseline)]
    variances = [
        side.unbiased(1 - (mean**2).sum(-1)) for side, mean in zip((target, baseline), means, strict=True)
    ]  # a row's features have the length 1
    apart = ((means[0] - means[1]) ** 2).sum(-1)
    noise = variances[0] / target.vectors + variances[1] / baseline.vectors
    return _Moved(apart - noise, apart, (variances[0], variances[1]), known.degrees)


def _mean_shift(known: Embedding, at: Sums, target: VectorSums, baseline: VectorSums) -> _Moved:
    """The distance of both means, less what rows of one law are apart on average, over the standard deviation of the baseline's vectors (the root of the sum of all variances)."""
    means = [side.mean(at.coordinates) / FINE for side in (target, baseline)]
    squares = [side.mean(at.square) / SQUARES for side in (target, baseline)]
    first, second = (
        side.unbiased(np.maximum(square - (mean**2).sum(-1), 0.0))
        for side, mean, square in zip((target, baseline), means, squares, strict=True)
    )
    apart = ((means[0] - means[1]) ** 2).sum(-1)
    value = np.sqrt(np.maximum(apart - first / target.vectors - second / baseline.vectors, 0.0) / second)
    return _Moved(value, apart, (first, second), known.degrees_of_mean)


def _statistic(place: Callable[[Sums], tuple[int, int]]) -> Callable[[Embedding, Sums, VectorSums, VectorSums], _Moved]:
    """The shift of the mean of a statistic, in standard deviations of the reference."""

    def moved(_known: Embedding, at: Sums, target: VectorSums, baseline: VectorSums) -> _Moved:
        total, square = place(at)
        means = [side.mean(total) / FINE for side in (target, baseline)]
        first, second = (
            side.unbiased(np.maximum(side.mean(square) / FINE**2 - mean**2, 0.0))
            for side, mean in zip((target, baseline), means, strict=True)
        )
        value = means[0] - means[1]
        return _Moved(value, value**2, (first, second), 1.0)

    return moved


_OF = {
    "mmd": _mmd,
    "mean_shift": _mean_shift,
    "norm_shift": _statistic(lambda at: (at.norm, at.norm_square)),
    "nearest_reference": _statistic(lambda at: (at.nearest, at.nearest_square)),
}


def _compute(target: VectorSums, baseline: VectorSums, params: EmbeddingParams) -> Result:
    known, (n, m) = target.known, (target.vectors, baseline.vectors)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        value, apart, (first, second), degrees = _OF[params.of](known, Sums.of(known), target, baseline)
        value, why = estimable(value, ((n < 2) | (m < 2), FEW))
        error = first / n + second / m if degrees == 1 else (1 / n + 1 / m) * (n * first + m * second) / (n + m)
        statistic = np.where((apart == 0) & (error == 0), 0.0, degrees * apart / error)
    law = chi_square(np.where(np.isfinite(value), statistic, np.nan), np.full(value.shape, degrees))

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        half = welch((first, second), (n / phi, m / phi))
        return value - half, value + half

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = (np.broadcast_to(one, value.shape)[places].tolist() for one in (n, m))
        return [{"vectors": int(one), "baseline_vectors": int(other)} for one, other in zip(*found, strict=True)]

    return Result(value, why, interval if params.of in {"norm_shift", "nearest_reference"} else None, law, evidence)


SPEC = Spec(
    about=about(
        "embedding",
        "Embedding drift",
        "of vectors: squared MMD by random Fourier features, or the shift of their mean, of their lengths or of their distances to the reference",
        judged=Judged.ABSOLUTE,
        kinds=(Kind.VECTOR,),
    ),
    evidence=VectorSums,
    compute=compared(_compute),
    no_value="all vectors are alike",
    params=EmbeddingParams,
)
