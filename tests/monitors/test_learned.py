"""A contract is learned from events: kinds of columns, the task, classes, optional fields."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.contract import Kind
from core.error import ConfigError
from monitors.reference.learned import learn


def _events(predictions: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [{"features": {"x": place}, "prediction": one, **more} for place, one in enumerate(predictions)]


@pytest.mark.parametrize(
    ("predictions", "labels", "more", "task", "classes", "positive"),
    [
        ([0, 1, 1], [], {}, "binary", ["0", "1"], "1"),
        ([True, False], [1, 0], {}, "binary", ["0", "1"], "1"),
        (["no", "yes"], [], {"score": 0.5}, "binary", ["no", "yes"], "yes"),
        ([1, 1], [1], {"score": 0.2}, "binary", ["1"], "1"),
        ([1, 2, 3], [1], {}, "multiclass", ["1", "2", "3"], None),
        (["a", "b"], ["c"], {}, "multiclass", ["a", "b", "c"], None),
        (["a"], [], {"probabilities": {"a": 0.5, "b": 0.3, "c": 0.2}}, "multiclass", ["a", "b", "c"], None),
        ([1.5, 2], [3], {}, "regression", None, None),
        (list(range(30)), [], {}, "regression", None, None),
    ],
)
def test_the_task_follows_from_predictions_labels_and_scores(
    predictions: list[Any], labels: list[Any], more: dict[str, Any], task: str, classes: list[str] | None, positive: str | None
) -> None:
    """Two classes are a binary model, more a multiclass one; numbers with decimals, or many different ones, a regression."""
    found = learn("m", _events(predictions, **more), labels, {}).described()
    assert (found["task"], found.get("classes"), found.get("positive")) == (task, classes, positive)


def test_columns_get_the_kind_of_most_of_their_values() -> None:
    """Numbers with few wrong values are numeric, texts and booleans categorical, vectors of one size vectors; nothing but null, objects or odd sizes is left out."""
    rows: list[dict[str, Any]] = [
        {"n": place, "t": "ab"[place % 2], "b": place > 5, "v": [0.1, 0.2], "w": [1.0] * (place + 1), "o": {}, "z": None}
        for place in range(20)
    ]
    rows[3]["n"], rows[4]["n"] = "bad", None
    found = learn("m", [{"features": row, "prediction": 1} for row in rows], [], {})
    kinds = {one.name: one.kind for one in found.contract.features}
    assert kinds == {"n": Kind.NUMERIC, "t": Kind.CATEGORICAL, "b": Kind.CATEGORICAL, "v": Kind.VECTOR}
    told = found.described()
    assert told["left_out"] == ["w", "o", "z"]
    assert told["features"][0] == {"name": "n", "kind": "numeric", "missing": 0.05, "range": [0, 19]}
    assert told["features"][1] == {"name": "t", "kind": "categorical", "missing": 0.0, "categories": ["a", "b"], "distinct": 2}


def test_options_decide_otherwise_and_wrong_ones_are_refused() -> None:
    """A segment is categorical, also a tag; a name that is a role's gets another role; an option that is none is told."""
    events = [{"features": {"label": place % 3, "x": 1.0}, "tags": {"region": "n"}, "prediction": 1, "latency_ms": 3} for place in range(9)]
    found = learn("m", events, [], {"segments": "region,label", "task": "regression"})
    assert [(one.name, one.kind) for one in found.contract.columns] == [
        ("label", "categorical"),
        ("x", "numeric"),
        ("region", "categorical"),
    ]
    assert (found.contract.roles.label, found.contract.roles.ts) == ("@label", "ts")
    assert ([one.name for one in found.contract.signals], found.options.segments) == (["@latency_ms"], ("region", "label"))
    with pytest.raises(ConfigError, match="`id` is no option of a proposal"):
        learn("m", events, [], {"id": "x"})
    with pytest.raises(ConfigError, match="has a feature that can be watched"):
        learn("m", events, [], {"exclude": "label,x"})


def test_values_that_no_contract_could_read_decide_nothing_and_break_nothing() -> None:
    """A single event with them may wait. NaN is no value; a number out of range, and a text that is too long or no Unicode, is one that is invalid."""
    bad: list[Any] = [10**309, float("nan"), float("inf"), "\ud800", "x" * 5_000, [1], {}]
    rows = [{"features": {"x": one, "\ud800": 1, "big": 10**200}, "prediction": one, "probabilities": {"\ud800": 1.0}} for one in bad]
    found = learn("m", [*rows, *_events([0, 1])], bad, {}).described()
    assert (found["task"], found["classes"]) == ("binary", ["0", "1"])
    assert (msgspec.json.decode(msgspec.json.encode(found))["features"][1], found["left_out"]) == (
        {"name": "big", "kind": "numeric", "missing": 2 / 9, "range": [1e200, 1e200]},
        [],
    )
