"""The shift of a quantile, from bins with their sums, in units of the spread of the reference (`Column.scale`)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Kind
from core.measure import Judged
from detectors.drift.comparison import about, compared
from detectors.drift.ks import NO_NUMBERS, WIDEST
from detectors.drift.raw import REMEDY
from detectors.drift.wasserstein import NO_SPREAD
from detectors.evidence import Sums
from detectors.law import chi_square
from detectors.spec import Law, Places, Result, Spec, estimable
from detectors.summary.bins import atoms

_PART = 0.25  # of a shift, that its bound may be


class QuantileParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`q`: which quantile, 0.5 being the median."""

    q: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.5


def quantile(side: Sums, q: float) -> tuple[Floats, Floats]:
    """The least and the largest that the quantile can be, which is the k-th number with k = ceil(q n) (`inverted_cdf`): each (...), NaN without numbers.

    The bin, which `low` and `high` of all numbers narrow, holds it. So does what the bin's sum allows: the numbers below it in the bin are not below the
    bin's beginning, those above it not below itself, and the other way round.
    """
    column = side.column
    counts = side.counts[..., : column.values]
    total, reached = counts.sum(-1), np.cumsum(counts, axis=-1)
    rank = np.maximum(np.ceil(q * total), 1)
    place = np.argmax(reached >= rank[..., None], axis=-1)
    count, held, sums = (np.take_along_axis(one, place[..., None], axis=-1)[..., 0] for one in (counts, reached, side.sums))
    within = rank - (held - count)
    cuts = np.concatenate([[-np.inf], np.asarray(column.edges, np.float64), [np.inf]])
    single = atoms(column.edges)[place]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        first, last = np.fmax(cuts[place], side.low), np.fmin(cuts[place + 1], side.high)
        least = np.where(within == count, sums / count, (sums - (count - within) * last) / within)
        most = np.where(within == 1, sums / count, (sums - (within - 1) * first) / (count - within + 1))
        least, most = np.fmax(first, least), np.fmin(last, most)
    bounds = (np.where(single, cuts[place], np.minimum(least, most)), np.where(single, cuts[place], np.maximum(least, most)))
    lower, upper = (np.where(total > 0, bound, np.nan) for bound in bounds)
    return lower, upper


def _compute(target: Sums, baseline: Sums, params: QuantileParams) -> Result:
    scale = target.column.scale or np.nan
    (low, high), (least, most) = quantile(target, params.q), quantile(baseline, params.q)
    with np.errstate(invalid="ignore", over="ignore"):
        now, before = low / 2 + high / 2, least / 2 + most / 2
        shift, bound = (now - before) / scale, (high - low + most - least) / (2 * scale)
        wide = ~(bound <= np.maximum(WIDEST, _PART * np.abs(shift)))
    value, why = estimable(
        shift,
        (np.isnan(now) | np.isnan(before), NO_NUMBERS),
        (target.column.scale is None, NO_SPREAD),
        (wide, f"bins too coarse: {REMEDY}"),
    )

    def evidence(places: Places) -> list[dict[str, Any]]:
        found = (np.broadcast_to(one, value.shape)[places].tolist() for one in (now, before, bound))
        return [{"target": one, "baseline": other, "bound": width} for one, other, width in zip(*found, strict=True)]

    return Result(value, why, law=_law(target, baseline, now, params.q), evidence=evidence)


def _law(target: Sums, baseline: Sums, at: Floats, q: float) -> Law:
    """Z squared of the share of the baseline below the target's quantile against q, 0 where q lies between the shares below it and up to it.

    Within a bin numbers count as evenly spread. Source: Woodruff 1952.
    """
    column, edges = target.column, np.asarray(target.column.edges, np.float64)
    counts = baseline.counts[..., : column.values]
    n, m = target.counts[..., : column.values].sum(-1), counts.sum(-1)
    at, held = np.broadcast_arrays(at, m)[0], np.broadcast_to(counts, (*np.broadcast_shapes(at.shape, m.shape), column.values))
    place = np.searchsorted(edges, at, side="right")
    cuts = np.concatenate([[-np.inf], edges, [np.inf]])
    single = atoms(column.edges)[place]
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        first, last = np.fmax(cuts[place], baseline.low), np.fmin(cuts[place + 1], baseline.high)
        part = np.where(last > first, np.clip((at - first) / (last - first), 0.0, 1.0), 0.5)
        own, reached = (np.take_along_axis(one, place[..., None], axis=-1)[..., 0] for one in (held, np.cumsum(held, axis=-1)))
        below, upto = ((reached - own + own * share) / m for share in (np.where(single, 0.0, part), np.where(single, 1.0, part)))
        apart = np.maximum(np.maximum(below - q, q - upto), 0.0)
        return chi_square(apart**2 / (q * (1 - q) * (1 / n + 1 / m)), np.ones_like(apart))


SPEC = Spec(
    about=about(
        "quantile_shift",
        "Quantile shift",
        "(target's quantile - baseline's) / the reference's interquartile range (its standard deviation where that is 0)",
        unit="IQR",
        judged=Judged.ABSOLUTE,
        kinds=(Kind.NUMERIC,),
    ),
    evidence=Sums,
    compute=compared(_compute),
    no_value="numbers too large",
    params=QuantileParams,
)
