"""Schema changes: which columns count as changed, and what the evidence says of them."""

from __future__ import annotations

import numpy as np

from detectors.arrival import Schema
from detectors.quality.schema_changes import SPEC
from detectors.spec import NoParams


def test_columns_that_are_missing_retyped_or_new_are_counted_and_named() -> None:
    """By at least half of the rows or values; nulls that the reference explains are no change, nor is a column of few rows."""
    side = Schema(
        n=np.array([[200.0], [4.0], [0.0]]),
        columns=("gone", "often_null", "typed", "fine"),
        null=np.array([[[200.0, 200, 100, 0]], [[4, 4, 0, 0]], [[0, 0, 0, 0]]]),
        invalid=np.array([[[0.0, 0, 50, 99]], [[0, 0, 1, 0]], [[0, 0, 0, 0]]]),
        usual=np.array([0.01, 0.98, np.nan, 0.0]),
        unknown={"added": np.array([[100.0], [0], [0]]), "stray": np.array([[99.0], [1], [0]])},
    )
    found = SPEC.compute(side, None, NoParams())
    assert found.value[:2, 0].tolist() == [3.0, 1.0]
    assert np.isnan(found.value[2, 0])
    assert found.evidence is not None
    first, second = found.evidence((np.array([0, 1]), np.array([0, 0])))
    assert first == {
        "changes": [
            {"column": "added", "change": "new", "share": 0.5},
            {"column": "gone", "change": "missing", "share": 1.0},
            {"column": "typed", "change": "type", "share": 0.5},
        ]
    }
    assert second == {"changes": [{"column": "gone", "change": "missing", "share": 1.0}]}
