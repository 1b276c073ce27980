"""Which slices are looked at, and how many rows."""

from __future__ import annotations

import numpy as np

from core.contract import Column, Contract, Kind, Task
from detectors.catalogue import MEASURES
from detectors.cause.harm import way
from detectors.cause.rows import Axis, Rows
from detectors.cause.slices import slices
from detectors.cause.way import Way
from monitors.cause.sides import MOST, most


def test_dimensions_are_crossed_wherever_they_stand_among_many_columns() -> None:
    """The last two of 40 columns are dimensions: rows with the first value of both are bad, and are found as their cross."""
    rng = np.random.default_rng(1)
    names = [f"c{place}" for place in range(40)]
    every = [Axis(Column(name=name, kind=Kind.CATEGORICAL), ("a", "b"), declared=name in names[-2:]) for name in names]

    def rows(*, broken: bool) -> Rows:
        codes = rng.integers(0, 2, (40, 2_000))
        inside = (codes[38] == 0) & (codes[39] == 0)
        harm = (rng.random(2_000) < np.where(inside & broken, 0.6, 0.1)).astype(np.float64)
        return Rows(codes, harm, np.arange(2_000), 2_000)

    found = slices(every, rows(broken=True), rows(broken=False), Way())
    assert found[0].name == "c38=a,c39=a"


def test_a_user_measure_is_not_the_one_whose_name_it_has() -> None:
    """`user.accuracy` is the mean of an expression: slices have no value of it, which would be that of the accuracy."""
    contract = Contract(model="m", version=1, task=Task.BINARY, features=(), classes=("0", "1"), positive="1")
    assert way(MEASURES["performance.accuracy"], {}, contract, 0.1).exact
    assert not way(MEASURES["user.accuracy"], {}, contract, 0.1).exact
    assert not way(MEASURES["user.recall"], {}, contract, 0.1).exact


def test_of_a_wide_model_fewer_rows_are_read() -> None:
    """So that what is held of a side does not grow with the columns."""

    def wide(columns: int) -> Contract:
        features = tuple(Column(name=f"c{place}", kind=Kind.NUMERIC) for place in range(columns))
        return Contract(model="m", version=1, task=Task.REGRESSION, features=features)

    assert most(wide(100)) == MOST
    assert most(wide(1_000)) * 1_000 <= 6_000_000
