"""Shows that measures of attributions equal plain numpy and scikit-learn on made rows, and that a planted leaning on a feature is found and named.

Run it as `python -m validation.explanation`; it prints a table, and ends with 1 if a line does not hold.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
from sklearn.metrics import ndcg_score

from core.block import Categories, Floats
from detectors.explain.attributions import Attributions, Influence
from detectors.explain.drift import SPEC as DRIFT
from detectors.explain.influence import SPEC as GAP
from detectors.explain.influence import association
from detectors.spec import NoParams

RUNS, ROWS, FEATURES = 200, 2_000, ("x", "group", "noise")
CLOSE, LEAST = 1e-9, 0.2  # differences that are rounding, and the gap of influence that is alarmed on


class Line(NamedTuple):
    """A line of the table."""

    what: str
    found: str
    holds: bool


class Made(NamedTuple):
    """Rows: the features, the outcome, and the attributions (rows, features)."""

    x: Floats
    group: Categories
    noise: Floats
    outcome: Floats
    attributions: Floats


def made(rng: np.random.Generator, leaning: float) -> Made:
    """Rows whose outcome x and the group tell, and noise does not; the model takes noise `leaning` times as much as x."""
    x, noise, code = rng.normal(size=ROWS), rng.normal(size=ROWS), rng.integers(0, 5, ROWS)
    outcome = (rng.random(ROWS) < 1 / (1 + np.exp(-2 * x - (code == 0)))).astype(np.float64)
    told = np.stack([2 * x, np.where(code == 0, 0.4, -0.1), 2 * leaning * noise], axis=1)
    return Made(x, Categories(code.astype(np.int32), list("abcde")), noise, outcome, told)


def evidence(rows: Made, place: int) -> Influence:
    """The evidence of one window of these rows."""
    columns = (rows.x, rows.group, rows.noise)
    found = np.array([[association(one, rows.outcome, np.zeros(ROWS, np.int64), 1)[0] for one in columns]])
    n, full = np.full(1, float(ROWS)), np.full((1, 3), float(ROWS))
    sums = Attributions(n, np.abs(rows.attributions).sum(axis=0)[None], full, FEATURES)
    return Influence(n, sums, found, place, np.zeros(1, np.bool_), n)


def plainly(rows: Made) -> Floats:
    """The gaps of all features by plain numpy."""
    groups = [rows.outcome[rows.group.codes == code] for code in range(5)]
    inside = sum(((one - one.mean()) ** 2).sum() for one in groups) / (ROWS - 5)
    epsilon = 1 - inside / rows.outcome.var(ddof=1)
    strength = [abs(np.corrcoef(one, rows.outcome)[0, 1]) for one in (rows.x, rows.noise)]
    deserved = np.array([strength[0], np.sqrt(max(0.0, epsilon)), strength[1]])
    size = np.abs(rows.attributions).mean(axis=0)
    return np.asarray(size / size.sum() - deserved / deserved.sum())


def lines(seed: int = 1) -> list[Line]:
    """All lines of the table."""
    rng = np.random.default_rng(seed)
    apart, ranked, named, raised = 0.0, 0.0, 0, 0
    for _ in range(RUNS):
        fair, leaning = made(rng, 0.02), made(rng, 1.0)
        both = [
            np.array([float(GAP.compute(evidence(rows, place), None, NoParams()).value[0]) for place in range(3)])
            for rows in (fair, leaning)
        ]
        apart = max(apart, *(float(np.abs(own - plainly(rows)).max()) for own, rows in zip(both, (fair, leaning), strict=True)))
        raised += bool((both[0] >= LEAST).any())
        named += [FEATURES[place] for place in np.flatnonzero(both[1] >= LEAST)] == ["noise"]
        sides = [evidence(rows, 0).attributions for rows in (leaning, fair)]
        value = float(DRIFT.compute(sides[0], sides[1], NoParams()).value[0])
        ranked = max(ranked, abs(value - ndcg_score(sides[1].mean, sides[0].mean)))
    return [
        Line("influence_gap, from plain numpy", f"{apart:.1e} at most", apart < CLOSE),
        Line("attribution_drift, from scikit-learn's ndcg_score", f"{ranked:.1e} at most", ranked < CLOSE),
        Line(f"a planted leaning is found (gap from {LEAST}), and only its feature is named", f"{named} of {RUNS}", named >= 0.95 * RUNS),
        Line("a model that leans on nothing is called leaning", f"{raised} of {RUNS}", raised <= 0.05 * RUNS),
    ]


if __name__ == "__main__":
    table = lines()
    for line in table:
        print(f"{line.what:<78} {line.found:>18}  {'holds' if line.holds else 'BROKEN'}")
    sys.exit(not all(line.holds for line in table))
