"""Conditional demographic disparity: whether a group is a larger part of the refused than of the accepted, among rows that are alike in one dimension.

Source: Wachter, Mittelstadt and Russell 2021, Why fairness cannot be automated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract
from core.error import ConfigError
from detectors.by_group import PredictionsByGroup
from detectors.fairness.comparison import GAP, NO_GAP, TOO_FEW, about
from detectors.fairness.option import POINTS, Positive, with_positive
from detectors.fairness.selection import UNBINNED, selected
from detectors.interval import Z
from detectors.simultaneous import bonferroni
from detectors.spec import Places, Result, Spec, estimable

_MOST = 200  # groups in evidence


class DisparityParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`by`: the dimension of the attribute, a cross, in whose values rows are alike; the groups are those of the other dimensions. Groups with fewer rows than `min_group` are left out.

    `relevant`: the least disparity that matters. `positive`: the class that counts as accepted; of a binary model its positive class by default.
    """

    by: str
    min_group: Annotated[int, msgspec.Meta(ge=1)] = 30
    relevant: Annotated[float, msgspec.Meta(gt=0)] = POINTS
    positive: Positive = None


@dataclass(frozen=True)
class Disparity:
    """Of each group (..., groups): its disparity with its variance, its rows n, and whether it is kept. `rows` (...) are those that count: of strata where some are accepted and some refused."""

    names: tuple[str, ...]
    value: Floats
    variance: Floats
    n: Floats
    rows: Floats


def disparity(accepted: Floats, n: Floats) -> tuple[Floats, Floats, Floats]:
    """Sum over strata of n_i / n times (share of the group among the refused - its share among the accepted), its variance, and the rows n that count.

    accepted, n: rows of each group and stratum (..., groups, strata); returns (..., groups) twice, and (...). A stratum in which all are accepted, or all refused, does not count.
    """
    refused = n - accepted
    yes, no = accepted.sum(-2), refused.sum(-2)
    counts = (yes > 0) & (no > 0)
    rows = np.where(counts, yes + no, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = (rows / rows.sum(-1, keepdims=True))[..., None, :]
        among_no, among_yes = refused / no[..., None, :], accepted / yes[..., None, :]
        spread = among_no * (1 - among_no) / no[..., None, :] + among_yes * (1 - among_yes) / yes[..., None, :]
        there = counts[..., None, :]
        value, variance = (np.where(there, term, 0.0).sum(-1) for term in (weight * (among_no - among_yes), weight**2 * spread))
    some = (rows.sum(-1) > 0)[..., None]
    return np.where(some, value, np.nan), np.where(some, variance, np.nan), rows.sum(-1)


def _of(groups: PredictionsByGroup, params: DisparityParams) -> Disparity | None:
    """The disparity of the groups of an attribute; None if it is no cross of `by` and others."""
    parts = [dict(part.partition("=")[::2] for part in name.split(",")) for name in groups.names]
    if params.by not in parts[0] or len(parts[0]) < 2:
        return None
    own = [",".join(f"{name}={value}" for name, value in one.items() if name != params.by) for one in parts]
    names, strata = tuple(dict.fromkeys(own)), list(dict.fromkeys(one[params.by] for one in parts))
    rate = selected(groups.of, params.positive)
    shape = (*rate.whole.shape[:-1], len(names), len(strata))
    accepted, n = np.zeros(shape), np.zeros(shape)
    for at, (name, part) in enumerate(zip(own, parts, strict=True)):
        place = (..., names.index(name), strata.index(part[params.by]))
        accepted[place], n[place] = rate.count[..., at], rate.whole[..., at]
    value, variance, rows = disparity(accepted, n)
    return Disparity(names, value, variance, n.sum(-1), rows)


def _compute(groups: PredictionsByGroup, _baseline: object, params: DisparityParams) -> Result:
    found, shape = _of(groups, params), groups.n.shape
    if found is None:
        no_cross = f"the attribute is no cross of `{params.by}` and another dimension"
        return Result(np.full(shape, np.nan), np.full(shape, no_cross, object))
    kept = (found.n >= params.min_group) & np.isfinite(found.value)
    unbinned = np.asarray(np.isnan(selected(groups.of, params.positive).count).any(-1))
    few = np.asarray((kept.sum(-1) < 2) & ~unbinned & (found.rows > 0))
    largest = np.where(kept, found.value, -np.inf).max(-1)
    value, why = estimable(
        largest,
        (unbinned, UNBINNED),
        (found.rows == 0, "among rows that are alike all are accepted or all refused"),
        (few, f"fewer than two groups have {params.min_group} rows"),
    )

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        half = bonferroni(kept.sum(-1))[..., None] * np.sqrt(found.variance * np.asarray(phi, np.float64)[..., None])
        return tuple(np.maximum(np.where(kept, side, -np.inf).max(-1), 0.0) for side in (found.value - half, found.value + half))

    def evidence(places: Places) -> list[dict[str, Any]]:
        lower, upper = (np.broadcast_to(one, shape)[places].tolist() for one in interval(np.ones(1)))
        taken = Disparity(found.names, *(one[places] for one in (found.value, found.variance, found.n, found.rows)))
        rows = groups.n[places]
        return [
            {"answer": GAP if low > 0 else NO_GAP if high < params.relevant else TOO_FEW, "groups": _groups(taken, kept[places], row)}
            | ({"left_out": int(rows[row] - taken.rows[row])} if rows[row] > taken.rows[row] else {})
            for row, (low, high) in enumerate(zip(lower, upper, strict=True))
        ]

    return Result(value, why, interval, evidence=evidence, few=few)


def _groups(taken: Disparity, kept: Any, row: int) -> list[dict[str, Any]]:
    """The groups of a place with any row, those with the largest disparity first."""
    half, found = Z * np.sqrt(taken.variance[row]), []
    for at in np.argsort(-np.where(kept[row], taken.value[row], -np.inf), kind="stable").tolist()[:_MOST]:
        if not taken.n[row, at]:
            continue
        shown = bool(kept[row, at])
        numbers = (taken.value[row, at], taken.value[row, at] - half[at], taken.value[row, at] + half[at])
        named = dict(zip(("value", "lower", "upper"), (float(one) if shown else None for one in numbers), strict=True))
        found.append({"group": taken.names[at], "n": int(taken.n[row, at]), **named, "suppressed": not shown})
    return found


def _settled(params: DisparityParams, contract: Contract) -> DisparityParams:
    crosses = [cross for cross in contract.crosses if params.by in cross]
    if not crosses:
        known = ", ".join("*".join(cross) for cross in contract.crosses) or "none"
        raise ConfigError(f"`params.by`: no declared cross holds `{params.by}`", remedy=f"crosses: {known}")
    return with_positive(params, contract)


SPEC: Spec[PredictionsByGroup, DisparityParams] = Spec(
    about=about(
        "conditional_demographic_disparity",
        "Conditional demographic disparity",
        "largest of the groups' sums of n_i / n (share of the refused - share of the accepted) over strata i",
        brief="Disparity",
        requires=(),
    ),
    evidence=PredictionsByGroup,
    compute=_compute,
    no_value="no group has a value",
    params=DisparityParams,
    settle=_settled,
)
