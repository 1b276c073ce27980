"""Outcomes with the columns and weights that some measures of rows need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.block import Categories
from core.moment import HOUR
from storage.facts.engine import Engine
from storage.facts.outcome_store import OutcomeStore
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from tests.storage.facts.test_facts import CONTRACT, labels, predictions


def test_outcomes_come_with_columns_and_weights_where_they_are_asked_for(engine: Engine) -> None:
    """Numbers and texts as raw events keep them, without columns that the contract does not have; the weight of the label that holds."""
    Writer(engine).predictions([(CONTRACT, predictions(list("abcde")))], 0, "p")
    Writer(engine).labels({"m": replace(labels(list("abcde"), "1"), weight=np.arange(5) / 2)}, 0, "l")
    Writer(engine).labels({"m": replace(labels(["b"], "0", ts=11, position=2), weight=np.array([7.0]))}, 0, "k")
    OutcomeStore(engine).join("m", {0: (1, 1)}, {0: (1, 2)}, 1)
    block = Raw(engine).outcomes(CONTRACT, [], np.arange(5) * HOUR, HOUR, columns=["c", "none", "y", "x"], weights=True)
    block = block.take(np.argsort(block.ts))
    texts, x = block.columns["c"], block.columns["x"]
    assert isinstance(texts, Categories)
    assert [texts.texts[code] for code in texts.codes] == ["a", "null", "invalid", "%6Eull", "b"]
    np.testing.assert_array_equal(np.asarray(x), [np.nan, np.inf, 0, 1, 2])
    np.testing.assert_array_equal(np.asarray(block.columns["y"]), np.arange(5) / 3)
    assert list(block.columns) == ["c", "y", "x"]
    assert block.weight is not None
    assert block.weight.tolist() == [0.0, 7.0, 1.0, 1.5, 2.0]
    plain = Raw(engine).outcomes(CONTRACT, [], np.arange(5) * HOUR, HOUR)
    assert (plain.weight, plain.columns) == (None, {})


def test_outcomes_come_with_ids_and_requests_where_they_are_asked_for(engine: Engine) -> None:
    """The request is "" where none was sent, or none that can be used."""
    extra = np.array(['{"request_id":"r\\u00e9 1"}', "", '{"caller":"web"}', '{"invalid":["request_id"]}', '{"request_id":"q"}'], object)
    Writer(engine).predictions([(CONTRACT, replace(predictions(list("abcde")), extra=extra))], 0, "p")
    Writer(engine).labels({"m": labels(list("abcde"), "1")}, 0, "l")
    OutcomeStore(engine).join("m", {0: (1, 1)}, {0: (1, 1)}, 1)
    block = Raw(engine).outcomes(CONTRACT, [], np.arange(5) * HOUR, HOUR, keys=True)
    assert block.id is not None
    assert block.request is not None
    assert dict(zip(block.id.tolist(), block.request.tolist(), strict=True)) == {"a": "ré 1", "b": "", "c": "", "d": "", "e": "q"}
    plain = Raw(engine).outcomes(CONTRACT, [], np.arange(5) * HOUR, HOUR)
    assert (plain.id, plain.request) == (None, None)
