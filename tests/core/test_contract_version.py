"""What a version of a contract changed is told in sentences."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core import moment
from core.contract import Column, Contract, Dimension, Kind, Task
from core.contract_version import changes

CITY = Column(name="city", kind=Kind.CATEGORICAL, categories=("rome", "milan"))
AGE = Column(name="age", kind=Kind.NUMERIC, edges=(1.0,))
BEFORE = Contract(
    model="m",
    version=1,
    task=Task.MULTICLASS,
    features=(AGE, CITY),
    dimensions=(Dimension(name="city", values=("rome", "milan")),),
    classes=("a", "b"),
)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ()),
        ({"features": (AGE,)}, ("without feature city",)),
        ({"features": (AGE, CITY, Column(name="x", kind=Kind.NUMERIC))}, ("new feature x",)),
        (
            {"features": (AGE, msgspec.structs.replace(CITY, categories=("rome", "turin")))},
            ("city has the new category turin", "city has no milan any more"),
        ),
        ({"features": (AGE, msgspec.structs.replace(CITY, others=("turin", "bari")))}, ("city has the new categories turin, bari",)),
        ({"features": (msgspec.structs.replace(AGE, kind=Kind.CATEGORICAL), CITY)}, ("age: numeric became categorical",)),
        ({"tags": (Column(name="t", kind=Kind.CATEGORICAL),)}, ("new tag t",)),
        ({"classes": ("a", "b", "c", "d")}, ("new classes c, d",)),
        ({"classes": ("a",)}, ("without class b",)),
        ({"dimensions": (Dimension(name="city", values=("rome", "milan"), new=("oslo",)),)}, ("oslo of city is a segment of its own",)),
        ({"dimensions": (Dimension(name="city", values=("rome",)),)}, ("milan of city is in `other`",)),
        ({"dimensions": (Dimension(name="city", values=("rome", "milan"), protected=True),)}, ("new protected attribute city",)),
        ({"dimensions": ()}, ("without segment city",)),
        ({"crosses": (("city", "age"),)}, ("new cross city*age",)),
        ({"threshold": 0.4, "pane": moment.DAY}, ("decision threshold: 0.5 became 0.4", "pane: 1h became 1d")),
    ],
)
def test_what_changed_is_told(changed: dict[str, Any], said: tuple[str, ...]) -> None:
    """Columns, their kinds and categories, classes, segments and their values, crosses, protected attributes, and how events are cut."""
    assert changes(BEFORE, msgspec.structs.replace(BEFORE, version=2, **changed), reference=False) == said


def test_another_reference_is_told_and_long_lists_are_cut() -> None:
    """A list has eight names at most."""
    features = (*BEFORE.features, *(Column(name=f"x{number}", kind=Kind.NUMERIC) for number in range(10)))
    told = changes(BEFORE, msgspec.structs.replace(BEFORE, features=features), reference=True)
    assert told == ("new features x0, x1, x2, x3, x4, x5, x6, x7 and 2 more", "another reference")
