"""A reading is written again when its evidence changes, and only then."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from core import moment
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.ownership.scene import START, label, predict, settle


def reading(backend: Backend, model: str, segment: str = "all") -> tuple[int, dict[str, Any]]:
    """The revision and the evidence of the first day."""
    settle(backend, model)
    rows = Readings(backend.engine).newest(model, {"m": 1}, (START, START + moment.DAY))["m"].to_pylist()
    row = next(row for row in rows if row["segment"] == segment)
    return row["revision"], json.loads(row["evidence"])


def watch(backend: Backend, model: str, measure: str, **more: Any) -> None:
    """Watch a model by one monitor, `m`, in windows of a day."""
    shared = Monitor(name="m", model=model, measure=measure, window=Tumbling(moment.DAY), segments=("all", "c"), min_samples=1)
    backend.monitors[model] = [msgspec.structs.replace(shared, **more)]


def test_a_late_prediction_without_a_label_lowers_the_label_coverage(backend: Backend, model: str) -> None:
    """The accuracy stays as it is, and so do the readings of another segment."""
    watch(backend, model, "performance.accuracy")
    predict(backend, model, 0, 0, "a")
    label(backend, model, "a")
    assert reading(backend, model)[1]["label_coverage"] == 1
    predict(backend, model, 1, 1, "b", features={"x": 1, "c": "b"})
    revision, evidence = reading(backend, model)
    assert (revision, evidence["label_coverage"]) == (2, 0.5)
    assert reading(backend, model, "c=a")[0] == 1


def test_a_corrected_pair_keeps_the_accuracy_and_moves_the_counts(backend: Backend, model: str) -> None:
    """A true positive and a false negative become a false positive and a true negative."""
    watch(backend, model, "performance.accuracy")
    for key, prediction in (("a", 1), ("b", 0)):
        predict(backend, model, 0, 0, key, prediction=prediction)
        label(backend, model, key)
    before = reading(backend, model)[1]
    for key in ("a", "b"):
        label(backend, model, key, 0, partition=1)
    revision, evidence = reading(backend, model)
    assert {name: before[name] for name in ("tp", "fp", "fn", "tn")} == {"tp": 1, "fp": 0, "fn": 1, "tn": 0}
    assert {name: evidence[name] for name in ("tp", "fp", "fn", "tn")} == {"tp": 0, "fp": 1, "fn": 0, "tn": 1}
    assert revision == 2


def test_names_of_new_values_are_no_reason_to_write_a_reading(backend: Backend, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come from raw rows, which are deleted some day; the counts do not."""
    watch(backend, model, "quality.unseen_category_rate", columns=("c",), version="1")
    predict(backend, model, 0, 0, "a", features={"x": 1, "c": "new"}, version="1")
    _, evidence = reading(backend, model)
    assert [one["category"] for one in evidence["contributions"]] == ["new"]
    monkeypatch.setattr(Raw, "unseen", lambda _raw, _contract, columns, *_args, **_more: dict.fromkeys(columns, ()))  # deleted
    predict(backend, model, 0, 1, "b", version="2")  # the window is evaluated again
    assert reading(backend, model) == (1, evidence)
