"""Prediction sets of labelled events, read by the classes of a later contract."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np

from core.contract import Task
from storage.facts.engine import Engine
from storage.facts.outcome_store import OutcomeStore
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, HOUR, labels, predictions


def test_sets_are_read_by_the_classes_that_are_known_now(engine: Engine) -> None:
    """A member that was no class of the contract under which the event came counts once a later contract knows it."""
    sent = ['{"prediction_set":["1","2"]}', '{"prediction_set":[]}', "", '{"prediction_set":["0","3"]}']
    Writer(engine).predictions([(CONTRACT, replace(predictions(list("abcd")), extra=np.array(sent, object)))], 0, "p")
    Writer(engine).labels({"m": labels(list("abcd"), "1")}, 0, "l")
    OutcomeStore(engine).join("m", {0: (1, 1)}, {0: (1, 1)}, 1)
    later = msgspec.structs.replace(CONTRACT, version=2, task=Task.MULTICLASS, classes=("0", "1", "2"), positive=None)
    found = Raw(engine).outcomes(CONTRACT, [], np.arange(4) * HOUR, HOUR, regions_of=later)
    assert found.sets is not None
    np.testing.assert_array_equal(found.sets[np.argsort(found.ts)], [[0, 1, 1], [0, 0, 0], [np.nan] * 3, [1, 0, 0]])
    assert Raw(engine).outcomes(CONTRACT, [], np.arange(4) * HOUR, HOUR).sets is None
