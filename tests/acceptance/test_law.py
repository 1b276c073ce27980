"""Any stream, in any order and killed anywhere, ends in the readings of its distinct events."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import moment
from ingest.record import Topic
from tests.acceptance.spine import Killed, Spine

_START = 20_000 * moment.DAY
_names = itertools.count()


class Send(NamedTuple):
    """A request."""

    topic: Topic
    rows: list[dict[str, Any]]


class Ingest(NamedTuple):
    """The log is read to its end, in batches of about so many bytes."""

    size: int


class Evaluate(NamedTuple):
    """The owner takes a step, while events come or in silence."""

    silent: bool


class Arm(NamedTuple):
    """The process dies at this write from now on, before or after it is done."""

    writes: int
    after: bool


_ids = st.integers(0, 4).map(str)
_prediction = st.fixed_dictionaries(
    {
        "prediction_id": _ids,
        "ts": st.integers(0, 3 * 24 - 1).map(lambda hour: (_START + hour * moment.HOUR) // 1_000),
        "features": st.fixed_dictionaries(
            {"x": st.sampled_from([None, -1.5, 0.5, 2, "bad"]), "c": st.sampled_from(["a", "b", "new", None])}
        ),
        "prediction": st.sampled_from([0, 1]),
        "score": st.sampled_from([0.1, 0.3, 0.6, 0.9]),
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
_actions = st.lists(
    st.one_of(
        st.builds(Send, st.just("predictions"), st.lists(_prediction, min_size=2, max_size=8)),
        st.builds(Send, st.just("labels"), st.lists(_label, min_size=2, max_size=8)),
        st.builds(Ingest, st.sampled_from([1, 1_000, 1_000_000])),
        st.builds(Evaluate, st.booleans()),
        st.builds(Arm, st.integers(1, 12), st.booleans()),
    ),
    min_size=8,
    max_size=16,
)


@pytest.fixture(scope="module")
def spine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spine]:
    spine = Spine(tmp_path_factory.mktemp("disorder"))
    yield spine
    spine.close()


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("WATCHKEEPER_EXAMPLES", "15")), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(actions=_actions)
def test_disorder_and_kills_leave_the_readings_of_a_quiet_run(spine: Spine, actions: list[Any]) -> None:
    """Duplicates, shuffles, labels before predictions, corrections, retractions, cuts and kills change no reading."""
    wild, quiet = f"wild-{next(_names)}", f"quiet-{next(_names)}"
    spine.add(wild)
    spine.add(quiet)
    for action in actions:
        _survive(spine, wild, action)
    _settle(spine, wild)
    for topic, rows in _distinct(actions).items():
        if rows:
            _do(spine, quiet, Send(topic, rows))
    _settle(spine, quiet)
    assert spine.readings(quiet) == spine.readings(wild)
    assert spine.twice(wild) == (0, 0)


def _survive(spine: Spine, model: str, action: Any) -> None:
    try:
        _do(spine, model, action)
    except Killed:
        spine.kill()


def _do(spine: Spine, model: str, action: Any) -> None:
    match action:
        case Send(topic, rows):
            spine.append(topic, [{**row, "model": model} for row in rows])
        case Ingest(size):
            spine.ingest(size)
        case Evaluate(silent):
            spine.evaluate(model, silent=silent)
        case Arm(writes, after):
            spine.fuse.arm(writes, after=after)


def _settle(spine: Spine, model: str) -> None:
    """Until there is nothing left to do."""
    _survive(spine, model, Ingest(1_000))
    _survive(spine, model, Evaluate(silent=True))
    spine.fuse.arm(0, after=False)
    spine.ingest(1_000_000)
    assert any(not spine.evaluate(model, silent=True) for _ in range(5))


def _distinct(actions: list[Any]) -> dict[Topic, list[dict[str, Any]]]:
    """What holds: of each id the first prediction, and the label with the highest time, the last of those; in order of time."""
    predictions: dict[str, dict[str, Any]] = {}
    labels: dict[str, dict[str, Any]] = {}
    for action in actions:
        for row in action.rows if isinstance(action, Send) else ():
            key = row["prediction_id"]
            if action.topic == "predictions":
                predictions.setdefault(key, row)
            elif key not in labels or row["ts"] >= labels[key]["ts"]:
                labels[key] = row
    truth = [row for row in labels.values() if not row["deleted"]]
    return {"predictions": sorted(predictions.values(), key=lambda row: row["ts"]), "labels": sorted(truth, key=lambda row: row["ts"])}


@pytest.mark.parametrize("killed", [False, True])
def test_a_window_that_silence_has_closed_follows_what_comes_later(spine: Spine, killed: bool) -> None:
    """It is evaluated again for events of its own, although the watermark of events has not passed its end; a new owner does so, too."""
    model = f"late-{next(_names)}"
    spine.add(model)
    row = {"ts": _START // 1_000, "features": {"x": 1, "c": "a"}, "prediction": 1}
    for key, silent in (("1", True), ("2", False)):
        _do(spine, model, Send("predictions", [row | {"prediction_id": key}]))
        _do(spine, model, Ingest(1))
        if killed:
            spine.kill()
        _do(spine, model, Evaluate(silent=silent))
    _settle(spine, model)
    found = {dict(reading)["n_target"] for key, reading in spine.readings(model).items() if key[:3] == ("nulls", "x", "all")}
    assert found == {2}
