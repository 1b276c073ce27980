"""Events keep their meaning under another contract's layout."""

from __future__ import annotations

import numpy as np

from core.block import Categories, Predictions
from core.contract import Column, Contract, Kind, Task
from monitors.recast import recast


def contract(*columns: tuple[str, Kind], classes: tuple[str, ...] = ()) -> Contract:
    return Contract(
        model="m", version=len(columns), task=Task.MULTICLASS, features=tuple(Column(name=n, kind=k) for n, k in columns), classes=classes
    )


def texts(values: Categories) -> list[str]:
    return [values.texts[code] for code in values.codes]


def test_columns_follow_their_names() -> None:
    """Order and kinds change, a new column is null, reserved meanings stay."""
    source = contract(("a", Kind.NUMERIC), ("b", Kind.CATEGORICAL), ("c", Kind.NUMERIC), classes=("x", "y"))
    target = contract(
        ("new", Kind.NUMERIC), ("c", Kind.CATEGORICAL), ("b", Kind.NUMERIC), ("fresh", Kind.CATEGORICAL), classes=("y", "z", "x")
    )
    block = Predictions(
        id=np.array(["1", "2", "3"], object),
        ts=np.arange(3),
        version=Categories.of(["1"] * 3),
        role=Categories.of(["r"] * 3),
        prediction=Categories.of(["x", "y", "x"]),
        score=np.full(3, np.nan),
        probabilities=np.array([[0.1, 0.9]] * 3),
        numbers=(np.zeros(3), np.array([5.0, np.nan, np.inf])),
        texts=(Categories.of(["7", "null", "word"]),),
        extra=np.array([""] * 3, object),
        position=np.ones(3, np.int64),
        place=np.arange(3),
        logged=np.zeros(3, np.int64),
    )
    moved = recast(block, source, target)
    np.testing.assert_array_equal(moved.numbers[0], [np.nan] * 3)
    np.testing.assert_array_equal(moved.numbers[1], [7, np.nan, np.inf])
    assert texts(moved.texts[0]) == ["5", "null", "invalid"]
    assert texts(moved.texts[1]) == ["null"] * 3
    np.testing.assert_array_equal(moved.probabilities, [[0.9, np.nan, 0.1]] * 3)
    assert recast(block, source, source) is block
