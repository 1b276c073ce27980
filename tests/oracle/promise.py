"""What a regression says of where labels lie, held against labels; and bets against promised coverage. Plainly, row by row (docs/measures.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.oracle.rows import Rows
from tests.oracle.sample import Value
from tests.oracle.value import numbers

PIT, LOSS, BETS = "uncertainty.pit_uniformity", "uncertainty.quantile_loss", "uncertainty.adaptive_coverage"
LOSSES = (PIT, LOSS)


def of(measure: str, rows: Rows, held: npt.NDArray[np.int64], params: Mapping[str, Any]) -> tuple[Value, int]:
    """The value over the rows that are held, and how many count."""
    if measure == PIT and rows.spec.ensemble_prefix is not None:
        ranks = rows.once("ranks", lambda: _ranks(rows))
        found = [ranks[row] for row in held.tolist() if ranks[row] is not None]
        return _uniformity([(u, [min(max((u - low) / (high - low), 0.0), 1.0) for low, high in found]) for u in np.arange(1, 10) / 10])
    bounds = rows.once("bounds", lambda: _bounds(rows))
    cases = [bounds[row] for row in held.tolist() if bounds[row] is not None]
    level = float(rows.spec.interval[2])
    if measure == PIT:
        low, high = (1 - level) / 2, (1 + level) / 2
        below = [(low, [float(label < lower) for lower, _, label in cases])]
        return _uniformity([*below, (high, [float(label <= upper) for _, upper, label in cases])])
    quantiles = [params["q"]] if "q" in params else [(1 - level) / 2, (1 + level) / 2]
    if not cases:
        return Value(None), len(held)
    losses = [_pinball(q, case[0 if q < 0.5 else 1], case[2]) for q in quantiles for case in cases]
    return Value(math.fsum(losses) / len(losses)), len(cases)


def won(windows: Sequence[tuple[int, int]], params: Mapping[str, Any]) -> float:
    """What bets against the promise have won over their stake, of the labels held and all of each window, the newest first."""
    promise, tolerance, together = params["promise"], params.get("tolerance", 0.02), int(params.get("together", 0))  # 0: all of a window
    total = 0.0
    for side in ("low", "high"):
        most = tolerance + (1 - promise if side == "low" else promise)
        for fraction in (0.1, 0.25, 0.5, 0.9):
            bet, stake = fraction / most, 1.0
            for held, n in windows:
                hit = n - held if side == "low" else held
                if n and most < 1 and not together:
                    stake *= 1 + bet * (hit / n - most)
                elif n and most < 1:
                    stake *= ((1 + bet * (1 - most)) ** hit * (1 - bet * most) ** (n - hit)) ** (1 / together)
                total += stake
    return min(total / 8 / (2 * len(windows)), 1e12)


def _uniformity(shares: Sequence[tuple[float, Sequence[float]]]) -> tuple[Value, int]:
    n = len(shares[0][1])
    if not n:
        return Value(None), 0
    value, half = max(abs(math.fsum(share) / n - u) for u, share in shares), math.sqrt(math.log(40) / (2 * n))
    return Value(value, max(0.0, value - half), min(1.0, value + half)), n


def _pinball(q: float, bound: float, label: float) -> float:
    return q * (label - bound) if label >= bound else (1 - q) * (bound - label)


def _labels(rows: Rows) -> list[float | None]:
    """The label of each row that has a finite one, and a finite prediction."""
    said, label = (numbers(rows.frame[name]) for name in (rows.spec.prediction, rows.spec.label))
    good = rows.labelled & np.isfinite(said) & np.isfinite(label)
    return [float(one) if there else None for one, there in zip(label, good, strict=True)]


def _ranks(rows: Rows) -> list[tuple[float, float] | None]:
    """Between which shares of the members each row's label lies."""
    names = [name for name in rows.frame if str(name).startswith(str(rows.spec.ensemble_prefix))]
    found: list[tuple[float, float] | None] = []
    for label, *members in zip(_labels(rows), *(numbers(rows.frame[name]) for name in names), strict=True):
        sent = [one for one in members if not math.isnan(one)]
        if label is None or not sent or any(math.isinf(one) for one in sent):
            found.append(None)
            continue
        places = len(sent) + 1
        found.append((sum(one < label for one in sent) / places, (sum(one <= label for one in sent) + 1) / places))
    return found


def _bounds(rows: Rows) -> list[tuple[float, float, float] | None]:
    """The interval and the label of each row that has both."""
    lower, upper = (numbers(rows.frame[name]) for name in rows.spec.interval[:2])
    good = np.isfinite(lower) & np.isfinite(upper) & (lower <= upper)
    both = zip(lower.tolist(), upper.tolist(), _labels(rows), good.tolist(), strict=True)
    return [(low, high, label) if there and label is not None else None for low, high, label, there in both]
