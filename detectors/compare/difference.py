"""The difference of a measure between two sides of a model's predictions, and whether b may take the place of a."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from core.block import Floats
from core.measure import Measure
from core.reading import Verdict
from detectors.compare.sequence import radius, told, tuned
from detectors.compare.sums import Standing
from detectors.spec import Spec

POINT = 0.01  # the difference of shares that is to be told where a monitor says none
ROWS = 10_000.0  # rows of b that are to tell what they can, where a monitor says neither


class Of(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measure that is compared, with its params, and the column or the attribute of one that has them."""

    measure: str
    params: dict[str, Any] = {}
    column: str = ""


class DifferenceParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params: the measure `of` which sides are compared, by how much b may be worse (`margin`), and the difference from it that matters (`detect`).

    `alpha`: how often a wrong verdict may ever be given. `pair`: rows go together by `request_id`, by what their ids have before the last `separator` (`prefix`) or behind the
    first (`suffix`), or not (`none`).
    `split` is the share of b where traffic is split by chance, which is then tested.
    """

    of: str | dict[str, Any]
    margin: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    detect: Annotated[float, msgspec.Meta(gt=0)] | None = None
    alpha: Annotated[float, msgspec.Meta(gt=0, le=0.2)] = 0.05
    pair: Literal["request_id", "prefix", "suffix", "none"] = "request_id"
    separator: Annotated[str, msgspec.Meta(min_length=1, max_length=16)] = ":"
    split: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None

    @property
    def compared(self) -> Of:
        """The measure, its params and column."""
        return Of(self.of) if isinstance(self.of, str) else msgspec.convert(self.of, Of)


class Compared:
    """The evidence of comparisons: none of its own, since they are made of the readings and rows of two sides."""


class Bounds(msgspec.Struct, frozen=True):
    """How much better b is than a at least and at most, at all windows together; how many rows of b the question needs, and the difference that so many tell: arrays of one shape, NaN where not known."""

    better: Floats
    better_upper: Floats
    needed: Floats
    detects: Floats


def bounds(standing: Standing, params: DifferenceParams, unit: str, challengers: int) -> Bounds:
    """The bounds and the sample size of a comparison. Of several challengers of one side each gets its part of alpha (Bonferroni).

    The sequence is narrowest where it tells `detect`, else the margin, else a point of a share; where there is none of these, at 10,000 rows of b.
    """
    alpha = params.alpha / challengers
    wanted = params.detect or params.margin or (POINT if unit == "share" else None)
    with np.errstate(invalid="ignore", divide="ignore"):
        detects = told(standing.variance * standing.n_b / ROWS, alpha) if wanted is None else np.full(standing.gain.shape, wanted)
        tuning = tuned(detects, alpha)
        far = radius(standing.variance, tuning.width, alpha)
        needed = np.ceil(standing.n_b * standing.variance / tuning.target)
    return Bounds(standing.gain - far, standing.gain + far, needed, detects)


def verdicts(found: Bounds, margin: float, enough: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """`ready` where b is better than minus the margin, `worse` where it is not, and else, also where rows are not `enough`, `keep_waiting`."""
    said = np.full(found.better.shape, Verdict.KEEP_WAITING, object)
    with np.errstate(invalid="ignore"):
        said[enough & (found.better > -margin)] = Verdict.READY
        said[enough & (found.better_upper < -margin)] = Verdict.WORSE
    return said


def mcnemar(only_a: Floats, only_b: Floats) -> Floats:
    """McNemar's exact two-sided p-value of pairs of which only one side is right: twice the binomial tail, at most 1."""
    few, many = np.minimum(only_a, only_b), np.maximum(only_a, only_b)
    tail = np.where(many > 0, betainc(np.maximum(many, 1.0), few + 1, 0.5), 1.0)
    return np.asarray(np.minimum(1.0, 2 * tail))


SPEC: Spec[Any, DifferenceParams] = Spec(
    about=Measure(
        name="compare.difference",
        title="Difference of b from a",
        formula="measure of b - measure of a; evidence.better: how much better b is at least, over all windows so far",
        compares=True,
    ),
    evidence=Compared,
    no_value="one of the sides has no value",
    params=DifferenceParams,
)
