"""Label events to columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core import moment
from core.block import Labels
from ingest.decode.label import decode_labels
from tests.ingest.decode.events import CONTRACTS, NOW, array


def label(**changes: Any) -> dict[str, Any]:
    """A good label of the binary model; `...` leaves a field out."""
    good = {"prediction_id": "a1", "model": "b", "label": 1, "ts": "2022-07-02T00:00:00Z"}
    return {name: value for name, value in (good | changes).items() if value is not ...}


def block(*labels: Any, model: str = "b") -> Labels:
    """The block of labels that are all accepted without a bad cell."""
    decoded = decode_labels(array(*labels), "json", CONTRACTS.get, NOW, logged=7)
    assert (list(decoded.rejects), list(decoded.cells)) == ([], [])
    return decoded.blocks[model]


def test_a_good_label_becomes_a_row() -> None:
    """Every field is in its column."""
    one = block(label(weight=2, prediction_ts=1_656_633_600_000, deleted=False))
    assert tuple(x.tolist() for x in (one.id, one.text, one.number, one.weight, one.deleted)) == (["a1"], ["1"], [1.0], [2.0], [False])
    assert ([moment.parse("2022-07-02T00:00:00Z")], [1_656_633_600_000_000]) == (one.ts.tolist(), one.prediction_ts.tolist())


def test_a_label_without_a_time_takes_the_logs() -> None:
    """Also where `ts` is null; without weight it weighs 1."""
    one = block(label(ts=...), label(ts=None))
    assert (one.ts.tolist(), one.weight.tolist(), one.prediction_ts.tolist()) == ([7, 7], [1.0, 1.0], [0, 0])


def test_a_retraction_needs_no_label() -> None:
    """Its text is `null` and its number NaN, whatever its label is."""
    one = block(label(label=..., deleted=True), label(label=None, deleted=True), label(deleted=True))
    assert (one.text.tolist(), one.deleted.tolist()) == (["null"] * 3, [True] * 3)
    assert np.isnan(one.number).all()


def test_classes_are_compared_as_text() -> None:
    """In a binary model true is 1; elsewhere it is not."""
    assert block(*(label(label=value) for value in (True, 1.0, "1", False))).text.tolist() == ["1", "1", "1", "0"]
    decoded = decode_labels(array(*(label(model="m", label=value) for value in (True, "o,x"))), "json", CONTRACTS.get, NOW)
    assert decoded.blocks["m"].text.tolist() == ["true", "o%2Cx"]


def test_a_label_outside_the_classes_is_kept_told_and_counted() -> None:
    """Another text for a class is none; a class of its own is, in the first hundred rows and in the count of all; a retraction has no label."""
    values = ["1.0", "True", "FALSE", 0.0, "2.0", 0.73, *["yes"] * 200]
    decoded = decode_labels(array(*(label(label=one) for one in values), label(label=7, deleted=True)), "json", CONTRACTS.get, NOW)
    assert (decoded.accepted, dict(decoded.outside)) == (207, {"b": 202})
    assert [(cell.row, cell.field) for cell in decoded.cells] == [(row, "label") for row in range(4, 104)]
    assert decoded.cells[0].reason == "2.0 is none of the model's classes (0, 1); it counts as a class of its own"


def test_a_regression_label_is_a_number() -> None:
    """Text and number say the same."""
    one = block(label(model="r", label=2), label(model="r", label=-1.5), model="r")
    assert (one.text.tolist(), one.number.tolist()) == (["2", "-1.5"], [2.0, -1.5])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"prediction_id": ...}, "prediction_id"),
        ({"prediction_id": 1}, "prediction_id"),
        ({"prediction_id": "\ud800"}, "prediction_id"),
        ({"model": "nobody"}, "model"),
        ({"label": ...}, "label"),
        ({"label": None, "deleted": False}, "label"),
        ({"label": [1]}, "label"),
        ({"label": float("nan")}, "label"),
        ({"model": "r", "label": "1"}, "label"),
        ({"model": "r", "label": True}, "label"),
        ({"model": "r", "label": 10**400}, "label"),
        ({"ts": "2100-01-01T00:00:00Z"}, "ts"),
        ({"ts": "1970-01-01T00:00:00Z"}, "ts"),
        ({"ts": False}, "ts"),
        ({"deleted": "yes"}, "deleted"),
    ],
)
def test_a_bad_frame_costs_its_row(changes: dict[str, Any], field: str) -> None:
    """It is rejected with its field, and the next row is accepted."""
    decoded = decode_labels(array(label(), label(**changes)), "json", CONTRACTS.get, NOW)
    assert [(1, field)] == [(reject.row, reject.field) for reject in decoded.rejects]
    assert decoded.blocks["b"].row.tolist() == [0]


@pytest.mark.parametrize(
    ("field", "value"), [("weight", "2"), ("weight", -1), ("weight", float("nan")), ("prediction_ts", "noon"), ("prediction_ts", [])]
)
def test_a_bad_optional_field_is_dropped_and_told(field: str, value: Any) -> None:
    """The row stays, with the default."""
    decoded = decode_labels(array(label(**{field: value})), "json", CONTRACTS.get, NOW)
    assert [(0, field)] == [(cell.row, cell.field) for cell in decoded.cells]
    assert (decoded.blocks["b"].weight.tolist(), decoded.blocks["b"].prediction_ts.tolist()) == ([1.0], [0])
