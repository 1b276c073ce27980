"""What the columns of a file are, where their names do not say it all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from core.error import ConfigError
from monitors.reference.derive import column_roles, derive
from monitors.reference.layout import layout
from monitors.reference.option import Options

T0 = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def options(**given: Any) -> Options:
    return Options.of({"task": "binary", **given})


def test_the_index_of_pandas_is_no_feature_whatever_its_name() -> None:
    """But it is a role or a segment where it is called so."""
    frame = pd.DataFrame({"customer": ["a", "b"], "ts": [T0, T0], "x": [1, 2], "prediction": [0, 1]}).set_index(["customer", "ts"])
    table = pa.Table.from_pandas(frame)
    found = layout(table, options())
    assert (found.features, list(found.left), found.filled["ts"]) == (("x",), ["customer"], ("ts",))
    assert layout(table, options(segments="customer")).tags == ("customer",)


def test_a_role_that_the_task_cannot_have_is_a_feature() -> None:
    """A regression has no score and no probabilities, classes have no intervals; asked for, they are refused."""
    numbers = pa.table({"score": [0.5], "proba_of_rain": [0.1], "pred_low": [1.0], "pred_high": [2.0], "prediction": [1]})
    found = {task: layout(numbers, options(task=task)) for task in ("regression", "binary", "multiclass")}
    assert {task: one.features for task, one in found.items()} == {
        "regression": ("score", "proba_of_rain"),
        "binary": ("pred_low", "pred_high"),
        "multiclass": ("score", "pred_low", "pred_high"),
    }
    assert found["regression"].filled["interval"] == ("pred_low", "pred_high")
    for given in (
        {"task": "regression", "score": "score"},
        {"task": "regression", "proba_prefix": "proba_"},
        {"task": "multiclass", "score": "score"},
        {"interval": "pred_low,pred_high,0.8"},
    ):
        with pytest.raises(ConfigError, match=r"model has none \(leave it out\)"):
            layout(numbers, options(**given))


def test_a_probability_of_no_class_is_told() -> None:
    """A binary model has those of its two classes; another column that begins so is left out, and said to be."""
    table = pa.table({"proba_1": [0.9, 0.2], "proba_of_rain": [0.5, 0.5], "x": [1.0, float("nan")], "prediction": [1, 0]})
    answer = column_roles(table, options(), derive("m", table, options())[0])
    assert answer == {
        "rows": 2,
        "roles": {"prediction": ["prediction"], "proba_prefix": ["proba_1"]},
        "features": [{"name": "x", "kind": "numeric"}],
        "tags": [],
        "left_out": [{"name": "proba_of_rain", "reason": "a probability of no class of the model; its classes are 0, 1"}],
        "signals": [{"name": name, "kind": "numeric"} for name in ("@confidence", "@entropy", "@margin", "@outside")],
        "nan": ["x"],
    }
