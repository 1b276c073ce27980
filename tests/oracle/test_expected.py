"""The oracle's readings of small files against values that were worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.oracle.compare import compare
from tests.oracle.expected import expected, windows
from tests.oracle.spec import DAY, Spec

DAYS = pd.Timestamp("2022-07-01", tz="UTC")


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    frame["prediction_id"] = [str(place) for place in range(len(frame))]
    frame["ts"] = DAYS + pd.to_timedelta(frame.pop("day"), unit="D")
    return frame


def _binary(day: float, place: str | None, prediction: int, score: float | None, label: int | None) -> dict[str, Any]:
    return {"day": day, "place": place, "prediction": prediction, "score": score, "label": label}


REFERENCE = _frame([_binary(0, "a", 1, 0.9, 1), _binary(0, "a", 0, 0.2, 0), _binary(0, "b", 1, 0.6, 0), _binary(0, "b", 0, 0.1, 0)])
STREAM = _frame(
    [
        _binary(0.1, "a", 1, 0.8, 1),
        _binary(0.2, "a", 0, 0.7, 1),
        _binary(0.3, "b", 0, 0.3, 0),
        _binary(0.4, "c", 1, 0.7, 0),
        _binary(0.5, None, 1, None, None),
        _binary(2.5, "b", 1, 0.9, 1),
    ]
)


def _read(**monitor: Any) -> dict[tuple[str, int], dict[str, Any]]:
    spec = Spec("binary", segments=["place"], monitors=[{"monitor": "m", "min_samples": 1, **monitor}])
    frame = expected(REFERENCE, STREAM, spec)
    first = frame["window_start"].min()
    return {(row["segment"], (row["window_start"] - first) // DAY): row for row in frame.to_dict("records")}  # type: ignore[misc]


def test_accuracy_and_its_loss_by_segment() -> None:
    """All: 2 of 4 right on the first day against 3 of 4 in the reference; a quarter lost is critical at 0.25."""
    found = _read(measure="performance.accuracy", segments=["place"], baseline="reference", warn=0.1, critical=0.25)
    whole = found["all", 0]
    assert (whole["value"], whole["baseline_value"], whole["n_target"], whole["n_baseline"], whole["verdict"]) == (
        0.5,
        0.75,
        4,
        4,
        "critical",
    )
    assert [found[f"place={name}", 0]["verdict"] for name in ("a", "b", "other", "null")] == ["critical", "ok", "insufficient", "nodata"]
    assert [found["all", day]["verdict"] for day in (1, 2)] == ["nodata", "ok"]


def test_f1_and_auc_leave_out_what_they_cannot_use() -> None:
    """With tp 1, fp 1, fn 1 F1 is 1/2. Positives at 0.8 and 0.7, negatives at 0.3 and 0.7: 3 1/2 of 4 pairs are right."""
    assert _read(measure="performance.f1")["all", 0]["value"] == 0.5
    auc = _read(measure="performance.roc_auc")
    assert (auc["all", 0]["value"], auc["all", 0]["n_target"]) == (3.5 / 4, 4)
    assert (auc["all", 2]["verdict"], auc["all", 2]["n_target"]) == ("not_estimable", 1)


def test_null_rate_counts_every_prediction() -> None:
    """One of five places is null on the first day; the object threshold below the value is reached at equality."""
    found = _read(measure="quality.null_rate", columns=["place"], warn=0.2)["all", 0]
    assert (found["value"], found["n_target"], found["verdict"]) == (0.2, 5, "warn")
    assert pd.isna(found["n_baseline"])


def test_previous_is_the_adjacent_window() -> None:
    """Day 0 has none before it and day 2 an empty one: insufficient, and no drift."""
    found = _read(measure="drift.js", columns=["place"], baseline="previous")
    for day in (0, 2):
        row = found["all", day]
        assert (row["verdict"], np.isnan(row["value"]), row["n_baseline"]) == ("insufficient", True, 0)


def test_regression_errors() -> None:
    """Errors of 3 and 4: mean absolute error 3.5, root mean square 12.5 ** 0.5; unlabelled rows do not count."""
    rows = [{"day": 0.1, "prediction": 13.0, "label": 10.0}, {"day": 0.2, "prediction": 6.0, "label": 10.0}]
    stream = _frame([*rows, {"day": 0.3, "prediction": 1.0, "label": None}])
    monitors = [{"monitor": name, "measure": f"performance.{name}", "warn": {"above": 3.5}, "min_samples": 2} for name in ("mae", "rmse")]
    found = expected(_frame(rows), stream, Spec("regression", monitors=monitors))
    assert found["value"].tolist() == pytest.approx([3.5, 12.5**0.5], abs=1e-12)
    assert found["verdict"].tolist() == ["warn", "warn"]
    assert found["n_target"].tolist() == [2, 2]


def test_multiclass_is_the_plain_mean_over_classes_that_are_there() -> None:
    """F1 of x is 1/2, of y 4/5, of z 0 (predicted, never true): the mean over three. AUC leaves out z, which has no positive."""
    rows = [
        ("x", "x", 0.7, 0.2, 0.1),
        ("x", "z", 0.3, 0.2, 0.5),
        ("y", "y", 0.1, 0.8, 0.1),
        ("y", "y", 0.2, 0.6, 0.2),
        ("x", "y", 0.1, 0.5, 0.4),
    ]
    frame = _frame(
        [{"day": 0.1, "label": label, "prediction": said, "proba_x": x, "proba_y": y, "proba_z": z} for label, said, x, y, z in rows]
    )
    monitors = [{"monitor": name, "measure": f"performance.{name}", "min_samples": 1} for name in ("f1", "roc_auc")]
    values = expected(frame, frame, Spec("multiclass", monitors=monitors))["value"].tolist()
    # x: tp 1, fp 0, fn 2 -> 1/2; y: tp 2, fp 1, fn 0 -> 4/5; z: 0.
    assert values[0] == pytest.approx((0.5 + 0.8 + 0.0) / 3, abs=1e-12)
    # x: 0.7, 0.3, 0.1 against 0.1, 0.2: 4 1/2 of 6; y: 0.8, 0.6 against 0.2, 0.2, 0.5: all 6.
    assert values[1] == pytest.approx((4.5 / 6 + 1.0) / 2, abs=1e-12)


def test_an_id_counts_once_and_a_row_without_prediction_never() -> None:
    """The first row of an id by time is the event."""
    twice = pd.concat([STREAM, STREAM.assign(ts=STREAM["ts"] + pd.Timedelta(days=9)), STREAM.assign(prediction_id="n", prediction=None)])
    monitor = {"monitor": "m", "measure": "performance.accuracy"}
    spec = Spec("binary", segments=["place"], monitors=[monitor])
    pd.testing.assert_frame_equal(expected(REFERENCE, STREAM, spec), expected(REFERENCE, twice, spec))


def test_of_a_long_gap_one_window_is_there() -> None:
    """1,000 empty windows all exist, of 1,001 the first."""
    assert len(windows(np.array([0, 1001]), 1, 1, None)) == 1002
    assert windows(np.array([0, 1002]), 1, 1, None) == [0, 1, 1002]
    assert windows(np.array([0, 5, 10]), 5, 5, until=10) == [0, 5]


def _items(frame: pd.DataFrame) -> list[dict[str, Any]]:
    items = frame.astype(object).where(frame.notna(), None).to_dict("records")
    for item in items:
        for name in ("window_start", "window_end"):
            item[name] = pd.Timestamp(item[name], unit="us", tz="UTC").isoformat().replace("+00:00", "Z")
    return [{str(name): value for name, value in item.items()} for item in items]


def test_compare_finds_what_differs_and_nothing_else() -> None:
    """Equal readings differ in nothing; a count, a float, a missing one and one too many are each found."""
    spec = Spec("binary", segments=["place"], monitors=[{"monitor": "m", "measure": "performance.accuracy", "min_samples": 1}])
    frame = expected(REFERENCE, STREAM, spec)
    items = _items(frame)
    assert compare(frame, items) == []
    assert compare(frame, [{**items[0], "value": items[0]["value"] + 1e-10}, *items[1:]]) == []
    assert "value is 0.5" in compare(frame, [{**items[0], "value": 0.500001}, *items[1:]])[0]
    assert "n_target is 5, expected 4" in compare(frame, [{**items[0], "n_target": 5}, *items[1:]])[0]
    assert "verdict is 'warn'" in compare(frame, [{**items[0], "verdict": "warn"}, *items[1:]])[0]
    assert "is missing" in compare(frame, items[1:])[0]
    assert "is there twice" in compare(frame, [items[0], *items])[0]
    assert "should not be" in compare(frame, [*items, {**items[0], "segment": "place=q"}])[0]
