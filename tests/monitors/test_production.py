"""Events of production as a reference: the contract is the one that a file with the same rows gives."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from core.block import Categories, Predictions
from core.contract import Contract, Roles
from core.error import ConfigError
from core.extra import Interval, Kept
from monitors.evidence.conversion import convert
from monitors.reference import arrow
from monitors.reference.derive import derive
from monitors.reference.layout import layout
from monitors.reference.option import Options
from monitors.reference.production import columns_of, options_of, table_of
from monitors.reference.rows import predictions_of

ROWS = 400


def _derived(table: pa.Table, **options: Any) -> Contract:
    return derive("m", table, Options.of(options))[0]


def _file(draw: np.random.Generator, prediction: Any, **more: Any) -> pa.Table:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    columns = {
        "prediction_id": [str(row) for row in range(ROWS)],
        "ts": [start + dt.timedelta(minutes=30 * row) for row in range(ROWS)],
        "x": [None if row % 11 == 0 else float(value) for row, value in enumerate(draw.normal(size=ROWS))],
        "region": draw.choice(["a", "b", "other", "null"], ROWS).tolist(),
        "code": draw.integers(0, 3, ROWS).tolist(),
        "prediction": prediction,
    }
    return pa.table(columns | more)


def _events(table: pa.Table, contract: Contract, extra: list[Kept] | None = None) -> Predictions:
    """The rows of a file as events, as ingest would keep them."""
    held = arrow.read_table(table, layout(table, options_of(contract, table)).uses)
    texts = ["" if one == Kept() else msgspec.json.encode(one).decode() for one in extra or [Kept()] * ROWS]
    return replace(predictions_of(held, contract), extra=np.array(texts, object))


def _labels(table: pa.Table) -> dict[str, tuple[str, float, int]]:
    held = zip(table["prediction_id"].to_pylist(), table["label"].to_pylist(), table["label_ts"].cast(pa.int64()).to_pylist(), strict=True)
    return {one: (str(label), float(label), at) for one, label, at in held if label is not None}


def _same(ours: Contract, theirs: Contract) -> None:
    """All fields but the names of roles are the same."""
    held, wanted = (msgspec.to_builtins(msgspec.structs.replace(one, roles=Roles())) for one in (ours, theirs))
    assert {name: held[name] for name in held if held[name] != wanted[name]} == {}


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(3)


def _label_times() -> dict[str, Any]:
    start = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    return {"label_ts": [start + dt.timedelta(minutes=row) for row in range(ROWS)]}


def test_a_binary_model_with_segments_and_status(draw: np.random.Generator) -> None:
    """Bins, classes, dimensions, crosses, protected attributes, signals, usual window and sums over all features are the same, and so is the summary."""
    status = draw.choice(["ok", "error"], ROWS).tolist()
    latency = draw.lognormal(3, 1, ROWS).tolist()
    more = {
        "score": draw.uniform(size=ROWS).tolist(),
        "label": [None if row % 7 == 0 else int(row % 3 == 0) for row in range(ROWS)],
        "seen": status,
        "took": latency,
    }
    file = _file(draw, draw.integers(0, 2, ROWS).tolist(), **more, **_label_times())
    options = {
        "task": "binary",
        "segments": "region,code,@status,region*code",
        "protected": "code",
        "status": "seen",
        "latency": "took",
        "categorical": "code",
    }
    contract, reference = derive("m", file, Options.of(options))
    extra = [Kept(status=one, latency_ms=took) for one, took in zip(status, latency, strict=True)]
    table = table_of(contract, _events(file, contract, extra), _labels(file))
    ours, summary = derive("m", table, options_of(contract, table))
    _same(ours, contract)
    assert summary.rows == reference.rows
    assert {name: value for name, value in summary.auc.items() if value[1]} == {
        name: value for name, value in reference.auc.items() if value[1]
    }


def test_a_regression_with_intervals_ensembles_and_attributions(draw: np.random.Generator) -> None:
    """Fields without a role of the contract get names that no feature can have."""
    center = draw.normal(size=ROWS)
    more = {"lo": (center - 1).tolist(), "hi": (center + 1).tolist(), "label": draw.normal(size=ROWS).tolist()}
    more |= {f"e{index}": (center + index).tolist() for index in range(3)} | {"w_x": draw.normal(size=ROWS).tolist()}
    file = _file(draw, center.tolist(), **more, **_label_times())
    options = {"task": "regression", "interval": "lo,hi,0.8", "ensemble_prefix": "e", "attribution_prefix": "w_", "features": "x,region"}
    contract = _derived(file, **options)
    extra = [
        Kept(interval=Interval(low, high), ensemble=list(members), attributions={"x": weight})
        for low, high, *members, weight in zip(more["lo"], more["hi"], more["e0"], more["e1"], more["e2"], more["w_x"], strict=True)
    ]
    table = table_of(contract, _events(file, contract, extra), _labels(file))
    _same(_derived_by(contract, table), contract)
    bare = msgspec.structs.replace(contract, roles=Roles(interval=contract.roles.interval))
    again = table_of(bare, _events(file, contract, extra), _labels(file))
    assert {"@ensemble_0", "@attribution_x"} <= set(again.column_names)
    _same(_derived_by(bare, again), contract)


def test_a_multiclass_model_with_sets_and_probabilities(draw: np.random.Generator) -> None:
    """Each class keeps its probability."""
    classes = ["cat", "dog", "other"]
    weights = draw.dirichlet(np.ones(3), ROWS)
    sets = [[classes[row % 3]] if row % 2 else classes[:2] for row in range(ROWS)]
    more: dict[str, Any] = {f"proba_{name}": weights[:, index].tolist() for index, name in enumerate(classes)}
    file = _file(draw, draw.choice(classes, ROWS).tolist(), **more, held=sets, label=draw.choice(classes, ROWS).tolist(), **_label_times())
    contract = _derived(file, task="multiclass", prediction_set="held")
    times = file["label_ts"].cast(pa.int64()).to_pylist()
    spelled = {"other": "%6Fther"}
    labels = {
        str(row): (spelled.get(one, one), float("nan"), at)
        for row, (one, at) in enumerate(zip(file["label"].to_pylist(), times, strict=True))
    }
    table = table_of(contract, _events(file, contract, [Kept(prediction_set=list(one)) for one in sets]), labels)
    _same(_derived_by(contract, table), contract)


def test_what_cannot_be_used_is_null_and_texts_are_refused(draw: np.random.Generator) -> None:
    """A reference has no invalid values; the contents of texts are not kept."""
    file = _file(draw, draw.integers(0, 2, ROWS).tolist())
    contract = _derived(file, task="binary")
    block = _events(file, contract)
    x = block.numbers[0].copy()
    x[:2] = np.inf, np.nan
    region = Categories.of(["invalid", "null"] + ["a"] * (ROWS - 2))
    broken = replace(block, numbers=(x, *block.numbers[1:]), texts=(region, *block.texts[1:]))
    table = table_of(contract, broken, {})
    assert table["x"].null_count == 1 + int(np.isnan(x).sum())
    assert table["region"].to_pylist()[:3] == [None, None, "a"]
    assert "label" not in table.column_names
    words = _file(draw, draw.integers(0, 2, ROWS).tolist(), words=["one two"] * ROWS)
    with pytest.raises(ConfigError, match="has texts \\(words\\)"):
        table_of(_derived(words, task="binary", text="words"), block, {})


def test_an_export_has_the_same_columns_whatever_its_events_hold(draw: np.random.Generator) -> None:
    """Labels, probabilities and members that no event has are null; texts are left out."""
    weights = {f"proba_{name}": draw.uniform(size=ROWS).tolist() for name in ("a", "b")}
    members = {f"member_{place}": draw.uniform(size=ROWS).tolist() for place in (0, 1)}
    kinds = {"classes": (draw.choice(["a", "b"], ROWS).tolist(), weights, {"task": "multiclass"})}
    kinds["numbers"] = (draw.normal(size=ROWS).tolist(), members, {"task": "regression", "ensemble_prefix": "member_"})
    for prediction, more, options in kinds.values():
        file = _file(draw, prediction, **more)
        source = _derived(file, **options)
        contract = _derived(file.append_column("words", pa.array(["one two"] * ROWS)), text="words", **options)
        block = convert(replace(_events(file, source), probabilities=None), source, contract)
        found, none = (columns_of(contract, events, {}, 2) for events in (block, block.take(np.zeros(0, np.intp))))
        assert {name: values.type for name, values in found.items()} == {name: values.type for name, values in none.items()}
        assert {"label", "label_ts", *more} <= set(found)
        assert "words" not in found
        assert all(found[name].null_count == ROWS for name in ("label", *more))


def _derived_by(contract: Contract, table: pa.Table) -> Contract:
    return derive("m", table, options_of(contract, table))[0]
