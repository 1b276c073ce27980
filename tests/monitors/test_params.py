"""Params of measures, as they are written and as they are kept."""

from __future__ import annotations

import re

import pytest

from core.error import ConfigError
from tests.monitors.test_grammar import read


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", {"class": "1"}),
        (", params: {}", {"class": "1"}),
        (", params: {class: 0}", {"class": "0"}),
        (", params: {class: true}", {"class": "1"}),
        (", params: {average: weighted}", {"average": "weighted"}),
    ],
)
def test_params_are_filled_in(written: str, expected: dict[str, str]) -> None:
    """With what is usual for the model; a class is named as it is in any other place."""
    (found,) = read(f"{{monitor: a, model: delay, measure: performance.precision{written}}}").monitors
    assert found.params == expected


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{class: maybe}", "there is no class `maybe` (classes: 0, 1)"),
        ("{average: most}", "invalid enum value 'most'"),
        ("{class: 1, average: macro}", "exclude each other (write one of them)"),
        ("{beta: 2}", "`performance.precision` takes no `params.beta` (write one of threshold, class, average, weighted)"),
    ],
)
def test_wrong_params_are_refused_with_what_is_allowed(written: str, told: str) -> None:
    """As any other field, with line and monitor."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(f"{{monitor: a, model: delay, measure: performance.precision, params: {written}}}")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("measure: performance.accuracy, min_label_coverage: 1.5", "`1.5` is no share"),
        ("measure: performance.accuracy, min_label_coverage: 0", "`0` is no share"),
        ("measure: drift.psi, min_label_coverage: 0.8", "`drift.psi` does not wait for labels"),
        ("measure: performance.fbeta, params: {beta: 0}", "`params.beta`"),
        ("measure: performance.value", "must have costs"),
    ],
)
def test_what_a_measure_of_labels_takes_is_checked(written: str, told: str) -> None:
    """With the field and the remedy."""
    with pytest.raises(ConfigError, match=re.escape(told)):
        read(f"{{monitor: a, model: delay, {written}}}")


def test_a_least_coverage_by_labels_is_kept() -> None:
    """As a share."""
    (found,) = read("{monitor: a, model: delay, measure: performance.accuracy, min_label_coverage: 0.8}").monitors
    assert found.min_label_coverage == 0.8


def test_bias_is_not_held_against_a_lower_side() -> None:
    """It is as bad as it is far from 0."""
    with pytest.raises(ConfigError, match="on either side"):
        read("{monitor: a, model: taxi-fare, measure: performance.bias, warn: {below: -2}}")
