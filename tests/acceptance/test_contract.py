"""A new reference makes a new contract version: panes are made again from raw events, and every reading is evaluated again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml

from tests.acceptance import watch
from tests.acceptance.world import Embedded, World
from tests.oracle.compare import compare
from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper import document
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.replay.recording import Recording
from watchkeeper.replay.send import send

pytestmark = pytest.mark.slow


def test_readings_follow_the_contract(
    observed: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World], tmp_path: Path
) -> None:
    """Whatever a new reference changes: classes, their spelling, bins and features. One world for all, since none touches another's models."""
    settings = {
        "WATCHKEEPER_INGEST__SILENCE": "1s",
        "WATCHKEEPER_INGEST__UNKNOWN_MODELS": "keep",
        "WATCHKEEPER_INGEST__PROPOSE_ROWS": "300",
    }
    with world(settings) as place, Client(place.url) as client:
        _from_zero(client)
        _new_values(client)
        if isinstance(place, Embedded):  # what a class is, is decided by the same code in both worlds
            _other_classes(client, tmp_path)
            _classes_however_written(client, tmp_path)
        _a_new_reference(client, observed[0], tmp_path)


def _a_new_reference(client: Client, pair: flights.Pair, folder: Path) -> None:
    """After two weeks under January's bins, a reference of its first ten days without one feature gives the readings that it would have given from the start."""
    stream = pd.read_parquet(pair.stream)
    stream = stream[stream["ts"] < stream["ts"].iloc[0] + pd.Timedelta(days=14)]
    stream.to_parquet(folder / "stream.parquet")
    whole = pd.read_parquet(pair.reference)
    whole.iloc[: len(whole) // 3].to_parquet(folder / "reference.parquet")
    fewer = [name for name in flights.FEATURES if name != "humid"]
    watch.define(client, pair)
    watch.replay(client, pair, folder / "stream.parquet")
    repaired = client.wait(600)["evaluate"]["repaired"]
    options = {**watch.options(pair), "features": fewer}
    again = (folder / "reference.parquet").read_bytes()
    for result in ("changed", "unchanged"):
        answer = client.reference(pair.model, again, **options)
        assert (answer["version"], answer["result"]) == (2, result)
        assert answer["left_out"] == [{"name": "humid", "reason": "not among --features"}]
    client.wait(600)
    assert client.status()["evaluate"]["repaired"] > repaired
    assert any("humid" in problem for problem in client.status()["problems"])
    monitors = [_without(monitor, "humid") for monitor in watch.monitors(pair)]
    spec = Spec(monitors=monitors, **options)
    wanted = expected(pd.read_parquet(folder / "reference.parquet"), stream, spec)
    found = [item for item in watch.readings(client, pair) if item["column"] != "humid"]
    assert compare(wanted, found)[:20] == []
    assert {item["column"] for item in client.readings(model=pair.model, monitor="default-drift.psi", start=None, limit=10_000)} >= set(
        fewer
    )


def _other_classes(client: Client, folder: Path) -> None:
    """A class is added, removed or replaced, and a number becomes a dimension: probabilities stay with their classes."""
    for before, after in (("abd", "abcd"), ("abd", "abc"), ("abcd", "abd")):
        wanted, found = _change(client, before, after, folder)
        assert (before, after, compare(wanted, found)[:20]) == (before, after, [])


def _from_zero(client: Client) -> None:
    """Events come first, some of them again; a contract is proposed and taken, and more events come: the readings are those of a model that had its contract from the beginning."""
    frame = _animals("abd", 5, 400)
    late = frame.iloc[150:250]
    first = frame.drop(index=late.index)  # in no order of time
    model, address = "zero", f"{client.url}/v1/models/zero/proposal"
    _tell(client, model, first)
    _tell(client, model, first.iloc[:30].assign(prediction="d", size=-1.0))
    until = time.monotonic() + 300
    while not _all_wait(answer := httpx.get(address, timeout=120, trust_env=False), len(first) + 30):
        assert time.monotonic() < until, answer.text
        time.sleep(0.2)
    proposed = answer.json()
    assert (proposed["ready"], proposed["task"], proposed["classes"]) == (True, "multiclass", ["a", "b", "d"])
    assert [(one["name"], one["kind"]) for one in proposed["features"]] == [("size", "numeric"), ("floor", "numeric")]
    taken = httpx.post(address, params={"segments": "floor"}, timeout=120, trust_env=False).json()
    assert (taken["result"], taken["version"], taken["rows"]) == ("created", 1, len(first))
    shared = {"model": model, "segments": ["all", "floor"], "min_samples": 5, "baseline": "reference"}
    monitors: list[dict[str, Any]] = [
        {**shared, "monitor": "accuracy", "measure": "performance.accuracy"},
        {**shared, "monitor": "psi", "measure": "drift.psi", "columns": ["size", "floor", "@prediction", "@label"]},
    ]
    client.apply(yaml.safe_dump(monitors))
    _tell(client, model, late)
    _tell(client, model, first.iloc[30:60].assign(prediction="d", size=-1.0))
    assert client.wait(600)["problems"] == []
    found = [item for monitor in monitors for item in client.readings(model=model, monitor=monitor["monitor"], limit=10_000)]
    spec = Spec(task="multiclass", features=["size", "floor"], segments=["floor"], monitors=monitors)
    assert compare(expected(first, frame, spec), found)[:20] == []
    assert httpx.get(address, timeout=120, trust_env=False).status_code == 404


def _new_values(client: Client) -> None:
    """A floor that the reference does not have and that comes often is a segment of its own from its first event on, also on the day before it was found; one that comes seldom stays in `other`."""
    model, sink = "floors", BytesIO()
    reference, stream = (_animals("abd", seed, rows) for seed, rows in ((0, 300), (6, 400)))
    stream.loc[stream.index % 3 == 0, "floor"] = 7
    stream.loc[stream.index % 50 == 1, "floor"] = 9
    for frame in (reference, stream):
        frame["floor"] = "f" + frame["floor"].astype(str)
    reference.to_parquet(sink)
    client.reference(model, sink.getvalue(), task="multiclass", features=["size", "floor"], segments=["floor"])
    auto = {"auto": ["floor"], "min_share": 0.1, "most": 4}
    client.apply(
        yaml.safe_dump([{"monitor": "found", "model": model, "measure": "performance.accuracy", "segments": auto, "min_samples": 5}])
    )
    _tell(client, model, stream.iloc[::2])
    assert client.wait(600)["problems"] == []
    _tell(client, model, stream.iloc[1::2])
    assert client.wait(600)["problems"] == []
    named = stream["floor"].where(stream["floor"] != "f9", "other")
    right = (stream["prediction"] == stream["label"]).groupby([stream["ts"].dt.floor("D"), named])
    wanted = {(day, f"floor={floor}"): (len(rows), pytest.approx(rows.mean())) for (day, floor), rows in right}
    found = {
        (pd.Timestamp(one["window_start"]), one["segment"]): (one["n_target"], one["value"])
        for one in client.readings(model=model, monitor="found", limit=10_000)
        if one["segment"] != "all" and one["n_target"]
    }
    assert {segment for _, segment in found} == {*(f"floor=f{floor}" for floor in (0, 1, 2, 7)), "floor=other"}
    assert found == wanted
    (floors,) = client.contract(model)["dimensions"]
    assert floors["new"] == ["f7"]


def _all_wait(answer: httpx.Response, events: int) -> bool:
    """Return whether all predictions and all labels wait: a reference has those that are there when it is taken."""
    return answer.status_code == 200 and min(answer.json()["predictions"], answer.json()["labels"]) == events


def _tell(client: Client, model: str, frame: pd.DataFrame) -> None:
    """Send rows as events, and their labels at the same time."""
    names = [str(name) for name in frame.columns if str(name).startswith("proba_")]
    rows: list[Any] = frame.assign(ts=[one.isoformat() for one in frame["ts"]]).to_dict("records")
    shared = [{"model": model, "prediction_id": row["prediction_id"], "ts": row["ts"]} for row in rows]
    predictions = [
        {**one, "features": {"size": row["size"], "floor": row["floor"]}, "prediction": row["prediction"]}
        | {"probabilities": {name.removeprefix("proba_"): row[name] for name in names}}
        for one, row in zip(shared, rows, strict=True)
    ]
    labels = [{**one, "label": row["label"]} for one, row in zip(shared, rows, strict=True)]
    for sent in (client.predictions(predictions), client.labels(labels)):
        assert (sent.accepted, sent.errors, sent.cells) == (len(frame), [], [])


def _classes_however_written(client: Client, folder: Path) -> None:
    """A class is found by the same rules in files, events and labels; a value that is no class is reported, counted, and a class of its own."""
    for task in ("binary", "multiclass"):
        wanted, found = _spelled(client, task, folder)
        assert (task, compare(wanted, found)[:20]) == (task, [])
        assert wanted[wanted["measure"] == "performance.roc_auc"]["value"].notna().all()
    sent = client.predictions([{"prediction_id": "p", "model": "binary", "ts": "2024-03-03T00:00:00Z", "features": {}, "prediction": 0.73}])
    told = client.labels([{"prediction_id": "p", "model": "binary", "ts": "2024-03-03T00:00:00Z", "label": "yes"}])
    assert [(len(one.errors), [cell["field"] for cell in one.cells]) for one in (sent, told)] == [(0, ["prediction"]), (0, ["label"])]
    client.wait(600)
    assert httpx.get(f"{client.url}/v1/models/binary", timeout=120, trust_env=False).json()["outside"] == {"predictions": 1, "labels": 1}


def _spelled(client: Client, task: str, folder: Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Send a model whose classes are numbers, written in three ways. Returns the readings of the plain one, and those of the others."""
    classes = "01" if task == "binary" else "012"
    reference, stream = _numbered(classes, 0, 300), _numbered(classes, 1, 600)
    words = task == "binary"
    first = _written(reference, {one: ("False", "True")[int(one)] if words else f"{one}.0" for one in classes})
    first["prediction"] = reference["prediction"].astype(bool) if words else reference["prediction"].astype(float)
    second = _written(stream, {one: f"{one}.0" for one in classes})
    paths = [folder / f"{task}-{name}.parquet" for name in ("reference", "stream")]
    for frame, path in zip((first, second), paths, strict=True):
        frame.to_parquet(path)
    shared = {"model": task, "min_samples": 5, "baseline": "reference"}
    monitors: list[dict[str, Any]] = [
        {**shared, "monitor": f"{task}-{name}", "measure": f"performance.{name}"} for name in ("accuracy", "f1", "roc_auc")
    ]
    monitors.append({**shared, "monitor": f"{task}-psi", "measure": "drift.psi", "columns": ["size", "@prediction", "@label"]})
    client.reference(task, paths[0].read_bytes(), task=task, features=["size"], positive="True" if words else "1")
    client.apply(yaml.safe_dump(monitors))
    _send(client, task, paths[1])
    assert client.wait(600)["problems"] == []
    found = [item for monitor in monitors for item in client.readings(model=task, monitor=monitor["monitor"], limit=10_000)]
    return expected(reference, stream, Spec(task=task, monitors=monitors, features=["size"])), found


def _numbered(classes: str, seed: int, rows: int) -> pd.DataFrame:
    """Classes that are numbers; of three or more the least likely one has no probability, and some rows have none at all."""
    frame = _animals(classes, seed, rows).astype({"prediction": int, "label": int}).drop(columns="floor")
    names = [f"proba_{one}" for one in classes]
    if len(names) > 2:
        held = frame[names].to_numpy()
        frame[names] = np.where(held == held.min(axis=1, keepdims=True), np.nan, held)
    frame.loc[frame.index % 10 == 0, names] = np.nan
    return frame


def _written(frame: pd.DataFrame, texts: Mapping[str, str]) -> pd.DataFrame:
    """The frame with other texts as labels and in the names of columns of probabilities."""
    labels = frame["label"].astype(str).map(texts)
    return frame.assign(label=labels).rename(columns={f"proba_{one}": f"proba_{other}" for one, other in texts.items()})


def _change(client: Client, before: str, after: str, folder: Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Give a model other classes. Returns the expected readings, and those that are there."""
    model = f"{before}-{after}"
    frames = [_animals(before, 0, 300), _animals(before, 1, 600), _animals(after, 2, 300), _animals(after, 3, 600)]
    paths = [folder / f"{model}-{place}.parquet" for place in range(len(frames))]
    for frame, path in zip(frames, paths, strict=True):
        frame.to_parquet(path)
    first, old, second, new = paths
    shared = {"model": model, "segments": ["all", "floor"], "min_samples": 5}
    monitors: list[dict[str, Any]] = [
        {**shared, "monitor": name, "measure": f"performance.{name}", "baseline": "reference"} for name in ("accuracy", "f1", "roc_auc")
    ]
    monitors.append({**shared, "monitor": "psi", "measure": "drift.psi", "columns": ["size", "floor", "@prediction", "@label"]})
    options: dict[str, Any] = {"task": "multiclass", "features": ["size", "floor"]}
    client.reference(model, first.read_bytes(), **options)
    _send(client, model, old)
    client.wait(600)
    client.reference(model, second.read_bytes(), **options, segments=["floor"])
    _send(client, model, new)
    client.apply(yaml.safe_dump(monitors))
    assert client.wait(600)["problems"] == []
    found = [item for monitor in monitors for item in client.readings(model=model, monitor=monitor["monitor"], limit=10_000)]
    return expected(frames[2], pd.concat([frames[1], frames[3]]), Spec(monitors=monitors, segments=["floor"], **options)), found


def _animals(classes: str, seed: int, rows: int) -> pd.DataFrame:
    """Two days of animals and what a model takes them for."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, len(classes), rows)
    weight = rng.random((rows, len(classes))) + np.eye(len(classes))[label]
    probability = weight / weight.sum(axis=1, keepdims=True)
    names = np.array(list(classes), object)
    ts = (pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 2 * 86_400, rows) + seed * 86_400, unit="s")).as_unit("us")
    return pd.DataFrame(
        {
            "prediction_id": [f"{seed}-{place}" for place in range(rows)],
            "ts": ts,
            "size": rng.normal(label, 1.0),
            "floor": rng.integers(0, 3, rows),
            "prediction": names[probability.argmax(axis=1)],
            "label": names[label],
            "label_ts": ts,
            **{f"proba_{name}": probability[:, place] for place, name in enumerate(names)},
        }
    )


def _send(client: Client, model: str, stream: Path) -> None:
    receipt = send(client, Recording(stream, document.read(client.contract(model))))
    assert (receipt.rejected, receipt.predictions.errors, receipt.labels.errors) == (0, [], [])


def _without(monitor: dict[str, object], column: str) -> dict[str, object]:
    columns = monitor.get("columns")
    return {**monitor, "columns": [name for name in columns if name != column]} if isinstance(columns, list) else monitor
