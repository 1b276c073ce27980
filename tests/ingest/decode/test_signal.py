"""Signals of events, against a computation row by row; and what raw events keep gives the same ones again."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.block import Categories, Predictions
from core.contract import Column, Contract, Kind, Task
from core.extra import read
from detectors.summary.signal import ATTRIBUTION, SIGNALS, derived, needed, signal
from ingest.decode.decoded import Decoded
from ingest.decode.prediction import decode_predictions
from monitors.evidence.conversion import convert
from tests.ingest.decode.events import NOW

_FEATURES = (
    Column(name="age", kind=Kind.NUMERIC, edges=(5.0,), range=(0.0, 9.0)),
    Column(name="city", kind=Kind.CATEGORICAL, categories=("Oslo",), others=("Rome",)),
)
_CLASSES = {Task.BINARY: ("0", "1"), Task.MULTICLASS: ("cat", "cow", "dog"), Task.REGRESSION: ()}


def _contract(task: Task) -> Contract:
    """A contract with every signal of its task."""
    names = [one.name + ("age" if one.name == ATTRIBUTION else "") for one in SIGNALS if task in one.tasks and "<column>" not in one.name]
    signals = tuple(Column(name=name, kind=one.kind) for name in names if (one := signal(name)))
    return Contract(model="s", version=2, task=task, features=_FEATURES, classes=_CLASSES[task], scored=True, signals=signals)


CONTRACTS = {task: _contract(task) for task in Task}

_number = st.none() | st.floats(-2, 12) | st.sampled_from([0, 1, 7, 10**320, math.nan, "3", True])
_share = st.none() | st.floats(0, 1) | st.sampled_from([0, 1, 0.5, 1.5, -0.25, math.nan, "x"])
_optional: dict[str, st.SearchStrategy[Any]] = {
    "score": _share,
    "probabilities": st.none() | st.dictionaries(st.sampled_from(["cat", "cow", "dog", "0", "1"]), _share),
    "interval": st.none()
    | st.just(7)
    | st.fixed_dictionaries({"lower": st.floats(-3, 3), "upper": st.floats(-3, 3)})
    | st.just({"lower": 1}),
    "prediction_set": st.none() | st.lists(st.sampled_from(["cat", "cow", 1, "\ud800"]), max_size=3) | st.just("cat"),
    "ensemble": st.none() | st.lists(st.floats(0, 1), max_size=4) | st.lists(st.floats(-2, 2), max_size=2) | st.just([1, "a"]) | st.just(3),
    "attributions": st.none() | st.dictionaries(st.sampled_from(["age", "city", "else", "\ud800"]), _number) | st.just([1]),
    "latency_ms": _number,
    "status": st.sampled_from(["ok", "error", "bad", None, 1]),
    "caller": st.sampled_from(["web", "a=b", "null", "\ud800", None, 5, "x" * 5_000]),
}
_events = st.lists(
    st.fixed_dictionaries(
        {"features": st.fixed_dictionaries({"age": _number, "city": st.sampled_from(["Oslo", "Rome", "Bern", None, "x" * 5_000])})},
        optional=_optional,
    ),
    min_size=1,
    max_size=8,
)


def _decoded(task: Task, events: list[dict[str, Any]]) -> Decoded[tuple[Contract, Predictions]]:
    frame = {"model": "s", "ts": 1_656_633_600_000, "prediction": 1}
    body = json.dumps([{**frame, "prediction_id": str(place), **one} for place, one in enumerate(events)]).encode()
    return decode_predictions(body, "json", {"s": CONTRACTS[task]}.get, NOW)


def _signals(task: Task, block: Predictions) -> dict[str, list[Any]]:
    """The values of signals by name; texts as texts."""
    numbers, texts = iter(block.numbers), iter(block.texts)
    held = {column.name: next(numbers) if column.numeric else next(texts) for column in CONTRACTS[task].kept}
    return {
        name: [values.texts[code] for code in values.codes] if isinstance(values, Categories) else values.tolist()
        for name, values in held.items()
        if name.startswith("@")
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**308


def _one(value: Any) -> float:
    """A number as a column holds it: NaN for none, infinity for what is no number."""
    return math.nan if value is None else float(value) if _is_number(value) else math.inf


def _spread(shares: list[float], k: int) -> tuple[float, float, float]:
    """Confidence, entropy and margin of the probabilities that are there, of k classes."""
    if not shares:
        return math.nan, math.nan, math.nan
    if any(not 0 <= one <= 1 for one in shares):
        return math.inf, math.inf, math.inf
    ordered, rest = sorted(shares, reverse=True), max(0.0, 1 - math.fsum(shares)) if len(shares) < k else 0.0
    total = math.fsum(shares) + rest
    entropy = -sum(p / total * math.log(p / total) for p in [*shares, rest] if p / total > 0) if total > 0 else math.inf
    return ordered[0], entropy, ordered[0] - ordered[1] if len(ordered) > 1 else math.nan


def _expected(task: Task, event: dict[str, Any]) -> dict[str, Any]:  # long: a plain list of rules
    found: dict[str, Any] = {}
    if task == Task.BINARY:
        score = _one(event.get("score"))
        sent = event.get("probabilities")
        if not math.isfinite(score):
            score = _one(sent.get("1")) if sent else math.nan
        found |= zip(("@confidence", "@entropy", "@margin"), _spread([score, 1 - score] if math.isfinite(score) else [], 2), strict=True)
    if task == Task.MULTICLASS:
        sent = event.get("probabilities") or {}
        shares = [float(sent[name]) for name in _CLASSES[task] if _is_number(sent.get(name)) and sent[name] == sent[name]]
        found |= zip(("@confidence", "@entropy", "@margin"), _spread(shares, 3), strict=True)
    interval = event.get("interval")
    if interval is None:
        found["@interval_width"] = math.nan
    else:
        good = isinstance(interval, dict) and "upper" in interval and interval["lower"] <= interval["upper"]
        found["@interval_width"] = interval["upper"] - interval["lower"] if good else math.inf
    classes = event.get("prediction_set")
    found["@set_size"] = (
        math.nan if classes is None else len(classes) if isinstance(classes, list) and "\ud800" not in classes else math.inf
    )
    members = event.get("ensemble")
    if members is None or members == []:
        found |= dict.fromkeys(
            ("@ensemble_mean", "@ensemble_std", "@ensemble_total", "@ensemble_aleatoric", "@ensemble_epistemic"), math.nan
        )
    elif not isinstance(members, list) or not all(map(_is_number, members)):
        found |= dict.fromkeys(
            ("@ensemble_mean", "@ensemble_std", "@ensemble_total", "@ensemble_aleatoric", "@ensemble_epistemic"), math.inf
        )
    else:
        mean = math.fsum(members) / len(members)
        found["@ensemble_mean"] = mean
        found["@ensemble_std"] = math.sqrt(math.fsum((one - mean) ** 2 for one in members) / len(members))
        if all(0 <= one <= 1 for one in members):
            each = [_spread([one, 1 - one], 2)[1] for one in members]
            total, aleatoric = _spread([mean, 1 - mean], 2)[1], math.fsum(each) / len(each)
            found |= {"@ensemble_total": total, "@ensemble_aleatoric": aleatoric, "@ensemble_epistemic": max(total - aleatoric, 0.0)}
        else:
            found |= dict.fromkeys(("@ensemble_total", "@ensemble_aleatoric", "@ensemble_epistemic"), math.inf)
    latency = _one(event.get("latency_ms"))
    found["@latency_ms"] = math.inf if latency < 0 or event.get("latency_ms") != event.get("latency_ms") else latency
    status, caller = event.get("status"), event.get("caller")
    found["@status"] = "null" if status is None else status if status in ("ok", "error") else "invalid"
    quoted = {"web": "web", "a=b": "a%3Db", "null": "%6Eull", None: "null"}
    found["@caller"] = quoted.get(caller, "invalid")
    age, city = _one(event["features"]["age"]), event["features"]["city"]
    found["@outside"] = (math.isfinite(age) and not 0 <= age <= 9) + (city == "Bern")
    given = event.get("attributions")
    if not isinstance(given, dict):
        found["@attribution:age"] = math.nan if given is None else math.inf
    else:
        value = given.get("age")
        found["@attribution:age"] = math.inf if value is not None and value != value else _one(value)
    return {name: value for name, value in found.items() if (one := signal(name)) is not None and task in one.tasks}


@pytest.mark.parametrize("task", Task)
@given(events=_events)
def test_signals_are_those_of_each_row_alone(task: Task, events: list[dict[str, Any]]) -> None:
    """Nulls, missing fields, invalid cells, probabilities of some classes or that do not sum to one: no cell costs a row."""
    decoded = _decoded(task, events)
    assert (decoded.accepted, decoded.rejects) == (len(events), [])
    found = _signals(task, decoded.blocks["s"][1])
    wanted = [_expected(task, one) for one in events]
    assert found.keys() == wanted[0].keys()
    for name, values in found.items():
        for place, value in enumerate(values):
            assert value == pytest.approx(wanted[place][name], abs=1e-9, nan_ok=True), (name, events[place])


@pytest.mark.parametrize("task", Task)
@given(events=_events)
def test_raw_events_give_the_same_signals_again(task: Task, events: list[dict[str, Any]]) -> None:
    """To the last bit, whether the events were taken under a contract with signals or under one without."""
    contract = CONTRACTS[task]
    _, block = _decoded(task, events).blocks["s"]
    before = msgspec.structs.replace(contract, version=1, signals=())
    numbers, texts = (len([one for one in before.kept if one.numeric is numeric]) for numeric in (True, False))
    plain = block.with_columns((*block.numbers[:numbers], *block.texts[:texts]))
    for again in (derived(contract, plain, needed(contract, read(block.extra))), convert(plain, before, contract)):
        np.testing.assert_array_equal(np.array(again.numbers), np.array(block.numbers))
        assert repr(_signals(task, again)) == repr(_signals(task, block))


def test_a_bad_field_is_told_and_costs_nothing_else() -> None:
    """Its signal is invalid, raw events keep its name, and the other fields are kept."""
    events: list[dict[str, Any]] = [
        {"features": {"age": 1, "city": "Oslo"}, "latency_ms": "fast", "status": "ok", "attributions": {"age": "much", "city": 0.5}},
        {"features": {"age": 1, "city": "Oslo"}, "latency_ms": -1},
    ]
    decoded = _decoded(Task.BINARY, events)
    _, block = decoded.blocks["s"]
    assert [(cell.row, cell.field) for cell in decoded.cells] == [(0, "attributions.age"), (0, "latency_ms"), (1, "latency_ms")]
    assert json.loads(block.extra[0]) == {"attributions": {"city": 0.5}, "status": "ok", "invalid": ["latency_ms", "attributions.age"]}
    found = _signals(Task.BINARY, block)
    assert found["@latency_ms"] == [math.inf, math.inf]
    assert found["@status"] == ["ok", "null"]


def test_latency_buckets_are_within_one_percent() -> None:
    """Every value between two edges is at most 1 % from the value that is 1.01 times the lower one."""
    edges = np.array(CONTRACTS[Task.BINARY].column("@latency_ms").edges or signal("@latency_ms").edges(CONTRACTS[Task.BINARY]))  # type: ignore[union-attr, misc]
    assert edges[0] == 0.01
    assert edges[-1] > 3_600_000
    assert (np.diff(edges) > 0).all()
    assert (edges[1:] / edges[:-1]).max() < 1.01 / 0.99 * (1 + 1e-6)
