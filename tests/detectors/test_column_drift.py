"""Measures of the whole model that are made of its features' own drift, against numpy."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.contract import Column, Contract, Kind, Task
from core.error import ConfigError
from detectors import catalogue
from detectors.drift.weighted import WeightedParams
from detectors.evidence import ColumnDrift
from detectors.spec import Result

NAMES = ("a", "b", "c", "d")
PLACE = (np.array([0]),)
Feature = st.tuples(st.floats(-0.1, 30) | st.just(np.nan), st.floats(0, 1) | st.just(np.nan), st.floats(0, 9))


def drift(excess: list[float], p: list[float], importance: list[float] | None = None) -> ColumnDrift:
    """Evidence of one place."""
    return ColumnDrift(
        n=np.array([100.0]),
        excess=np.array([excess]),
        p=np.array([p]),
        columns=NAMES[: len(excess)],
        importance=None if importance is None else np.array(importance),
    )


def result(name: str, target: ColumnDrift, **params: Any) -> Result:
    spec = catalogue.spec(name)
    found: Result = spec.compute(target, target, msgspec.convert(params, spec.params))
    return found


def evidence(found: Result) -> dict[str, Any]:
    assert found.evidence is not None
    return found.evidence(PLACE)[0]


@given(st.lists(Feature, min_size=1, max_size=4))
def test_features_without_a_value_leave_the_others_as_they_are(features: list[tuple[float, float, float]]) -> None:
    """Both measures are those of the features that have one; without any there is no value; nothing of the evidence is NaN."""
    excess, p, weight = (list(column) for column in zip(*features, strict=True))
    valued = [one for one in features if not np.isnan(one[0])]
    share = result("drift.share_drifted", drift(excess, p))
    weighted = result("drift.weighted", drift(excess, p, weight))
    total = sum(one[2] for one in (features if sum(weight) == 0 else valued))
    moved = [(e, q < 0.05, w if sum(weight) > 0 else 1.0) for e, q, w in valued]
    if not valued:
        assert np.isnan([share.value[0], weighted.value[0]]).all()
        return
    assert share.value[0] == pytest.approx(np.mean([e >= 0.1 and low for e, low, _ in moved]), abs=1e-12)
    if total > 0 or sum(weight) == 0:
        expected = np.average([max(0.0, e) if low else 0.0 for e, low, _ in moved], weights=[w for *_, w in moved])
        assert weighted.value[0] == pytest.approx(expected, rel=1e-12)
    for found in (evidence(share), evidence(weighted)):
        assert "NaN" not in repr(found).replace("nan", "NaN")
        assert found["largest"]["column"] in NAMES
        assert found.get("without_value", 0) == len(features) - len(valued)
        assert sum(part["share"] for part in found["contributions"]) == pytest.approx(1.0 if found["contributions"] else 0.0)


def test_a_broken_column_is_told_however_little_it_weighs() -> None:
    """It is the largest one in the evidence although its weight is 0 and its share of the columns is small."""
    found = evidence(result("drift.weighted", drift([0.0, 0.0, 0.01, 12.0], [0.5, 0.5, 0.01, 1e-9]), weights={"a": 1, "c": 2}))
    assert (found["largest"]["column"], found["weights"]) == ("d", "params")
    assert [part["column"] for part in found["contributions"]] == ["c"]


def test_weights_are_those_of_attributions_if_all_features_have_one() -> None:
    """Else all are equal."""
    excess, p = [0.4, 0.2], [0.001, 0.001]
    assert result("drift.weighted", drift(excess, p, [3.0, 1.0])).value[0] == pytest.approx(0.35)
    assert result("drift.weighted", drift(excess, p, [3.0, np.nan])).value[0] == pytest.approx(0.3)
    assert evidence(result("drift.weighted", drift(excess, p)))["weights"] == "equal"


@pytest.mark.parametrize("weights", [{"nobody": 1.0}, {"a": -1.0, "b": 2.0}, {"a": 0.0}, {"a": float("inf")}, {}])
def test_wrong_weights_are_refused(weights: dict[str, float]) -> None:
    """Of columns that are no features, negative, infinite, and none above 0."""
    contract = Contract(model="m", version=1, task=Task.BINARY, features=tuple(Column(name=name, kind=Kind.NUMERIC) for name in NAMES))
    with pytest.raises(ConfigError):
        catalogue.spec("drift.weighted").settle(WeightedParams(weights), contract)


def test_a_shift_without_evidence_is_no_drift() -> None:
    """Nor is evidence without effect."""
    found = result("drift.share_drifted", drift([0.5, 0.01, 0.5, 0.5], [0.2, 1e-9, 1e-9, np.nan]))
    assert found.value[0] == 0.25
    assert [part["column"] for part in evidence(found)["contributions"]] == ["c"]
