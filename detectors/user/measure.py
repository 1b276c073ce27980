"""User measures: the mean of an expression over labelled rows. Each has a name of its own, `user.` and a word."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

import msgspec
import numpy as np

from core.block import Floats
from core.contract import Contract
from core.error import ConfigError
from core.measure import USER, Judged, Measure, Need
from detectors.interval import student
from detectors.labelled_rows import MOST, LabelledRows, RowSums
from detectors.law import chi_square
from detectors.spec import GONE, Law, Places, Result, Spec, estimable
from detectors.user.expression import expression

_NAME = re.compile(r"user\.[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


class UserParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Params: the `expression`, which a monitor also takes as a field of its own, and `better`, which is `more` if it is a gain."""

    expression: str
    better: Literal["less", "more"] = "less"


def _compute(target: LabelledRows, baseline: LabelledRows | None, params: UserParams) -> Result:
    """Sum of the expression / rows that have a value, with Student's interval, and against a baseline the square of Welch's t: (...)."""
    found = expression(params.expression, target.contract)
    sums = target.sums(found)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.asarray(sums.total / sums.amounts)
    value, why = estimable(
        mean,
        (target.large, f"the window has more than {MOST:,} labelled rows, which are read for a user measure: take a shorter window"),
        (sums.rows < (0 if target.sampled else target.n), GONE),
        (sums.amounts == 0, "the expression is null or not finite in all labelled rows"),
        (~np.isfinite(mean), "the sum of the expression is too large for a number"),
    )

    def interval(phi: Floats) -> tuple[Floats, Floats]:
        half = student(_variance(sums), sums.amounts / phi)
        return value - half, value + half

    def evidence(places: Places) -> list[dict[str, Any]]:
        left, read = (np.broadcast_to(one, value.shape)[places].tolist() for one in (sums.rows - sums.amounts, sums.amounts))
        return [{"measured": int(rows)} | ({"left_out": int(out)} if out else {}) for out, rows in zip(left, read, strict=True)]

    other = None if baseline is None else baseline.sums(found)
    return Result(value, why, interval, None if other is None else _law(sums, other), evidence)


def _variance(sums: RowSums) -> Floats:
    """The unbiased one, NaN for less than two rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sums.amounts > 1, sums.centred / (sums.amounts - 1), np.nan)


def _law(target: RowSums, baseline: RowSums) -> Law:
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        apart = target.total / target.amounts - baseline.total / baseline.amounts
        squared = _variance(target) / target.amounts + _variance(baseline) / baseline.amounts
        t = np.where((apart == 0) & (squared == 0), 0.0, apart**2 / squared)
    return chi_square(np.where(np.isfinite(t), t, np.nan), np.ones_like(t))


def _settled(params: UserParams, contract: Contract) -> UserParams:
    """The params, whose expression fits the contract; else ConfigError."""
    expression(params.expression, contract)
    return params


SPEC: Spec[LabelledRows, UserParams] = Spec(
    about=Measure(
        name=USER,
        title="User measure",
        formula="mean of `expression` over labelled rows",
        judged=Judged.WORSE,
        better=-1,
        requires=(Need.LABELS,),
        tested=True,
    ),
    evidence=LabelledRows,
    compute=_compute,
    no_value="no labelled rows",
    params=UserParams,
    settle=_settled,
)


def named(name: str) -> Spec[LabelledRows, UserParams] | None:
    """The measure of a name that begins with `user.`; None for other names. Raises ConfigError for a name that cannot be one."""
    if not name.startswith("user."):
        return None
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"`{name[:80]}` is no name of a user measure",
            remedy="write `user.` and a word of letters, digits, `_` and `-`, such as `user.cost`",
        )
    return replace(SPEC, about=SPEC.about.called(name))
