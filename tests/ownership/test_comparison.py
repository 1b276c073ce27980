"""Comparisons from event to reading: what they say equals what plain numpy says of the same rows, whatever came late, twice or was corrected."""

from __future__ import annotations

import json
from math import log
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from core import moment
from core.baseline.rows import Role, Version
from core.clock import ManualClock
from core.hook import Hook, Verify
from core.monitor import Monitor
from core.retrain import Manifest, Retrain, RetrainState, Trigger
from core.window.tumbling import Tumbling
from storage.facts.panes import Panes
from storage.facts.progress import Batches
from storage.facts.raw import Raw
from storage.facts.readings import Readings
from storage.facts.stream import Stream
from tests.acceptance.backend import Backend
from tests.ownership.scene import CLOCK, START, settle
from watchkeeper.retraining.facts import RetrainFacts

_DAYS, _EACH = 4, 150
_MARGIN, _ALPHA = 0.02, 0.05
Row = dict[str, Any]


def requests(seed: int = 3) -> list[Row]:
    """Requests of some days: which class is true, and what champion and shadow say. The shadow is right more often."""
    rng = np.random.default_rng(seed)
    found = []
    for place in range(_DAYS * _EACH):
        true, hard = int(rng.random() < 0.5), rng.random()
        a = true if hard > 0.3 else 1 - true
        b = true if hard > 0.15 or rng.random() < 0.1 else 1 - true
        found.append({"request": f"r{place}", "day": place // _EACH, "c": "ab"[place % 2], "true": true, "a": a, "b": b})
    return found


def send(backend: Backend, model: str, rows: list[Row], *, paired: bool) -> None:
    """Send both sides' predictions with their labels, some labels corrected, everything twice, and the last day before the others."""
    predictions, labels = list[Row](), list[Row]()
    for row in rows:
        for side, role, version in (("a", "champion", "1"), ("b", "shadow", "2")):
            ident = f"{row['request']}:{side}"
            at = {"model": model, "prediction_id": ident, "ts": (START + row["day"] * moment.DAY) // 1_000}
            more = {"role": role, "version": version} | ({"request_id": row["request"]} if paired else {})
            predictions.append(at | more | {"features": {"x": 1, "c": row["c"]}, "prediction": row[side], "score": 0.5})
            labels.append(at | {"label": 1 - row["true"]})
    corrected = [one | {"label": 1 - one["label"], "ts": one["ts"] + 1} for one in labels]
    for first, last in ((_DAYS - 1, _DAYS), (0, _DAYS - 1)):
        where = [place for place, row in enumerate(rows) for _ in "ab" if first <= row["day"] < last]
        some = [2 * place + side for place in sorted(set(where)) for side in (0, 1)]
        backend.append("labels", [labels[place] for place in some], 0, CLOCK)
        backend.append("predictions", [predictions[place] for place in some], 0, CLOCK)
        settle(backend, model)
    backend.append("labels", corrected, 0, CLOCK + 1)
    backend.append("predictions", predictions[: len(predictions) // 2], 1, CLOCK + 2)
    settle(backend, model)


def monitor(model: str, **more: Any) -> Monitor:
    """A comparison of the shadow with the champion."""
    fields: dict[str, Any] = {
        "baseline": Role("champion"),
        "other": Role("shadow"),
        "params": {"of": "performance.accuracy", "margin": _MARGIN},
    }
    return Monitor(
        name="compare", model=model, measure="compare.difference", segments=("all", "c"), window=Tumbling(moment.DAY), **fields | more
    )


def found(backend: Backend, model: str) -> dict[tuple[int, str], Row]:
    """The readings by day and segment."""
    table = Readings(backend.engine).newest(model, {"compare": 1}, (0, moment.LATEST))["compare"]
    rows = [row | {"evidence": json.loads(row["evidence"])} for row in table.to_pylist()]
    return {((row["window_start"] - START) // moment.DAY, row["segment"]): row for row in rows}


def sequence(gain: float, variance: float, detect: float) -> tuple[float, float]:
    """The bounds of a gain, and the variance that is needed, written out."""
    level = 2 * log(1 / _ALPHA)
    ratio = level + log(level) + 1
    reach = np.sqrt((1 + 1 / ratio) * (level + log(1 + ratio)))
    target = (detect / (reach + 1.6448536269514722)) ** 2
    width = ratio * target
    far = np.sqrt(variance * (variance + width) / width * (level + log((variance + width) / variance)))
    return gain - far, target


@pytest.mark.parametrize("segment", ["all", "c=a"])
def test_pairs_of_a_shadow_are_compared_exactly(backend: Backend, model: str, segment: str) -> None:
    """Each window tells its own difference, and what all pairs so far say together."""
    backend.monitors[model] = [monitor(model)]
    rows = requests()
    send(backend, model, rows, paired=True)
    held = found(backend, model)
    assert len(held) == _DAYS * 3
    for day in range(_DAYS):
        reading, inside = held[day, segment], [row for row in rows if segment in ("all", f"c={row['c']}")]
        own, so_far = ([row for row in inside if low <= row["day"] <= day] for low in (day, 0))
        right = {side: np.mean([row[side] == row["true"] for row in own]) for side in "ab"}
        assert reading["value"] == pytest.approx(right["b"] - right["a"], abs=1e-12)
        assert (reading["baseline_value"], reading["n_target"]) == (pytest.approx(right["a"], abs=1e-12), len(own))
        assert reading["lower"] < reading["value"] < reading["upper"]
        more = np.array([(row["b"] == row["true"]) * 1.0 - (row["a"] == row["true"]) for row in so_far])
        variance = (((more - more.mean()) ** 2).sum() + 2) / len(more) ** 2
        better, target = sequence(more.mean(), variance, _MARGIN)
        evidence = reading["evidence"]
        assert evidence["basis"] == "pairs"
        assert (evidence["rows_a"], evidence["rows_b"]) == (len(so_far), len(so_far))
        assert evidence["gain"] == pytest.approx(more.mean(), abs=1e-12)
        assert evidence["better"] == pytest.approx(better, abs=1e-9)
        assert evidence["needed"] == int(np.ceil(len(more) * variance / target))
        assert (evidence["only_a"], evidence["only_b"]) == ((more < 0).sum(), (more > 0).sum())
        assert evidence["disagreement"] == pytest.approx(np.mean([row["a"] != row["b"] for row in so_far]))
        enough = len(so_far) >= 200
        assert reading["verdict"] == ("ready" if enough and better > -_MARGIN else "keep_waiting")
    assert held[_DAYS - 1, "all"]["verdict"] == "ready"


def test_versions_without_requests_are_compared_within_each_window(backend: Backend, model: str) -> None:
    """Windows weigh by the rows of both; the sides turned round, the better one is `worse`."""
    backend.monitors[model] = [
        monitor(model, baseline=Version("2"), other=Version("1"), params={"of": "performance.accuracy", "margin": 0.01})
    ]
    rows = [{**row, "request": f"{row['request']}-{turn}"} for turn in range(4) for row in requests(turn)]
    send(backend, model, rows, paired=False)
    reading = found(backend, model)[_DAYS - 1, "all"]
    wrong = {
        side: np.array([[row[side] != row["true"] for row in rows if row["day"] == day] for day in range(_DAYS)]) * 1.0 for side in "ab"
    }
    n = wrong["a"].shape[1]
    gain = np.mean(wrong["b"].mean(1) - wrong["a"].mean(1))
    spread = sum((((one - one.mean()) ** 2).sum() + 1) / one.size for one in wrong.values())
    variance = _DAYS * (n / 2) ** 2 / n * spread / (_DAYS * n / 2) ** 2
    evidence = reading["evidence"]
    assert evidence["basis"] == "rows"
    assert evidence["gain"] == pytest.approx(gain, abs=1e-12)
    assert evidence["better"] == pytest.approx(sequence(gain, variance, 0.01)[0], abs=1e-9)
    assert reading["verdict"] == "worse"


def test_use_is_counted_by_version_and_role(backend: Backend, model: str) -> None:
    """Distinct predictions of a span, whatever came twice."""
    rows = requests()
    send(backend, model, rows, paired=False)
    panes, contract = Panes(backend.engine), backend.contracts[model]
    assert panes.use(contract, (START, START + moment.DAY)) == [("1", "champion", _EACH), ("2", "shadow", _EACH)]
    assert panes.use(contract, (START - moment.DAY, START)) == []


def test_a_retraining_is_judged_with_its_version_beside_the_one_before(backend: Backend, model: str) -> None:
    """Where both serve: by an anytime-valid comparison of the verified measure, in either direction. Where the one before is gone there is nothing to compare."""
    send(backend, model, requests(), paired=True)
    control = SimpleNamespace(contract=backend.contracts.get, **dict.fromkeys(("contract_version", "reference", "cursor"), lambda *_: None))
    control.monitors = control.budgets = control.destinations = lambda *_: []
    control.change_count, control.rebuilds, control.referenced = lambda: 0, dict, set
    control.contracts = lambda: list(backend.contracts.values())
    stores = SimpleNamespace(
        control=control,
        panes=Panes(backend.engine),
        raw=Raw(backend.engine),
        stream=Stream(backend.engine),
        batches=Batches(backend.engine),
        training=None,
        settings=SimpleNamespace(ingest=SimpleNamespace(silence=0, lateness=0)),
    )
    facts = RetrainFacts(cast("Any", stores), ManualClock(CLOCK + moment.DAY))
    verify = Verify(measure="performance.accuracy", window=moment.DAY, windows=2, within=10 * moment.DAY)
    trained = Manifest(start=START - moment.DAY, end=START, contract=1, version="1")
    ran = Retrain(
        id="rt_1", model=model, hook="h", state=RetrainState.VERIFYING, trigger=Trigger.HAND, reason="", created=0, version="2", known=("1",),
        manifest=trained,
    )  # fmt: skip
    hook = Hook(name="h", model=model, verify=verify)
    found = facts.watched(ran, hook).beside
    assert found is not None
    assert (found.version, found.verdict, found.rows) == ("1", "ready", _DAYS * _EACH)
    assert found.better is not None
    assert found.better > 0
    back = msgspec.structs.replace(ran, version="1", known=("2",), manifest=msgspec.structs.replace(trained, version="2"))
    worse = facts.watched(back, hook).beside
    assert worse is not None
    assert worse.verdict == "worse"
    assert worse.better_upper == pytest.approx(-found.better)
    gone = msgspec.structs.replace(ran, manifest=msgspec.structs.replace(trained, version="0"))
    assert facts.watched(gone, hook).beside is None
