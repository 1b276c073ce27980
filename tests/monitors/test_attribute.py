"""Attributes of monitors: which are accepted, and what is said of the others."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from core.contract import Dimension
from core.error import ConfigError
from core.monitor import Monitor
from monitors.definition.grammar import parse
from monitors.evaluation.watched import columns_of, groupings_of, most, places, scope_of
from monitors.model import Model
from tests.monitors.contracts import DELAY, FARE

_SEX = Dimension(name="sex", values=("f", "m"), protected=True)
_AGE = Dimension(name="age", values=("young", "old"), protected=True)
_TOWN = Dimension(name="town", values=("Rome", "Oslo"))
LOAN = msgspec.structs.replace(DELAY, model="loan", dimensions=(_TOWN, _SEX, _AGE), crosses=(("age", "sex"), ("town", "sex")))


def read(fields: str, measure: str = "fairness.demographic_parity_difference", model: str = "loan") -> Monitor:
    """One monitor."""
    known = {"loan": LOAN, "delay": DELAY, "taxi-fare": FARE}
    (found,) = parse(f"{{monitor: a, model: {model}, measure: {measure}{fields}}}", contract=known.get).monitors
    return found


@pytest.mark.parametrize(
    ("fields", "attributes", "columns", "groupings"),
    [
        ("", (), ("sex", "age"), ("", "sex", "age")),
        (", attributes: sex", ("sex",), ("sex",), ("", "sex")),
        (", attributes: [sex*age, town]", ("age*sex", "town"), ("age*sex", "town"), ("", "age*sex", "town")),
        (", attributes: [sex], segments: [town]", ("sex",), ("sex",), ("", "town", "sex", "town*sex")),
    ],
)
def test_attributes_are_dimensions_and_crosses(
    fields: str, attributes: tuple[str, ...], columns: tuple[str, ...], groupings: tuple[str, ...]
) -> None:
    """They are the columns of readings, by default all protected ones; panes are read for groups within segments, too."""
    found = read(fields)
    assert (attributes, columns, groupings) == (found.attributes, columns_of(found, LOAN), groupings_of(found, LOAN))


def test_params_are_filled_in() -> None:
    """The class by its name, the reference group in the order of the cross, and what matters."""
    assert read("").params == {"reference": "best_worst", "min_group": 30, "relevant": 0.1, "positive": "1"}
    written = ', attributes: [sex*age], params: {positive: true, min_group: 50, reference: "sex=f,age=old"}'
    expected = {"reference": "age=old,sex=f", "min_group": 50, "relevant": 0.8, "positive": "1"}
    assert expected == read(written, "fairness.demographic_parity_ratio").params
    assert read("", "fairness.selection_rate").params == {"min_group": 30, "positive": "1"}
    assert read("", "fairness.error_gap", "taxi-fare").params == {"reference": "best_worst", "min_group": 30}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (", columns: [sex]", "is computed for attributes, not for columns (write `attributes` in place of `columns`)"),
        (", attributes: [race]", "there is no segment `race`"),
        (", attributes: [town*age]", "the contract declares no cross `town*age`"),
        (", attributes: [sex], segments: [sex]", "groups of `sex` cannot be compared within `sex`: both hold sex"),
        (", attributes: [age], segments: [town]", "declare `age*town` among the segments of the contract"),
        (", params: {reference: worst}", "there is no group `worst` (write best_worst, overall, best, or a group such as sex=f)"),
        (", params: {reference: sex=x}", "there is no group `sex=x`"),
        (", params: {reference: sex=f}", "`sex=f` is no group of `age` (write a monitor for each attribute)"),
        (", params: {min_group: 0}", "`params.min_group`: expected `int` >= 1"),
        (", params: {threshold: 1.4}", "`params.threshold`: expected `float` <= 1.0"),
        (", params: {positive: maybe}", "there is no class `maybe` (classes: 0, 1)"),
        (", params: {group: 1}", "takes no `params.group`"),
        (", warn: 0.1", "without a baseline needs a side"),
    ],
)
def test_wrong_attributes_and_params_are_refused_with_what_is_allowed(fields: str, told: str) -> None:
    """With the line and the monitor."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(fields)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"fields": ", attributes: [sex]", "measure": "drift.psi"},
            "`drift.psi` does not compare groups of attributes (leave `attributes` out)",
        ),
        ({"fields": "", "model": "delay"}, "the contract has no protected attribute"),
        ({"fields": "", "model": "taxi-fare"}, "is not for regression models"),
        (
            {"fields": ", attributes: [sex], segments: [town]", "measure": "fairness.selection_rate"},
            "has a reading of each group, and none of segments",
        ),
    ],
)
def test_what_does_not_fit_the_measure_or_the_model_is_refused(given: dict[str, Any], told: str) -> None:
    """With the remedy."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(**given)


def test_a_class_must_be_named_where_there_are_several() -> None:
    """It is a fault of the monitor like any other."""
    several = msgspec.structs.replace(LOAN, task="multiclass", classes=("a", "b", "c"))
    with pytest.raises(ConfigError, match=re.escape("line 1, monitor `a`, `params`: `params.positive` is missing")):
        parse("{monitor: a, model: loan, measure: fairness.fpr_parity}", contract=lambda _: several)


def test_selection_rates_are_of_the_groups_of_their_own_attribute() -> None:
    """A group of one attribute has no reading under another."""
    found = read(", attributes: [sex, age]", "fairness.selection_rate")
    assert places(found, ("sex", "age"), ("age=old", "sex=f")).tolist() == [[False, True], [True, False]]


def test_groups_that_are_compared_bound_how_many_windows_are_evaluated_at_once() -> None:
    """A dense block of a cross of 100 and 100 values has two million cells at most, as one of few groups has."""
    values = tuple(map(str, range(100)))
    dimensions = tuple(Dimension(name=name, values=values, protected=True) for name in ("town", "sex"))
    model = Model(msgspec.structs.replace(LOAN, dimensions=dimensions, crosses=(("town", "sex"),)), None)
    few, many = (most(scope_of(msgspec.structs.replace(read(""), attributes=(name,)), model, ("all",))) for name in ("sex", "town*sex"))
    bins = model.contract.column("@prediction").bins
    assert 1 <= many <= 2_000_000 // (bins * 103 * 103)
    assert many * 50 < few <= 2_000_000 // (bins * 103)
