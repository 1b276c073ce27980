"""Writes docs/comparisons.md: what comparisons promise, on made rows. The right verdict at the sample size that is announced while one looks at every window, few wrong ones in whole lifetimes, and biased splits.

`python -m validation.comparison` ends with 1 if a promise is broken.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from core.block import Floats
from core.reading import Verdict
from detectors.compare.difference import DifferenceParams, bounds, verdicts
from detectors.compare.loss import row_loss
from detectors.compare.split import biased
from detectors.compare.sums import Amounts, Pairs, Standing, paired, unpaired

PAGE = Path(__file__).parents[1] / "docs" / "comparisons.md"
RUNS = 1_000
WINDOW = 250  # rows of b in a window
LEAST = 200
LIFE = 400  # windows of a whole life
CERTAIN = 0.001  # a promise is called broken where chance explains what was counted less often than so

_FORM = next(one.form for one in [row_loss("performance.accuracy", {})] if one is not None)
_PARAMS = DifferenceParams("performance.accuracy", detect=0.01)


class Line(NamedTuple):
    """A line of the table: what was made, what was counted, in how many runs, and whether the promise holds."""

    made: str
    counted: str
    share: float
    holds: bool


def of_counts(wrong: Floats, n: float) -> Amounts:
    """The losses of n rows in each place, of which so many are wrong."""
    mean = wrong / n
    return Amounts(np.full(wrong.shape, n), mean, n * mean * (1 - mean))


def shadow(rng: np.random.Generator, disagreement: float, better: float, windows: int) -> Standing:
    """Pairs of a shadow that is right more often by `better`, in so many windows of each of `RUNS` runs; both are wrong in a tenth of the pairs."""
    only_b, only_a = (disagreement + better) / 2, (disagreement - better) / 2
    drawn = rng.multinomial(WINDOW, [only_a, only_b, 0.1, 0.9 - only_a - only_b], (windows, RUNS)).astype(np.float64)
    a, b, both = drawn[..., 0], drawn[..., 1], drawn[..., 2]
    mean = (a - b) / WINDOW
    more = Amounts(np.full(a.shape, float(WINDOW)), mean, (a + b) - WINDOW * mean**2)
    nothing = np.zeros_like(a)
    return paired(Pairs(of_counts(b + both, WINDOW), of_counts(a + both, WINDOW), more, nothing, nothing, a, b, a + b), _FORM)


def arms(rng: np.random.Generator, right: tuple[float, float], windows: int) -> Standing:
    """Two arms without pairs; how hard rows are goes up and down with windows, for both."""
    hard = 0.03 * np.sin(np.arange(windows) / 5)[:, None]
    each = [
        of_counts(rng.binomial(WINDOW, np.broadcast_to(1 - share + hard, (windows, RUNS))).astype(np.float64), WINDOW) for share in right
    ]
    return unpaired(each[0], each[1], _FORM)


def told(standing: Standing) -> tuple[np.ndarray, np.ndarray]:
    """The verdicts (windows, runs), and from where on the announced rows are there."""
    found = bounds(standing, _PARAMS, "share", 1)
    return verdicts(found, 0.0, standing.n_b >= LEAST), standing.n_b >= found.needed


def at_announced(made: str, standing: Standing, wanted: Verdict) -> Line:
    """How often the right verdict is given by when the announced rows are there, and no other before it."""
    said, enough = told(standing)
    last = np.where(enough.any(axis=0), enough.argmax(axis=0), len(said) - 1)
    given = said != Verdict.KEEP_WAITING
    first = np.where(given.any(axis=0), given.argmax(axis=0), len(said))
    runs = np.arange(RUNS)
    right = (first <= last) & (said[np.minimum(first, len(said) - 1), runs] == wanted)
    rows = int(np.median(standing.n_b[last, runs]))
    return Line(
        made, f"`{wanted}` within the announced rows ({rows:,} at the median)", float(right.mean()), _at_least(int(right.sum()), 0.95)
    )


def in_life(made: str, standing: Standing) -> Line:
    """How often `worse` is ever said of versions that are equal."""
    ever = (told(standing)[0] == Verdict.WORSE).any(axis=0)
    return Line(made, f"`worse` in {LIFE} windows", float(ever.mean()), _at_most(int(ever.sum()), 0.05))


def split(made: str, rng: np.random.Generator, share: float) -> Line:
    """How often a split that is meant to be half is called biased in a life."""
    b = np.cumsum(rng.binomial(2 * WINDOW, share, (LIFE, RUNS)), axis=0).astype(np.float64)
    total = 2.0 * WINDOW * np.arange(1, LIFE + 1)[:, None]
    said = biased(total - b, b, 0.5).any(axis=0)
    holds = _at_most(int(said.sum()), 0.001) if share == 0.5 else bool(said.mean() > 0.95)
    return Line(made, f"called biased in {LIFE} windows", float(said.mean()), holds)


def _at_least(hits: int, share: float) -> bool:
    return bool(binomtest(hits, RUNS, share, alternative="less").pvalue > CERTAIN)


def _at_most(hits: int, share: float) -> bool:
    return bool(binomtest(hits, RUNS, share, alternative="greater").pvalue > CERTAIN)


def lines(seed: int = 1) -> list[Line]:
    """All lines of the table."""
    rng = np.random.default_rng(seed)
    return [
        at_announced("shadow, 5 % disagree, 1 point better", shadow(rng, 0.05, 0.01, 100), Verdict.READY),
        at_announced("shadow, 5 % disagree, 1 point worse", shadow(rng, 0.05, -0.01, 100), Verdict.WORSE),
        at_announced("shadow, 20 % disagree, 1 point better", shadow(rng, 0.2, 0.01, 300), Verdict.READY),
        at_announced("two arms, 90 % and 91 % right", arms(rng, (0.9, 0.91), 300), Verdict.READY),
        in_life("shadow, 5 % disagree, equal", shadow(rng, 0.05, 0.0, LIFE)),
        in_life("shadow, 0.5 % disagree, equal", shadow(rng, 0.005, 0.0, LIFE)),
        in_life("two arms, 90 % right", arms(rng, (0.9, 0.9), LIFE)),
        in_life("two arms, 96 % right", arms(rng, (0.96, 0.96), LIFE)),
        split("split of half", rng, 0.5),
        split("split of 51 to 49", rng, 0.51),
    ]


_HEAD = """# What comparisons promise

Written by `python -m validation.comparison`, which evaluates made rows by the code of [`compare.difference`](measures.md#comparedifference): {runs:,} runs of each line, {window} rows of `b` in a window, `detect: 0.01`, and a look at every window. The announced rows are those that `evidence.needed` says.

| made | counted | share of runs |
|---|---|---:|
"""


def main() -> None:
    """Write the page; end with 1 if a promise is broken."""
    found = lines()
    rows = [f"| {line.made} | {line.counted} | {line.share:.1%}{'' if line.holds else ' **broken**'} |" for line in found]
    print("\n".join(rows))
    PAGE.write_text(_HEAD.format(runs=RUNS, window=WINDOW) + "\n".join(rows) + "\n", encoding="utf-8")
    sys.exit(not all(line.holds for line in found))


if __name__ == "__main__":
    main()
