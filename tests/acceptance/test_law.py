"""Any stream, in any order and killed anywhere, ends in the readings of its distinct events."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import moment
from ingest.memory import MOST
from ingest.record import Topic
from monitors.evaluation import calibration
from tests.acceptance.backend import PARTITIONS, Backend, Killed, When

_START = 20_000 * moment.DAY
_names = itertools.count()


class Send(NamedTuple):
    """A request to a partition; the partition's clock is so many seconds behind."""

    topic: Topic
    partition: int
    skew: int
    rows: list[dict[str, Any]]


class Ingest(NamedTuple):
    """Ingest reads these partitions to their ends, in batches of about so many bytes."""

    partitions: tuple[int, ...]
    size: int


class Evaluate(NamedTuple):
    """The owner takes a step, while events come or in silence."""

    silent: bool


class Replace(NamedTuple):
    """Another owner takes over; the former owner takes a step at every `Haunt`, as if nothing had happened."""


class Haunt(NamedTuple):
    """Former owners take a step, and writes that were held back are done now."""


class Know(NamedTuple):
    """The model gets its contract, unless it has one; events before it wait."""


class Arm(NamedTuple):
    """The process dies at this write from now on, before or after it is done; or the owner is replaced meanwhile, and the write comes late."""

    writes: int
    when: When


_ids = st.integers(0, 4).map(str)
_prediction = st.fixed_dictionaries(
    {
        "prediction_id": _ids,
        "ts": st.integers(0, 3 * 24 - 1).map(lambda hour: (_START + hour * moment.HOUR) // 1_000),
        "features": st.fixed_dictionaries(
            {"x": st.sampled_from([None, -1.5, 0.5, 2, "bad"]), "c": st.sampled_from(["a", "b", "new", None])},
            optional={"y": st.just(1), "z": st.none()},
        ),
        "prediction": st.sampled_from([0, 1]),
        "score": st.sampled_from([0.1, 0.3, 0.6, 0.9]),
        "status": st.sampled_from(["ok", "error", None, "late"]),
        "version": st.sampled_from(["1", "2"]),
        "request_id": st.sampled_from(["q", "r", None]),
    }
)
_label = st.fixed_dictionaries(
    {
        "prediction_id": _ids,
        "ts": st.integers(0, 3).map(lambda hour: (_START + hour * moment.HOUR) // 1_000),
        "label": st.sampled_from([0, 1]),
        "deleted": st.sampled_from([False, False, False, True]),
    }
)
_partition = st.sampled_from(PARTITIONS)
_skew = st.sampled_from([0, 0, 0, 3_600])
_actions = st.lists(
    st.one_of(
        st.builds(Send, st.just("predictions"), _partition, _skew, st.lists(_prediction, min_size=2, max_size=8)),
        st.builds(Send, st.just("labels"), _partition, _skew, st.lists(_label, min_size=2, max_size=8)),
        st.builds(Ingest, st.sampled_from([(0,), (2,), (1, 0), PARTITIONS]), st.sampled_from([1, 1_000, 1_000_000])),
        st.builds(Evaluate, st.booleans()),
        st.builds(Arm, st.integers(1, 16), st.sampled_from(["before", "after", "late"])),
        st.builds(Replace),
        st.builds(Haunt),
        st.builds(Know),
    ),
    min_size=10,
    max_size=24,
)


@pytest.fixture(scope="module", params=[MOST, 6], ids=["remembering", "forgetful"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """Monitors are calibrated on the first three windows of the stream already."""
    backend = Backend(tmp_path_factory.mktemp("disorder"), request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "EARLY", 3)
        yield backend
    backend.close()


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("WATCHKEEPER_EXAMPLES", "10")), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(actions=_actions, known=st.booleans())
def test_disorder_and_kills_leave_the_readings_of_a_quiet_run(backend: Backend, actions: list[Any], *, known: bool) -> None:
    """Duplicates, ids in several partitions, shuffles, corrections, retractions, cuts, kills and owners that were replaced change no reading;
    nor does it matter how many ids ingest remembers, nor when the model gets its contract.
    """
    wild, quiet = f"wild-{next(_names)}", f"quiet-{next(_names)}"
    if known:
        backend.add(wild)
    backend.add(quiet)
    sent: list[tuple[int, Send]] = []
    for action in actions:
        if isinstance(action, Send):
            sent.append((_send(backend, wild, action), action))
        else:
            _survive(backend, wild, action)
    backend.add(wild)
    _settle(backend, wild)
    backend.fuse.land()
    _settle(backend, wild)
    for topic, rows in _distinct(sent).items():
        if rows:
            _send(backend, quiet, Send(topic, 0, 0, rows))
    _settle(backend, quiet)
    assert backend.readings(quiet) == backend.readings(wild)
    assert backend.twice(wild) == (0, 0)


def _survive(backend: Backend, model: str, action: Any) -> None:
    try:
        _do(backend, model, action)
    except Killed:
        backend.kill()


def _send(backend: Backend, model: str, send: Send) -> int:
    logged = time.time_ns() // 1_000 - send.skew * moment.SECOND
    return backend.append(send.topic, [{**row, "model": model} for row in send.rows], send.partition, logged)


def _do(backend: Backend, model: str, action: Any) -> None:
    match action:
        case Ingest(partitions, size):
            backend.ingest(size, partitions)
        case Evaluate(silent):
            backend.evaluate(model, silent=silent)
        case Replace():
            backend.replace(model)
        case Haunt():
            backend.haunt()
            backend.fuse.land()
        case Know():
            backend.add(model)
        case Arm(writes, when):
            backend.fuse.arm(writes, when)


def _settle(backend: Backend, model: str) -> None:
    """Take steps until there is nothing left to do."""
    _survive(backend, model, Ingest(PARTITIONS, 1_000))
    _survive(backend, model, Evaluate(silent=True))
    backend.fuse.arm(0, "before")
    backend.ingest(1_000_000)
    assert any(not backend.evaluate(model, silent=True) for _ in range(6))  # one more where events had waited


def _distinct(sent: list[tuple[int, Send]]) -> dict[Topic, list[dict[str, Any]]]:
    """What holds: of each id the first prediction of each partition, of those the one that the log took first; and the label with the highest
    time, partition, position and place. In order of time.
    """
    first: dict[tuple[str, int], tuple[tuple[int, int], dict[str, Any]]] = {}
    labels: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {}
    for position, (logged, send) in enumerate(sent):
        for place, row in enumerate(send.rows):
            key = row["prediction_id"]
            if send.topic == "predictions":
                first.setdefault((key, send.partition), ((logged, send.partition), row))
            else:
                labels[key] = max(labels.get(key, ((), {})), ((row["ts"], send.partition, position, place), row), key=_rank)
    held: dict[str, tuple[tuple[int, int], dict[str, Any]]] = {}
    for (key, _), found in first.items():
        held[key] = min(held.get(key, found), found, key=lambda item: item[0])
    predictions = [row for _, row in held.values()]
    truth = [row for _, row in labels.values() if not row["deleted"]]
    return {"predictions": sorted(predictions, key=lambda row: row["ts"]), "labels": sorted(truth, key=lambda row: row["ts"])}


def _rank(label: tuple[tuple[int, ...], dict[str, Any]]) -> tuple[int, ...]:
    return label[0]


@pytest.mark.parametrize("killed", [False, True])
def test_a_window_that_silence_has_closed_follows_what_comes_later(backend: Backend, killed: bool) -> None:
    """It is evaluated again for its late events, although the watermark of events has not passed its end; a new owner does so, too."""
    model = f"late-{next(_names)}"
    backend.add(model)
    row = {"ts": _START // 1_000, "features": {"x": 1, "c": "a"}, "prediction": 1}
    for key, silent in (("1", True), ("2", False)):
        _send(backend, model, Send("predictions", 0, 0, [row | {"prediction_id": key}]))
        _do(backend, model, Ingest(PARTITIONS, 1))
        if killed:
            backend.kill()
        _do(backend, model, Evaluate(silent=silent))
    _settle(backend, model)
    found = {dict(reading)["n_target"] for key, reading in backend.readings(model).items() if key[:3] == ("nulls", "x", "all")}
    assert found == {2}


@pytest.mark.parametrize("backend", [MOST], ids=["remembering"], indirect=True)
def test_the_first_windows_calibrate_whatever_order_they_come_in(backend: Backend) -> None:
    """Days that differ from one another, sent in any order and evaluated after each request: all readings are those of a run that had everything at once.
    What was known after each request is still told.
    """
    draw = np.random.default_rng(5)
    nulls, days = draw.beta(1, 3, 20), np.repeat(np.arange(20), 30)
    rows = [
        {"prediction_id": str(place), "ts": (_START + day * moment.DAY) // 1_000 + place, "prediction": place % 2}
        | {"features": {"x": None if draw.random() < nulls[day] else draw.normal(), "c": "ab"[place % 2]}}
        for place, day in enumerate(days.tolist())
    ]
    mixed, quiet = f"mixed-{next(_names)}", f"quiet-{next(_names)}"
    known = []
    for model, order, requests in ((mixed, draw.permutation(len(rows)), 10), (quiet, np.arange(len(rows)), 1)):
        backend.add(model)
        for part in np.array_split(order, requests):
            _send(backend, model, Send("predictions", 0, 0, [rows[place] for place in part]))
            _do(backend, model, Ingest(PARTITIONS, 1_000_000))
            _do(backend, model, Evaluate(silent=True))
            known.append((model, time.time_ns() // 1_000, backend.readings(model)))
        _settle(backend, model)
    for model, at, then in known:
        assert backend.readings_as_of(model, at) == then
    assert known[0][2] != known[9][2]
    found = backend.readings(mixed)
    assert found == backend.readings(quiet)
    worth = {dict(reading)["n_effective"] for key, reading in found.items() if key[:3] == ("more nulls", "x", "all")}
    assert len(worth) == 1
    assert 1 < worth.pop() < 20  # of 30 rows a day
