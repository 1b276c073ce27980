"""A Parquet file becomes events: which ones, in which order, with which texts."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import moment
from core.contract import Column, Contract, Kind, Roles, Task
from core.error import ConfigError
from watchkeeper.replay.recording import WEEK, Recording, Stretch

NUMERIC, CATEGORICAL = Kind.NUMERIC, Kind.CATEGORICAL
BEGIN = pd.Timestamp("2022-07-01", tz="UTC")
BEGIN_MS = 1_656_633_600_000


def _contract(task: Task = Task.BINARY, **more: Any) -> Contract:
    features = (Column(name="km", kind=NUMERIC), Column(name="place", kind=CATEGORICAL))
    return Contract(model="m", version=1, task=task, **({"features": features, "classes": ("0", "1")} | more))


def _write(folder: Path, **columns: Any) -> Path:
    path = folder / "file.parquet"
    size = len(next(iter(columns.values())))
    defaults = {
        "prediction_id": [str(place) for place in range(size)],
        "ts": BEGIN + pd.to_timedelta(range(size), unit="h"),
        "prediction": [1] * size,
    }
    table = pa.table({name: values if isinstance(values, pa.Array) else pa.array(values) for name, values in (defaults | columns).items()})
    pq.write_table(table, path, row_group_size=3)
    return path


def _lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def _predictions(stretches: list[Stretch]) -> list[dict[str, Any]]:
    return [event for stretch in stretches for event in _lines(stretch.predictions)]


def _labels(stretches: list[Stretch]) -> list[dict[str, Any]]:
    return [event for stretch in stretches for body in stretch.labels for event in _lines(body)]


def test_only_what_the_contract_knows_is_sent(tmp_path: Path) -> None:
    """Other columns stay; tags travel as tags; NaN is null; the score is left out where it is null."""
    path = _write(tmp_path, km=[1.5, float("nan")], place=["a", None], borough=["x", "y"], secret=[1, 2], score=[0.25, None])
    contract = _contract(tags=(Column(name="borough", kind=CATEGORICAL),))
    first, second = _predictions(list(Recording(path, contract, version="7").stretches()))
    assert first == {
        "prediction_id": "0", "model": "m", "version": "7", "ts": BEGIN_MS, "features": {"km": 1.5, "place": "a"}, "prediction": 1,
        "tags": {"borough": "x"}, "score": 0.25,
    }  # fmt: skip
    assert second["features"] == {"km": None, "place": None}
    assert "score" not in second


def test_roles_come_from_the_contract(tmp_path: Path) -> None:
    """Named columns, probabilities by prefix (of the contract's classes only) and intervals are found again."""
    roles = Roles(id="key", proba_prefix="p_", interval=("low", "high", 0.8))
    contract = _contract(Task.MULTICLASS, features=(), classes=("x", "y"), roles=roles)
    path = _write(
        tmp_path, key=[5, 6], prediction=["x", "y"], p_x=[0.5, 1.0], p_y=[0.5, None], p_q=[0.0, 0.0], low=[1.0, 2.0], high=[3.0, None]
    )
    first, second = _predictions(list(Recording(path, contract).stretches()))
    assert (first["prediction_id"], first["features"], first["probabilities"]) == ("5", {}, {"x": 0.5, "y": 0.5})
    assert first["interval"] == {"lower": 1.0, "upper": 3.0, "level": 0.8}
    assert ("interval" in second, second["probabilities"]) == (False, {"x": 1.0})


def test_infinity_is_written_as_python_does(tmp_path: Path) -> None:
    """It must reach the server as the invalid value that it is, not as null."""
    [stretch] = Recording(_write(tmp_path, km=[float("inf"), float("nan"), 1.0]), _contract()).stretches()
    assert b'"km": Infinity' in stretch.predictions
    assert [event["features"]["km"] for event in _lines(stretch.predictions)][1:] == [None, 1.0]


def test_a_label_without_value_or_time_is_never_sent(tmp_path: Path) -> None:
    """Null label, NaN label and null label_ts stay; the others carry both times."""
    later = [BEGIN + pd.Timedelta(days=1)] * 3 + [None]
    path = _write(tmp_path, label=[1.0, None, float("nan"), 1.0], label_ts=later)
    labels = _labels(list(Recording(path, _contract()).stretches()))
    assert labels == [{"prediction_id": "0", "model": "m", "label": 1.0, "ts": BEGIN_MS + 86_400_000, "prediction_ts": BEGIN_MS}]


def test_without_label_ts_the_label_comes_with_its_prediction(tmp_path: Path) -> None:
    """It has the prediction's time; another column is taken where it is named."""
    path = _write(tmp_path, label=[1, 0], known=[BEGIN, BEGIN + pd.Timedelta(hours=5)])
    assert [label["ts"] for label in _labels(list(Recording(path, _contract()).stretches()))] == [BEGIN_MS, BEGIN_MS + 3_600_000]
    assert _labels(list(Recording(path, _contract(), label_ts="known").stretches()))[1]["ts"] == BEGIN_MS + 5 * 3_600_000


@pytest.mark.parametrize(
    "ts",
    [
        pa.array([1_656_633_600_000_123_456], pa.timestamp("ns")),
        pa.array([1_656_633_600_000_123], pa.timestamp("us", "America/New_York")),
        pa.array(["2022-07-01T02:00:00.000123999+02:00"]),
    ],
)
def test_times_are_utc_and_cut_to_microseconds(tmp_path: Path, ts: pa.Array) -> None:
    """A time without zone is UTC; finer digits go."""
    [stretch] = Recording(_write(tmp_path, ts=ts, km=[1.0]), _contract()).stretches()
    assert _predictions([stretch])[0]["ts"] == "2022-07-01T00:00:00.000123Z"
    assert stretch.start == stretch.end == 1_656_633_600_000_123


def test_the_shift_is_the_greatest_whole_number_of_weeks(tmp_path: Path) -> None:
    """The last time, a label's here, comes to lie at most a week before now; never after it."""
    path = _write(tmp_path, km=[1.0], label=[1], label_ts=[BEGIN + pd.Timedelta(days=3)])
    recording, last = Recording(path, _contract()), BEGIN_MS * 1_000 + 3 * moment.DAY
    assert recording.weeks_until(last) == 0
    assert recording.weeks_until(last - 1) == -WEEK
    assert recording.weeks_until(last + 5 * WEEK + 1) == 5 * WEEK
    [stretch, rest] = recording.stretches(shift=WEEK)
    assert _predictions([stretch])[0]["ts"] == BEGIN_MS + 7 * 86_400_000
    assert _labels([rest])[0] == {
        "prediction_id": "0",
        "model": "m",
        "label": 1,
        "ts": BEGIN_MS + 10 * 86_400_000,
        "prediction_ts": BEGIN_MS + 7 * 86_400_000,
    }


def test_a_file_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    """The message names what is missing and what is there; a file that is no Parquet is refused too."""
    path = _write(tmp_path, km=[1.0])
    with pytest.raises(ConfigError, match=r"no column when .*its columns are prediction_id"):
        Recording(path, _contract(roles=Roles(ts="when")))
    with pytest.raises(ConfigError, match="no column known"):
        Recording(path, _contract(), label_ts="known")
    path.write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match="cannot be read as Parquet"):
        Recording(path, _contract())


@pytest.mark.parametrize("kind", [pa.string_view(), pa.large_string(), pa.binary(), pa.binary_view()], ids=str)
def test_ids_labels_and_categories_are_text_in_any_layout(tmp_path: Path, kind: pa.DataType) -> None:
    """Views and bytes are sent as the texts that they spell, never as base64."""
    texts = {
        name: pa.array(values, pa.string()).cast(kind)
        for name, values in {"prediction_id": ["a", "b"], "place": ["x", None], "label": ["1", "0"]}.items()
    }
    stretches = list(Recording(_write(tmp_path, km=[1.0, 2.0], **texts), _contract()).stretches())
    assert [(event["prediction_id"], event["features"]["place"]) for event in _predictions(stretches)] == [("a", "x"), ("b", None)]
    assert [(event["prediction_id"], event["label"]) for event in _labels(stretches)] == [("a", "1"), ("b", "0")]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"prediction": [[1], [2]]}, r"column 'prediction' of type list<element: int64> cannot be read as a class"),
        ({"label": [{"a": 1}, None]}, r"column 'label' of type struct<a: int64> cannot be read as a class"),
        ({"place": [[1], [2]]}, r"column 'place' of type list<element: int64> cannot be read as a class or a category"),
        ({"place": [b"a", b"\xff"]}, r"column 'place' of type binary, row 1: b'\\xff' is not UTF-8"),
        ({"prediction_id": [1.0, 2.0]}, r"column 'prediction_id' of type double cannot be read as an id"),
        ({"prediction_id": pa.nulls(2, pa.string())}, r"column 'prediction_id': all values are null"),
        ({"prediction": [float("nan"), None]}, r"column 'prediction': all values are null"),
        ({"ts": [BEGIN_MS * 1_000_000] * 2}, r"column 'ts', row 0: 1656633600000000000 .*looks like nanoseconds"),
        ({"ts": [BEGIN_MS // 1_000] * 2}, r"column 'ts': every time lies before 1971"),
        ({"label": [1, 0], "label_ts": ["2022-07-01T00:00:00Z", "later"]}, r"column 'label_ts', row 1: 'later' is not"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    """With column, type or row, and what to do."""
    with pytest.raises(ConfigError, match=message):
        Recording(_write(tmp_path, km=[1.0, 2.0], **columns), _contract())


def test_a_time_as_spark_writes_it_does_not_wrap(tmp_path: Path) -> None:
    """INT96 reaches further than nanoseconds do: the year 3000 is refused as itself, and is not 1830."""
    columns = {"prediction_id": ["a"], "ts": pa.array([32_503_680_000_000_000], pa.timestamp("us")), "prediction": [1]}
    pq.write_table(pa.table(columns), tmp_path / "file.parquet", use_deprecated_int96_timestamps=True)
    with pytest.raises(ConfigError, match="column 'ts', row 0: 32503680000000000 us since 1970 is not a time that can be kept"):
        Recording(tmp_path / "file.parquet", _contract())


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    """In our own words."""
    pq.write_table(pa.Table.from_arrays([pa.array([1])] * 2, ["km", "km"]), tmp_path / "file.parquet")
    with pytest.raises(ConfigError, match=r"the file has 2 columns named 'km' \(rename all but one\)"):
        Recording(tmp_path / "file.parquet", _contract())


def test_the_file_is_compared_with_the_contract(tmp_path: Path) -> None:
    """What is missing, what it may be called, what is unknown, and what is of another kind."""
    path = _write(tmp_path, **{"Km ": [1.0], "place": ["a"], "secret": [1]})
    assert Recording(path, _contract(scored=True)).notes == [
        "missing in the file, and null in every event: 'km'; is it 'Km ' for 'km'?",
        "not in the contract, and not sent: 'Km ', 'secret'",
        "the contract has scores, and the file has no column 'score' nor one that begins with 'proba_'",
        "the file has no column 'label': no labels are sent",
    ]
    path = _write(tmp_path, km=["far"], place=["a"], label=[1])
    assert Recording(path, _contract()).notes == [
        "numeric in the contract and not in the file, so that every value is invalid: 'km' (string)"
    ]
    assert Recording(_write(tmp_path, km=[1.0], place=["a"], label=[1]), _contract()).notes == []


def test_a_name_with_dots_is_a_name(tmp_path: Path) -> None:
    """Not a path into a struct: pyarrow takes `a.b` for one."""
    features = (Column(name="a", kind=NUMERIC), Column(name="a.b", kind=NUMERIC))
    path = _write(tmp_path, a=[1], **{"a.b": [2], "a.b.c": [3]})
    [event] = _predictions(list(Recording(path, _contract(features=features)).stretches()))
    assert event["features"] == {"a": 1, "a.b": 2}


def test_the_last_days_only(tmp_path: Path) -> None:
    """What is older than `last` before the last prediction is left out, with its label."""
    recording = Recording(_write(tmp_path, km=[1.0] * 5, label=[1] * 5), _contract(), last=2 * moment.HOUR)
    stretches = list(recording.stretches())
    assert [event["prediction_id"] for event in _predictions(stretches)] == ["3", "4"]
    assert [event["prediction_id"] for event in _labels(stretches)] == ["3", "4"]
    assert recording.events == 4


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hours=st.lists(st.integers(0, 40), min_size=1, max_size=30),
    delay=st.integers(-3, 30),
    size=st.integers(1, 7),
    span=st.sampled_from([None, moment.HOUR, 7 * moment.HOUR]),
)
def test_every_row_is_sent_once_in_time_order(tmp_path: Path, hours: list[int], delay: int, size: int, span: int | None) -> None:
    """Whatever the file's order and the cuts: predictions ascend, labels ascend, and a label's stretch ends when it is known or later, never before."""
    ts = BEGIN + pd.to_timedelta(hours, unit="h")
    label_ts = ts + pd.to_timedelta(delay + np.arange(len(hours)) % 5, unit="h")
    path = _write(tmp_path, ts=ts, km=[float(hour) for hour in hours], label=[1] * len(hours), label_ts=label_ts)
    recording = Recording(path, _contract())
    stretches = list(recording.stretches(size, span=span))
    predictions, labels = _predictions(stretches), _labels(stretches)
    assert sorted(int(event["prediction_id"]) for event in predictions) == list(range(len(hours)))
    assert sorted(int(event["prediction_id"]) for event in labels) == list(range(len(hours)))
    for events in (predictions, labels):
        assert all(before["ts"] <= after["ts"] for before, after in itertools.pairwise(events))
    for stretch in stretches:
        assert all(label["ts"] * 1_000 <= stretch.end for label in _labels([stretch]))
        assert span is None or not stretch.predictions or stretch.end - stretch.start < span
    assert sum(stretch.events for stretch in stretches) == recording.events == 2 * len(hours)
