"""Attributions from event to reading, as plain numpy has them; a model that leans on a feature is found, and the feature is named."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest

from core import moment
from core.baseline.previous import Previous
from core.contract import Column, Kind
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import CLOCK, START, settle

_DAYS, _EACH = 3, 300
_FEATURES = ("x", "c", "z")
Row = dict[str, Any]


def rows() -> list[Row]:
    """Days on which x and c tell the outcome and z does not; from the last day on the model leans on z in the segment c=b."""
    rng, found = np.random.default_rng(5), []
    for place in range(_DAYS * _EACH):
        x, z, c = rng.normal(), rng.normal(), "ab"[int(rng.random() < 0.4)]
        leans = place // _EACH == _DAYS - 1 and c == "b"
        found.append(
            {
                "day": place // _EACH, "x": round(x, 3), "c": c, "z": round(z, 3), "label": int(rng.random() < 1 / (1 + np.exp(-2 * x - (c == "b")))),
                "attributions": {"x": round(2 * x, 4), "c": -0.5, "z": round((6 if leans else 0.1) * z, 4)},
            }
        )  # fmt: skip
    return found


@pytest.fixture
def found(backend: Backend, model: str) -> dict[str, dict[tuple[int, str, str], Row]]:
    """The readings of both measures by day, column and segment."""
    z = Column(name="z", kind=Kind.NUMERIC, edges=(0.0,))
    signals = tuple(Column(name=f"@attribution:{name}", kind=Kind.NUMERIC, edges=(0.0,)) for name in _FEATURES)
    contract = backend.contracts[model]
    backend.contracts[model] = msgspec.structs.replace(contract, features=(*contract.features, z), signals=signals)
    shared = Monitor(
        name="drift", model=model, measure="explain.attribution_drift", segments=("all", "c"), window=Tumbling(moment.DAY), min_samples=1,
        baseline=Previous(), warn={"below": 0.9},
    )  # fmt: skip
    gap: dict[str, Any] = {"name": "gap", "measure": "explain.influence_gap", "columns": _FEATURES, "baseline": None, "warn": 0.2}
    backend.monitors[model] = [shared, msgspec.structs.replace(shared, **gap)]
    predictions, labels = list[Row](), list[Row]()
    for place, row in enumerate(rows()):
        at = {"prediction_id": str(place), "model": model, "ts": (START + row["day"] * moment.DAY) // 1_000}
        features = {name: row[name] for name in _FEATURES}
        predictions.append(at | {"features": features, "prediction": 1, "score": 0.5, "attributions": row["attributions"]})
        labels.append(at | {"label": row["label"]})
    backend.append("labels", labels, 1, CLOCK)
    backend.append("predictions", predictions[::-1], 0, CLOCK)
    settle(backend, model)
    backend.append("predictions", predictions[:50], 2, CLOCK + 1)
    settle(backend, model)
    tables = Readings(backend.engine).newest(model, {"drift": 1, "gap": 1}, (0, moment.LATEST))
    return {
        name: {((one["window_start"] - START) // moment.DAY, one["column"], one["segment"]): one for one in table.to_pylist()}
        for name, table in tables.items()
    }


def within(day: int, segment: str) -> list[Row]:
    """The rows of a day and segment."""
    return [row for row in rows() if row["day"] == day and segment in ("all", f"c={row['c']}")]


def sizes(held: list[Row]) -> np.ndarray:
    """The mean |attribution| of each feature, in the order of the contract."""
    return np.array([np.mean([abs(row["attributions"][name]) for row in held]) for name in _FEATURES])


@pytest.mark.parametrize("segment", ["all", "c=a", "c=b"])
def test_the_ranking_of_attributions_is_compared(found: dict[str, dict[tuple[int, str, str], Row]], segment: str) -> None:
    """NDCG as plain numpy has it; the feature whose share moved most comes first."""
    discount = 1 / np.log2([2, 3, 4])
    for day in range(1, _DAYS):
        now, before = (sizes(within(one, segment)) for one in (day, day - 1))
        expected = (before[np.argsort(-now)] * discount).sum() / (np.sort(before)[::-1] * discount).sum()
        reading = found["drift"][day, "", segment]
        assert reading["value"] == pytest.approx(expected, abs=1e-12)
        moved = now / now.sum() - before / before.sum()
        shifts = json.loads(reading["evidence"])["features"]
        assert {one["feature"]: one["shift"] for one in shifts} == pytest.approx(dict(zip(_FEATURES, moved, strict=True)), abs=1e-12)
    assert (found["drift"][_DAYS - 1, "", segment]["verdict"] == "warn") == (segment != "c=a")
    if segment == "c=b":
        assert shifts[0]["feature"] == "z"


@pytest.mark.parametrize("segment", ["all", "c=b"])
def test_a_model_that_leans_on_a_feature_is_found(found: dict[str, dict[tuple[int, str, str], Row]], segment: str) -> None:
    """The gap of each feature as plain numpy has it: |r| of numbers, the root of epsilon squared of categories."""
    for day in range(_DAYS):
        held = within(day, segment)
        y = np.array([row["label"] for row in held], float)
        strength = []
        for name in _FEATURES:
            if name != "c":
                strength.append(abs(np.corrcoef([row[name] for row in held], y)[0, 1]))
                continue
            groups = [y[np.array([row["c"] == one for row in held])] for one in "ab" if any(row["c"] == one for row in held)]
            inside = sum(((one - one.mean()) ** 2).sum() for one in groups)
            left = 1 - inside / (len(y) - len(groups)) / (((y - y.mean()) ** 2).sum() / (len(y) - 1))
            strength.append(np.sqrt(max(0.0, left)) if len(groups) > 1 else 0.0)
        expected = sizes(held) / sizes(held).sum() - np.array(strength) / np.sum(strength)
        for place, name in enumerate(_FEATURES):
            reading = found["gap"][day, name, segment]
            assert reading["value"] == pytest.approx(expected[place], abs=1e-9)
            assert reading["n_target"] == len(held)
    raised = {name for (day, name, where), one in found["gap"].items() if (day, where) == (_DAYS - 1, segment) and one["verdict"] == "warn"}
    assert raised == {"z"}
    assert found["gap"][0, "z", segment]["verdict"] == "ok"
