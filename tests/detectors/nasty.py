"""Columns that break careless formulas, by name: each gives n numbers, NaN being null and infinity invalid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.block import Floats

Make = Callable[[np.random.Generator, int], Floats]


def _some(share: float, value: float, make: Make) -> Make:
    """The same with a share of the rows replaced by one value."""
    return lambda rng, n: np.where(rng.random(n) < share, value, make(rng, n))


def _normal(rng: np.random.Generator, n: int) -> Floats:
    return rng.normal(size=n)


NUMBERS: dict[str, Make] = {
    "normal": _normal,
    "moved": lambda rng, n: rng.normal(0.7, 1.4, n),
    "far": lambda rng, n: rng.normal(100, 1, n),
    "ties": lambda rng, n: rng.integers(0, 6, n).astype(np.float64),
    "zero inflation": _some(0.8, 0.0, lambda rng, n: rng.lognormal(2, 1, n)),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n) * 10,
    "very heavy tails": lambda rng, n: rng.lognormal(0, 6, n),
    "constant": lambda _, n: np.full(n, 7.25),
    "all null": lambda _, n: np.full(n, np.nan),
    "all invalid": lambda _, n: np.full(n, np.inf),
    "nulls": _some(0.3, np.nan, _normal),
    "invalid": _some(0.1, np.inf, _normal),
    "huge integers": lambda rng, n: (2**60 + rng.integers(0, 2**20, n)).astype(np.float64),
    "times": lambda rng, n: (1_700_000_000 + rng.integers(0, 60, n)).astype(np.float64),
    "tiny": lambda rng, n: rng.normal(size=n) * 1e-300,
    "enormous": lambda rng, n: rng.normal(size=n) * 1e300,
    "one in a thousand": _some(0.999, 1.0, lambda rng, n: rng.normal(1e6, 1, n)),
}
