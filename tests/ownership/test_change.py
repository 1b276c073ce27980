"""Changes from event to reading: what detectors say equals what river says of the distinct rows in order of their time, whatever came late, twice or was corrected."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from river import drift

from core import moment
from core.monitor import Monitor
from core.window.tumbling import Tumbling
from detectors import catalogue
from monitors.definition import field
from storage.facts.readings import Readings
from tests.acceptance.backend import Backend
from tests.oracle.chart import charted_by_hand
from tests.oracle.harmful import worth
from tests.ownership.scene import CLOCK, START, settle

_DAYS, _EACH = 12, 150
_DETECTORS: dict[str, Any] = {"adwin": drift.ADWIN, "ddm": drift.binary.DDM}
Row = dict[str, Any]


def rows(seed: int = 3) -> list[Row]:
    """Predictions of some days, one every few minutes; more are wrong from the seventh day on."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(_DAYS * _EACH):
        day, true = place // _EACH, int(rng.random() < 0.5)
        wrong = rng.random() < (0.1 if day < 6 else 0.45)
        ts = START + place * (moment.DAY // _EACH)
        found.append({"id": f"r{place}", "ts": ts, "true": true, "said": 1 - true if wrong else true, "c": "ab"[place % 2]})
    return found


def send(backend: Backend, model: str, stream: list[Row]) -> None:
    """Each row with a wrong label first; the middle third last, in another partition; corrected labels after all; some rows twice."""
    third = len(stream) // 3
    for part, partition in ((stream[:third], 0), (stream[2 * third :], 1), (stream[third : 2 * third], 2)):
        at = [{"model": model, "prediction_id": row["id"], "ts": row["ts"] // 1_000} for row in part]
        sent = [
            one | {"features": {"x": 1, "c": row["c"]}, "prediction": row["said"], "score": 0.5} for one, row in zip(at, part, strict=True)
        ]
        backend.append("predictions", sent, partition, CLOCK)
        backend.append("labels", [one | {"label": 1 - row["true"]} for one, row in zip(at, part, strict=True)], partition, CLOCK)
        settle(backend, model)
    at = [{"model": model, "prediction_id": row["id"], "ts": row["ts"] // 1_000 + 1, "label": row["true"]} for row in stream]
    backend.append("labels", at, 0, CLOCK + 1)
    backend.append("predictions", sent, 2, CLOCK + 2)
    settle(backend, model)


def monitor(model: str, backend: Backend, measure: str, params: dict[str, Any]) -> Monitor:
    """A monitor of change, as the grammar makes it."""
    settled = field.params(params, catalogue.spec(measure), backend.contracts[model])
    return Monitor(
        name=measure,
        model=model,
        measure=measure,
        params=settled,
        segments=("all", "c"),
        window=Tumbling(moment.DAY),
        critical=1.0,
        min_samples=1,
    )


def found(backend: Backend, model: str, measure: str) -> dict[tuple[int, str], Row]:
    """The readings by day and segment."""
    table = Readings(backend.engine).newest(model, {measure: 1}, (0, 1 << 60))[measure]
    return {
        ((row["window_start"] - START) // moment.DAY, row["segment"]): row | {"evidence": json.loads(row["evidence"])}
        for row in table.to_pylist()
    }


@pytest.mark.parametrize("name", list(_DETECTORS))
def test_detections_are_those_of_river_whatever_came_late_or_twice(backend: Backend, model: str, name: str) -> None:
    """In all traffic and in a segment, with the time of the row and where the change began."""
    backend.monitors[model] = [monitor(model, backend, f"change.{name}", {})]
    stream = rows()
    send(backend, model, stream)
    held = found(backend, model, f"change.{name}")
    assert len(held) == _DAYS * 3
    for segment in ("all", "c=a", "c=b"):
        own = [row for row in stream if segment in ("all", f"c={row['c']}")]
        detector, expected = _DETECTORS[name](), np.zeros(_DAYS)
        first = dict[int, int]()
        for row in own:
            detector.update(float(row["said"] != row["true"]))
            if detector.drift_detected:
                day = (row["ts"] - START) // moment.DAY
                expected[day] += 1
                first.setdefault(day, row["ts"])
        assert [held[day, segment]["value"] for day in range(_DAYS)] == expected.tolist()
        assert expected.sum() >= 1
        for day, ts in first.items():
            told = held[day, segment]
            assert (told["verdict"], told["evidence"]["detected_at"]) == ("critical", moment.text(ts))
    day = min(first)
    assert held[day, "c=b"]["evidence"]["before"] < held[day, "c=b"]["evidence"]["after"]


def test_a_chart_is_that_of_the_accuracy_of_days(backend: Backend, model: str) -> None:
    """By plain Python on the rows."""
    backend.monitors[model] = [monitor(model, backend, "change.cusum", {"learn": 5, "h": 4})]
    stream = rows()
    send(backend, model, stream)
    held = found(backend, model, "change.cusum")
    for segment in ("all", "c=a"):
        own = [row for row in stream if segment in ("all", f"c={row['c']}")]
        right = {
            day: float(np.mean([row["said"] == row["true"] for row in own if (row["ts"] - START) // moment.DAY == day]))
            for day in range(_DAYS)
        }
        expected = charted_by_hand(right, "change.cusum", {"learn": 5, "h": 4})
        for day in range(_DAYS):
            value = held[day, segment]["value"]
            assert (value is None) == (expected[day] is None)
            assert value is None or value == pytest.approx(expected[day], abs=1e-9)
    detected = [day for day in range(_DAYS) if held[day, "all"]["verdict"] == "critical"]
    assert detected[0] == 6
    assert held[6, "all"]["evidence"]["onset"] == moment.text(START + 6 * moment.DAY)


def test_bets_on_harm_take_labels_as_they_were_when_due_and_no_later_ones(backend: Backend, model: str) -> None:
    """Corrections in time count, however late they come in; those of a later time change no reading. By plain products over rows; alpha is shared by `all`, the two values of c, other, null and invalid."""
    backend.monitors[model] = [monitor(model, backend, "change.harmful", {"risk": 0.15, "wait": "2h"})]
    stream = rows()
    send(backend, model, stream)
    held = found(backend, model, "change.harmful")
    assert len(held) == _DAYS * 3
    for segment in ("all", "c=a"):
        own = [row for row in stream if segment in ("all", f"c={row['c']}")]
        wrong = [
            np.array([float(row["said"] != row["true"]) for row in own if (row["ts"] - START) // moment.DAY == day]) for day in range(_DAYS)
        ]
        for day, one in enumerate(worth(wrong, 0.15, 0.05 / 6)):
            assert held[day, segment]["value"] == pytest.approx(one.value, rel=1e-9)
            assert held[day, segment]["n_target"] == one.n
    detected = [day for day in range(_DAYS) if held[day, "all"]["verdict"] == "critical"]
    assert detected[0] in (6, 7)
    assert held[detected[0], "all"]["evidence"]["onset"] == moment.text(START + 6 * moment.DAY)
    late = [
        {"model": model, "prediction_id": row["id"], "ts": (row["ts"] + moment.DAY) // 1_000, "label": 1 - row["true"]} for row in stream
    ]
    backend.append("labels", late, 0, CLOCK + 3)
    settle(backend, model)
    assert found(backend, model, "change.harmful") == held
