"""Each class of a reference file is found once, however and wherever it is written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from core.contract import SCORE
from core.error import ConfigError
from monitors.reference.derive import Options, derive

ROWS = 400


@pytest.mark.parametrize("suffixes", [("False", "True"), ("false", "true"), ("0", "1"), ("0.0", "1.0")])
@pytest.mark.parametrize("label", [pa.bool_(), pa.int64(), pa.float64(), pa.string()])
@pytest.mark.parametrize("positive", ["1", "True", "1.0"])
def test_a_class_is_one_however_it_is_written(suffixes: tuple[str, str], label: pa.DataType, positive: str) -> None:
    """In the prediction, the label, the columns of probabilities and --positive: two classes, and scikit-learn's AUC."""
    rng = np.random.default_rng(3)
    p = rng.random(ROWS)
    truth = rng.random(ROWS) < p
    table = pa.table(
        {
            "prediction": pa.array(p > 0.5),
            "label": pa.array(truth).cast(pa.int64()).cast(label) if label != pa.string() else truth.astype(str),
        }
        | dict(zip((f"proba_{one}" for one in suffixes), (1 - p, p), strict=True))
    )
    contract, reference = derive("m", table, Options.of({"task": "binary", "positive": positive}))
    assert (contract.classes, contract.positive, contract.scored) == (("0", "1"), "1", True)
    assert [column.categories for column in contract.outputs if column.name != SCORE] == [
        ("1", "0") if side.mean() > 0.5 else ("0", "1") for side in (p > 0.5, truth)
    ]
    value, n = reference.auc["all"]
    assert [value, n] == [pytest.approx(roc_auc_score(truth, p), abs=1e-12), ROWS]


def test_numbered_classes_are_one_in_every_column() -> None:
    """Predictions as whole numbers, labels as floats, probabilities by `0.0`: three classes, and scikit-learn's AUC."""
    rng = np.random.default_rng(4)
    p = rng.dirichlet([1, 1, 1], ROWS)
    label = np.array([rng.choice(3, p=row) for row in p])
    table = pa.table({"prediction": p.argmax(1), "label": label.astype(float)} | {f"proba_{k}.0": p[:, k] for k in range(3)})
    contract, reference = derive("m", table, Options.of({"task": "multiclass"}))
    assert contract.classes == ("0", "1", "2")
    value, n = reference.auc["all"]
    assert [value, n] == [pytest.approx(roc_auc_score(label, p, multi_class="ovr"), abs=1e-12), ROWS]
    versions = pa.table({"prediction": ["1.1", "1.10", "2"], "label": ["1.10", "1.10", "2"], "proba_1.1": [0.1, 0.2, 0.3]})
    assert derive("m", versions, Options.of({"task": "multiclass"}))[0].classes == ("1.1", "1.10", "2")


def test_two_columns_for_the_positive_class_are_refused() -> None:
    """Neither is taken in silence."""
    table = pa.table({"prediction": [1, 0], "proba_1": [0.5, 0.1], "proba_True": [0.4, 0.2]})
    with pytest.raises(ConfigError, match="columns proba_1, proba_True are probabilities of one class, 1"):
        derive("m", table, Options.of({"task": "binary"}))


def test_a_row_counts_for_each_class_that_it_has_a_probability_of() -> None:
    """Of the two highest of three probabilities AUC is the mean of scikit-learn's over the rows that have each; n counts them all."""
    rng = np.random.default_rng(6)
    p = rng.dirichlet([1, 1, 1], ROWS)
    label = np.array([rng.choice(3, p=row) for row in p])
    kept = np.where(p == p.min(axis=1, keepdims=True), np.nan, p)
    kept[:7] = np.nan
    table = pa.table({"prediction": p.argmax(1), "label": label} | {f"proba_{k}": kept[:, k] for k in range(3)})
    _, reference = derive("m", table, Options.of({"task": "multiclass"}))
    there = ~np.isnan(kept)
    each = [roc_auc_score(label[there[:, k]] == k, kept[there[:, k], k]) for k in range(3)]
    value, n = reference.auc["all"]
    assert [value, n] == [pytest.approx(np.mean(each), abs=1e-12), ROWS - 7]
    held = reference.performance.to_columns().to_pylist()[0]
    assert (held["n"], held["scored"], sum(held["positive"]) + sum(held["negative"])) == (ROWS, ROWS - 7, there.sum())
