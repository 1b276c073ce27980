"""A contract of each task, and Hypothesis strategies for events: good ones, and ones with anything in them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from core.contract import Column, Contract, Kind, Task

NOW = 1_700_000_000_000_000

_FEATURES = (
    Column(name="age", kind=Kind.NUMERIC),
    Column(name="fare per km", kind=Kind.NUMERIC),
    Column(name="city", kind=Kind.CATEGORICAL),
)
_TAGS = (Column(name="group", kind=Kind.CATEGORICAL), Column(name="weight", kind=Kind.NUMERIC))

BINARY = Contract(model="b", version=1, task=Task.BINARY, features=_FEATURES, tags=_TAGS, classes=("0", "1"), scored=True)
MULTI = Contract(model="m", version=1, task=Task.MULTICLASS, features=_FEATURES, classes=("cat", "dog", "o%2Cx"), scored=True)
REGRESSION = Contract(model="r", version=1, task=Task.REGRESSION, features=_FEATURES, tags=_TAGS)
ODD = Contract(model="o", version=1, task=Task.BINARY, features=(Column(name='a"b\\', kind=Kind.NUMERIC),), classes=("0", "1"))

CONTRACTS = {contract.model: contract for contract in (BINARY, MULTI, REGRESSION, ODD)}


def event(**changes: Any) -> dict[str, Any]:
    """A good event of the binary model; `...` leaves a field out."""
    good = {
        "prediction_id": "a1",
        "model": "b",
        "ts": "2022-07-01T00:00:00Z",
        "features": {"age": 30, "fare per km": 1.5, "city": "Oslo"},
        "prediction": 1,
        "score": 0.75,
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


def array(*events: object) -> bytes:
    """A JSON array as Python writes it."""
    return json.dumps(events).encode()


def lines(*events: object) -> bytes:
    """NDJSON as Python writes it."""
    return b"\n".join(json.dumps(event).encode() for event in events)


_numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.just(10**320))
_texts = st.one_of(
    st.sampled_from(["Oslo", "null", "invalid", "other", "a=b", "x" * 5_000, "\ud800", "1", "true", ""]),
    st.text(st.characters(), max_size=6),
)
_scalars = st.one_of(st.none(), st.booleans(), _numbers, _texts)
_anything = st.recursive(_scalars, lambda some: st.lists(some, max_size=2) | st.dictionaries(_texts, some, max_size=2), max_leaves=4)

_names = ["age", "fare per km", "city", "group", "weight", "unheard", "un\ud800", 'q"', 'a"b\\']
_times = st.sampled_from(
    [
        "2022-07-01T00:00:00Z",
        "2022-07-01T02:00:00.123456789+02:00",
        "2022-07-01 00:00:00.5Z",
        1_656_633_600_000,
        1_656_633_600_000.25,
        "2100-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "2022-07-01",
        "0001-01-01T00:00:00Z",
        -1e14,
        10**30,
        "\ud800",
    ]
)
_ids = st.sampled_from(["a", "b", "é" * 128, "é" * 129, "", "\udc00"])
_outputs = st.sampled_from([0, 1, 1.0, True, "1", "cat", "dog", "o,x", 2.5, "x" * 5_000, "\ud800"])

_optional: dict[str, st.SearchStrategy[Any]] = {
    "version": st.sampled_from(["1", "2", 3, 3.0, 2.5, None, ""]),
    "role": st.sampled_from(["champion", "shadow", None]),
    "score": st.one_of(st.none(), st.floats()),
    "probabilities": st.dictionaries(
        st.sampled_from(["0", "1", "1.0", "true", "True", "TRUE", "cat", "dog", "o,x", "cow"]), st.none() | st.floats(), max_size=3
    ),
    "interval": st.sampled_from([{"lower": 1, "upper": 2.5, "level": 0.8}, {"lower": 1}, {"lower": float("inf"), "upper": 1}]),
    "latency_ms": st.sampled_from([1, 2.5, float("nan"), "3"]),
    "status": st.sampled_from(["ok", "error", "bad"]),
    "request_id": st.sampled_from(["r", "\ud800"]),
    "tags": st.dictionaries(st.sampled_from(["group", "weight", "other"]), _anything, max_size=3),
    "ensemble": st.lists(st.floats(), max_size=2),
    "made_up": _anything,
}

predictions = st.fixed_dictionaries(
    {
        "prediction_id": _ids | _anything,
        "model": st.sampled_from(["b", "b", "m", "r", "o", "nobody"]) | _anything,
        "ts": _times | _anything,
        "features": st.dictionaries(st.sampled_from(_names), _scalars | _anything, max_size=5) | _anything,
        "prediction": _outputs | _anything,
    },
    optional={name: strategy | _anything for name, strategy in _optional.items()},
)

good_predictions = st.fixed_dictionaries(
    {
        "prediction_id": st.sampled_from(["a", "b", "é" * 128]),
        "model": st.sampled_from(["b", "b", "m", "r"]),
        "ts": st.sampled_from(["2022-07-01T00:00:00Z", "2022-07-01T02:00:00.123456+02:00", 1_656_633_600_000]),
        "features": st.fixed_dictionaries(
            {},
            optional={
                "age": st.none() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False),
                "city": st.sampled_from(["Oslo", "null", 1, 1.0, True, None, "x" * 5_000]),
                "group": st.sampled_from(["a", "b"]),
                "unheard": st.integers(0, 9),
            },
        ),
        "prediction": st.sampled_from([0, 1, 2.0]),
    },
    optional={
        "version": st.sampled_from(["1", 2, 2.5]),
        "role": st.sampled_from(["shadow", None]),
        "score": st.none() | st.floats(0, 1),
        "latency_ms": st.floats(0, 9),
        "tags": st.dictionaries(st.sampled_from(["group", "weight", "other"]), st.sampled_from(["a", 1, True]), max_size=3),
        "interval": st.just({"lower": 1, "upper": 2.5}),
    },
)

labels = st.fixed_dictionaries(
    {"prediction_id": _ids | _anything, "model": st.sampled_from(["b", "b", "m", "r", "nobody"])},
    optional={
        "label": _outputs | _anything,
        "ts": _times | _anything,
        "prediction_ts": _times | _anything,
        "weight": st.floats() | _anything,
        "deleted": st.booleans() | _anything,
    },
)
