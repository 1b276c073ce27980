"""What the columns of a file are, where their names do not say it all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from core.error import ConfigError
from monitors.layout import layout
from monitors.option import Options

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
