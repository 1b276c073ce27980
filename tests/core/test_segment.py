"""Segments are numbered without overlap and named as the interface says."""

from __future__ import annotations

import numpy as np

from core.block import Categories
from core.contract import Contract, Dimension, Task
from core.segment import Segments, grouping_of

CONTRACT = Contract(
    model="m",
    version=1,
    task=Task.REGRESSION,
    features=(),
    dimensions=(Dimension(name="carrier", values=("UA", "AA")), Dimension(name="late", values=("true", "false"))),
    crosses=(("carrier", "late"),),
)


def test_every_row_has_one_segment_of_each_grouping() -> None:
    """`all`, the value of each dimension, and the cross; other, null and invalid have their own."""
    segments = Segments(CONTRACT)
    values = {"carrier": Categories.of(["UA", "ZZ", "null", "invalid"]), "late": Categories.of(["true", "false", "null", "7"])}
    names = [[segments.name(int(number)) for number in numbers] for numbers in segments.assign(4, values)]
    assert names == [
        ["all"] * 4,
        ["carrier=UA", "carrier=other", "carrier=null", "carrier=invalid"],
        ["late=true", "late=false", "late=null", "late=other"],
        ["carrier=UA,late=true", "carrier=other,late=false", "carrier=null,late=null", "carrier=invalid,late=other"],
    ]


def test_numbers_and_names_are_one_to_one() -> None:
    """No two numbers have one name."""
    segments = Segments(CONTRACT)
    names = [segments.name(number) for number in range(segments.size)]
    assert len(set(names)) == segments.size == 1 + 5 + 5 + 25
    assert {grouping_of(name) for name in names} == set(segments.groupings)


def test_an_empty_dimension_gives_nothing() -> None:
    """No rows, no segments."""
    segments = Segments(CONTRACT)
    empty = Categories(np.zeros(0, np.int32), [])
    assert [len(numbers) for numbers in segments.assign(0, {"carrier": empty, "late": empty})] == [0, 0, 0, 0]
