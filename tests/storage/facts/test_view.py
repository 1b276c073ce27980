"""A model's view names what raw events hold by position."""

from __future__ import annotations

from dataclasses import replace as moved

import msgspec
import numpy as np

from core.block import Categories
from core.contract import Column, Kind
from storage.facts.engine import Engine
from storage.facts.view import called, show
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, predictions


def test_columns_have_their_names_over_versions(engine: Engine) -> None:
    """Nulls are NULL, a column that moved is followed, odd names and models do no harm."""
    first = msgspec.structs.replace(CONTRACT, model="it's `odd`\\")
    columns = (Column(name="ts", kind=Kind.NUMERIC), Column(name="x", kind=Kind.NUMERIC))
    second = msgspec.structs.replace(first, version=2, features=columns)
    writer = Writer(engine)
    writer.predictions([(first, predictions(["a", "b", "c"]))], 0, "t1")
    later = moved(predictions(["d"], start=9), numbers=(np.array([7.0]), np.array([8.0])), texts=())
    assert isinstance(later.prediction, Categories)
    writer.predictions([(second, later)], 0, "t2")
    name = show(engine, [first])
    quoted = name.replace("\\", "\\\\").replace("`", "\\`")
    rows = engine.query(f"SELECT prediction_id, prediction, x, c, y FROM `{quoted}` ORDER BY prediction_id").to_pylist()
    assert [(row["prediction_id"], row["prediction"], row["x"], row["c"]) for row in rows] == [
        ("a", "0", None, "a"),
        ("b", "1", None, None),
        ("c", "0", 0.0, "invalid"),
        ("d", "0", None, None),
    ]
    show(engine, [first, second])
    rows = engine.query(f"SELECT prediction_id, feature_ts, x FROM `{quoted}` ORDER BY prediction_id").to_pylist()
    assert [(row["feature_ts"], row["x"]) for row in rows] == [(None, None), (None, None), (None, 0.0), (7.0, 8.0)]


def test_many_versions_of_many_columns_fit_into_a_view(engine: Engine) -> None:
    """A model's owner makes a version of its own for each value that has become frequent."""
    features = tuple(Column(name=f"f{place}", kind=Kind.NUMERIC) for place in range(300))
    first = msgspec.structs.replace(CONTRACT, model="wide", features=features)
    turned = [features[version % 12 :] + features[: version % 12] for version in range(1, 61)]
    versions = [msgspec.structs.replace(first, version=version, features=held) for version, held in enumerate(turned, 1)]
    values = tuple(np.array([float(place)]) for place in range(len(features)))
    Writer(engine).predictions([(versions[49], moved(predictions(["a"]), numbers=values, texts=()))], 0, "t9")
    [row] = engine.query(f"SELECT f0, f199 FROM {show(engine, versions)}").to_pylist()
    assert (row["f0"], row["f199"]) == (298.0, 197.0)


def test_a_column_may_be_called_like_one_of_the_table(engine: Engine) -> None:
    """Or like the name that another one had to give way to: each has its own values."""
    names = [
        "numbers",
        "texts",
        "contract",
        "model",
        "class",
        "raw",
        "raw.numbers",
        "raw.texts",
        "raw.model",
        "ts",
        "feature_ts",
        "a.b",
        "a",
    ]
    features = tuple(Column(name=name, kind=Kind.NUMERIC) for name in names)
    contract = msgspec.structs.replace(CONTRACT, model="tabled", features=features)
    values = tuple(np.array([float(place)]) for place in range(len(names)))
    Writer(engine).predictions([(contract, moved(predictions(["a"]), numbers=values, texts=()))], 0, "t3")
    [row] = engine.query(f"SELECT * FROM {show(engine, [contract])}").to_pylist()
    shown = ["feature_feature_ts" if name == "ts" else name for name in names]
    assert {name: row[name] for name in shown} == {name: float(place) for place, name in enumerate(shown)}


def test_signals_have_their_names(engine: Engine) -> None:
    """After the columns that were sent; an invalid number is NULL, and so is a signal that an event's contract did not have."""
    signals = (Column(name="@latency_ms", kind=Kind.NUMERIC), Column(name="@status", kind=Kind.CATEGORICAL))
    before = msgspec.structs.replace(CONTRACT, model="signalled")
    after = msgspec.structs.replace(before, version=2, signals=signals)
    one, two = predictions(["a", "b"]), predictions(["c", "d"], position=2)
    kept = moved(two, numbers=(*two.numbers, np.array([2.5, np.inf])), texts=(*two.texts, Categories.of(["ok", "invalid"])))
    Writer(engine).predictions([(before, one), (after, kept)], 0, "t5")
    rows = engine.query(
        f"SELECT `@latency_ms` AS ms, `@status` AS status FROM {show(engine, [before, after])} ORDER BY prediction_id"
    ).to_pylist()
    assert [(row["ms"], row["status"]) for row in rows] == [(None, None), (None, None), (2.5, "ok"), (None, "invalid")]


def test_models_of_long_names_have_views_of_their_own(engine: Engine) -> None:
    """What no file's name could hold is cut and told apart by a hash; each view shows its model's events alone."""
    models = [letter * 199 + end for letter in ("x", "出", "/") for end in ("1", "2")]
    writer = Writer(engine)
    for place, model in enumerate(models):
        contract = msgspec.structs.replace(CONTRACT, model=model)
        writer.predictions([(contract, predictions([str(place)]))], 0, f"t4-{place}")
        show(engine, [contract])
    assert len({called(model) for model in models}) == len(models)
    assert all(called(model).startswith("events_" + model[:10]) for model in models)
    for place, model in enumerate(models):
        assert engine.query(f"SELECT prediction_id FROM `{called(model)}`").column(0).to_pylist() == [str(place)]
