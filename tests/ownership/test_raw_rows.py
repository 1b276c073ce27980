"""Where bins are too coarse, distances come from raw rows; and new values are told by name."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from core import moment
from core.baseline.previous import Previous
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import CLOCK, START, settle

_RNG = np.random.Generator(np.random.PCG64(3))


def send(backend: Backend, model: str, day: int, numbers: Any, kinds: Any) -> None:
    """A day's events, with these values of the columns x and c."""
    rows = [
        {
            "prediction_id": f"{day}-{place}",
            "model": model,
            "ts": (START + day * moment.DAY) // 1_000 + place,
            "features": {"x": float(number), "c": kind},
            "prediction": 1,
            "score": 0.9,
        }
        for place, (number, kind) in enumerate(zip(numbers, kinds, strict=True))
    ]
    backend.append("predictions", rows, 0, CLOCK + day * moment.DAY)


def readings(backend: Backend, model: str, *watched: Monitor) -> dict[tuple[str, str, int], dict[str, Any]]:
    """The readings of monitors by monitor, segment and day."""
    backend.monitors[model] = [msgspec.structs.replace(one, model=model) for one in watched]
    settle(backend, model)
    found = Readings(backend.engine).newest(model, {one.name: 1 for one in watched}, (START, START + 9 * moment.DAY))
    return {
        (name, row["segment"], (row["window_start"] - START) // moment.DAY): row
        for name, table in found.items()
        for row in table.to_pylist()
    }


@pytest.mark.parametrize("measure", ["ks", "wasserstein"])
def test_two_windows_far_outside_the_bins_are_compared_by_their_rows(backend: Backend, model: str, measure: str) -> None:
    """In all traffic and by segment the distance is scipy's, to the last digits, although one bin holds all rows."""
    column = backend.contracts[model].features[0]
    spread = msgspec.structs.replace(column, spread=(2.0, 1.5))
    known = backend.contracts[model]
    backend.contracts[model] = msgspec.structs.replace(known, features=(spread, *known.features[1:]))
    x, y = _RNG.normal(50, 3, 120).round(2), _RNG.normal(51, 4, 90).round(2)
    kinds = (["a", "b"] * 60, ["a", "a", "b"] * 30)
    send(backend, model, 0, x, kinds[0])
    send(backend, model, 1, y, kinds[1])
    watch = Monitor(
        name=measure,
        model="",
        measure=f"drift.{measure}",
        columns=("x",),
        segments=("all", "c"),
        window=Tumbling(moment.DAY),
        baseline=Previous(1),
        min_samples=1,
    )
    found = readings(backend, model, watch)

    def distance(one: Any, other: Any) -> float:
        if measure == "ks":
            return float(stats.ks_2samp(one, other).statistic)
        return float(stats.wasserstein_distance(one, other)) / 2

    for segment, of in (("all", None), ("c=a", "a"), ("c=b", "b")):
        now, before = (values[[of in {None, kind} for kind in held]] for values, held in ((y, kinds[1]), (x, kinds[0])))
        reading = found[measure, segment, 1]
        assert reading["value"] == pytest.approx(distance(now, before), abs=1e-12)
        assert json.loads(reading["evidence"])["from"] == "rows"


def test_new_values_are_told_by_name(backend: Backend, model: str) -> None:
    """The most frequent first, with their share of all rows and of those with a new value; eight at most."""
    kinds = ["a"] * 50 + ["new"] * 30 + ["newer"] * 10 + [f"rare{number}" for number in range(10)]
    send(backend, model, 0, np.zeros(100), kinds)
    shared = Monitor(name="", model="", measure="", columns=("c",), window=Tumbling(moment.DAY), min_samples=1)
    names = ("quality.new_categories", "quality.unseen_category_rate")
    found = readings(backend, model, *(msgspec.structs.replace(shared, name=name, measure=name) for name in names))
    for name in names:
        told = json.loads(found[name, "all", 0]["evidence"])["contributions"]
        assert told[0] == {"category": "new", "target": 0.3, "baseline": 0.0, "share": 0.6}
        assert told[1]["category"] == "newer"
        assert len(told) == 8
