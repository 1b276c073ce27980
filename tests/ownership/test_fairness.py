"""Fairness from event to reading: groups within segments, and a baseline that has too few of them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from core import moment
from core.baseline.previous import Previous
from core.contract import Column, Dimension, Kind
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import CLOCK, START, settle

_GROUPS = {"town": ("Oslo", "Rome"), "sex": ("f", "m")}
_EACH = (2, 12, 9)  # rows of each sex in each town, by day
Row = dict[str, Any]


def rows() -> list[Row]:
    """Three days of predictions with labels."""
    rng = np.random.default_rng(11)
    return [
        {"day": day, "town": town, "sex": sex, "prediction": int(rng.integers(0, 2)), "label": place % 2}
        for day, each in enumerate(_EACH)
        for town in _GROUPS["town"]
        for sex in _GROUPS["sex"]
        for place in range(each)
    ]


@pytest.fixture
def fair(backend: Backend, model: str) -> dict[str, list[Row]]:
    """The readings of both monitors of the model."""
    tags = tuple(Column(name=name, kind=Kind.CATEGORICAL, categories=values) for name, values in _GROUPS.items())
    dimensions = tuple(Dimension(name=name, values=values, protected=name == "sex") for name, values in _GROUPS.items())
    backend.contracts[model] = msgspec.structs.replace(
        backend.contracts[model], tags=tags, dimensions=dimensions, crosses=(("town", "sex"),)
    )
    shared = Monitor(
        name="parity",
        model=model,
        measure="fairness.demographic_parity_difference",
        attributes=("sex",),
        segments=("all", "town"),
        window=Tumbling(moment.DAY),
        min_samples=1,
        params={"positive": "1", "min_group": 5},
    )
    errors: dict[str, Any] = {"name": "errors", "measure": "fairness.fpr_parity", "baseline": Previous(), "warn": 0.9}
    backend.monitors[model] = [shared, msgspec.structs.replace(shared, **errors)]
    predictions, labels = list[Row](), list[Row]()
    for place, row in enumerate(rows()):
        at = {"prediction_id": str(place), "model": model, "ts": (START + row["day"] * moment.DAY) // 1_000}
        tags_of = {name: row[name] for name in _GROUPS}
        predictions.append(at | {"features": {"x": 1, "c": "a"}, "tags": tags_of, "prediction": row["prediction"], "score": 0.9})
        labels.append(at | {"label": row["label"]})
    backend.append("predictions", predictions, 0, CLOCK)
    backend.append("labels", labels, 1, CLOCK)
    settle(backend, model)
    found = Readings(backend.engine).newest(model, {"parity": 1, "errors": 1}, (0, moment.LATEST))
    return {name: table.to_pylist() for name, table in found.items()}


def expected(day: int, segment: str, label: int | None = None) -> tuple[float | None, int]:
    """The gap in the shares of positive predictions of both sexes, and the rows; with a label of those that have it."""
    held = [row for row in rows() if row["day"] == day and segment in ("all", f"town={row['town']}")]
    each = [[row for row in held if row["sex"] == sex] for sex in _GROUPS["sex"]]
    if min(map(len, each)) < 5:
        return None, len(held)
    shares = [np.mean([row["prediction"] for row in group if label in (None, row["label"])]) for group in each]
    return float(max(shares) - min(shares)), len(held)


def test_groups_are_compared_in_every_segment(fair: dict[str, list[Row]]) -> None:
    """Of all predictions, and of labelled ones by the error that they are; where too few rows are, nothing is told."""
    for name, label in (("parity", None), ("errors", 0)):
        found = {((row["window_start"] - START) // moment.DAY, row["segment"]): row for row in fair[name]}
        assert {*found} == {(day, segment) for day in range(3) for segment in ("all", "town=Oslo", "town=Rome")}
        for (day, segment), row in found.items():
            value, n = expected(day, segment, label)
            assert row["column"] == "sex"
            assert row["n_target"] == n
            assert row["value"] == (None if value is None else pytest.approx(value, abs=1e-12))
            groups = json.loads(row["evidence"])["groups"]
            assert [one["group"] for one in groups] == ["sex=f", "sex=m"]
            assert sum(one["n"] for one in groups) == n


def test_a_baseline_with_too_few_rows_of_a_group_is_insufficient(fair: dict[str, list[Row]]) -> None:
    """The reason is the baseline's own, and not that of the window, which has a value."""
    found = {(row["window_start"] - START) // moment.DAY: row for row in fair["errors"] if row["segment"] == "all"}
    of_town = {(row["window_start"] - START) // moment.DAY: row for row in fair["errors"] if row["segment"] == "town=Rome"}
    assert of_town[1]["value"] is not None
    assert (of_town[1]["verdict"], of_town[1]["reason"]) == (
        "insufficient",
        "baseline: fewer than two groups have 5 rows and a value",
    )
    assert found[2]["verdict"] == "ok"
    assert found[2]["baseline_value"] == pytest.approx(expected(1, "all", 0)[0], abs=1e-12)
