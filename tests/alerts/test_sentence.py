"""The sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest

from alerts import sentence
from detectors.catalogue import MEASURES
from tests.alerts.sample import START, reading


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"segment": "carrier=UA"},
            "Population stability index of temp in carrier=UA is 0.31; critical from 0.25, over 2013-07-01 (n 2,377)",
        ),
        (
            {"measure": "performance.accuracy", "column": "", "value": 0.81, "baseline_value": 0.88, "threshold": {"critical": 0.05}},
            "Accuracy is 0.81, 0.07 below its reference 0.88; critical from 0.05, over 2013-07-01 (n 2,377)",
        ),
        (
            {
                "measure": "performance.rmse",
                "column": "",
                "value": 12_345.6,
                "baseline": None,
                "threshold": {"critical": {"above": 12_000}},
            },
            "Root mean squared error is 12,346; critical from 12000, over 2013-07-01 (n 2,377)",
        ),
        (
            {"window_end": START + 3_600_000_000},
            "Population stability index of temp is 0.31; critical from 0.25, over 2013-07-01 00:00 to 01:00 (n 2,377)",
        ),
        (
            {"evidence": {"p": 0.0001, "excess": 0.274}},
            "Population stability index of temp is 0.31, 0.274 more than chance explains; critical from 0.25, over 2013-07-01 (n 2,377)",
        ),
        (
            {"measure": "quality.null_rate", "baseline_value": 0.28, "threshold": {"critical": 0.01}, "evidence": {"rise": 0.03}},
            "Null rate of temp is 0.31, 0.03 above its reference 0.28; critical from 0.01, over 2013-07-01 (n 2,377)",
        ),
        (
            {"threshold": {"p": 0.001}, "evidence": {"p": 0.00021}},
            "Population stability index of temp is 0.31; critical at p 0.001 or below (p 0.00021), over 2013-07-01 (n 2,377)",
        ),
    ],
)
def test_a_breach_names_measure_place_value_limit_window_and_n(changes: dict[str, Any], expected: str) -> None:
    """All that a person needs at three in the morning is in one sentence."""
    found = reading(0, "critical", **changes)
    assert sentence.breach(found, MEASURES[found.measure]) == expected


def test_a_window_evaluated_again_says_so() -> None:
    """The sentence distinguishes a resolution by late data from one by a better window."""
    assert sentence.within(reading(0, "ok", 2), MEASURES["drift.psi"]).endswith("(n 2,377), evaluated again (revision 2)")
