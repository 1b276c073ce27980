"""Prediction events become columns: the rules about required fields and cells."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import moment
from core.block import Categories, Predictions
from core.extra import EXTRAS
from ingest.decode import column
from ingest.decode.decoded import LISTED
from ingest.decode.prediction import decode_predictions
from tests.ingest.decode.events import BINARY, CONTRACTS, MULTI, NOW, REGRESSION, array, event, lines


def block(*events: Any) -> Predictions:
    """The block of events of one model that are all accepted."""
    decoded = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    assert list(decoded.rejects) == []
    ((_, found),) = decoded.blocks.values()
    return found


def texts(column: Any) -> list[str]:
    """A column of texts."""
    assert isinstance(column, Categories)
    return [column.texts[code] for code in column.codes]


def reject(*events: Any) -> tuple[str, str]:
    """Field and reason of the only rejected row; a good row beside it is accepted."""
    decoded = decode_predictions(array(*events, event()), "json", CONTRACTS.get, NOW)
    assert len(events) == len(decoded.rejects)
    assert decoded.accepted == 1
    return decoded.rejects[0].field, decoded.rejects[0].reason


def test_a_good_event_becomes_a_row() -> None:
    """Every field is in its column."""
    one = block(event(version=3, role="shadow", tags={"group": "a", "hour": 7}, latency_ms=2.5))
    assert one.id.tolist() == ["a1"]
    assert [moment.parse("2022-07-01T00:00:00Z")] == one.ts.tolist()
    assert (texts(one.version), texts(one.role), texts(one.prediction), one.score.tolist()) == (["3"], ["shadow"], ["1"], [0.75])
    assert [values[0] for values in one.numbers[:2]] == [30.0, 1.5]
    assert [texts(column) for column in one.texts] == [["Oslo"], ["a"]]
    assert json.loads(one.extra[0]) == {"latency_ms": 2.5, "tags": {"hour": 7}}
    assert one.probabilities is None


def test_what_is_not_sent_has_defaults() -> None:
    """No version is "1", no role is champion, no score is NaN, nothing else is ""."""
    one = block(event(score=...))
    assert (texts(one.version), texts(one.role), one.extra.tolist()) == (["1"], ["champion"], [""])
    assert np.isnan(one.score).all()


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"prediction_id": ...}, "prediction_id", "missing"),
        ({"prediction_id": 7}, "prediction_id", 'a number where a string is expected; write it in quotes, such as "7"'),
        ({"prediction_id": 7.0}, "prediction_id", 'write it in quotes, such as "7", in pandas by `.astype("Int64")'),
        ({"prediction_id": float("nan")}, "prediction_id", "NaN, infinity or a number out of range where a string is expected"),
        ({"prediction_id": None}, "prediction_id", "null"),
        ({"prediction_id": ""}, "prediction_id", "empty"),
        ({"prediction_id": "é" * 129}, "prediction_id", "longer than 256 bytes"),
        ({"prediction_id": "\ud800"}, "prediction_id", "lone surrogate"),
        ({"model": ...}, "model", "missing"),
        ({"model": 3}, "model", "a number"),
        ({"model": "nobody"}, "model", "no model 'nobody'"),
        ({"ts": ...}, "ts", "missing"),
        ({"ts": None}, "ts", "null"),
        ({"ts": True}, "ts", "a boolean"),
        ({"ts": "yesterday"}, "ts", "not an RFC 3339 time"),
        ({"ts": "2022-07-01T00:00:00"}, "ts", "no time zone"),
        ({"ts": "2100-01-01T00:00:00Z"}, "ts", "2100-01-01T00:00:00Z is later than now + 1 day"),
        ({"ts": "1970-06-01T00:00:00Z"}, "ts", "1970-06-01T00:00:00Z is earlier than 1971-01-01T00:00:00Z"),
        ({"ts": -1e14}, "ts", "earlier"),
        ({"features": ...}, "features", "missing"),
        ({"features": [1]}, "features", "an array where an object is expected"),
        ({"prediction": ...}, "prediction", "missing"),
        ({"prediction": None}, "prediction", "null"),
        ({"prediction": {"a": 1}}, "prediction", "an object where a class is expected"),
        ({"prediction": float("nan")}, "prediction", "NaN"),
        ({"prediction": "x" * 10_000_000}, "prediction", "a string above 4096 bytes"),
    ],
)
def test_a_bad_frame_costs_its_row(changes: dict[str, Any], field: str, reason: str) -> None:
    """A row with a bad required field is rejected with field and reason, and the next row is accepted."""
    found = reject(event(**changes))
    assert found[0] == field
    assert reason in found[1]
    assert len(found[1]) <= 300


@pytest.mark.parametrize("value", [True, "1", [1], float("inf"), 10**400])
def test_a_regression_prediction_is_a_finite_number(value: Any) -> None:
    """Anything else is rejected."""
    assert reject(event(model="r", prediction=value))[0] == "prediction"


@pytest.mark.parametrize("value", ["5", True, {"a": 1}, float("nan"), float("-inf"), 10**400])
def test_a_bad_number_is_invalid_and_its_row_stays(value: Any) -> None:
    """A column of numbers has +infinity for such a value, and the cell is listed."""
    decoded = decode_predictions(array(event(), event(features={"age": value})), "json", CONTRACTS.get, NOW)
    ages = decoded.blocks["b"][1].numbers[0].tolist()
    assert [30.0, float("inf")] == ages
    assert [(cell.row, cell.field) for cell in decoded.cells] == [(1, "age")]


@pytest.mark.parametrize("value", [{"a": 1}, [1], "x" * 5_000, float("nan"), "\ud800"])
def test_a_bad_category_is_invalid_and_its_row_stays(value: Any) -> None:
    """A column of texts has `invalid` for such a value, and the cell is listed."""
    decoded = decode_predictions(array(event(), event(features={"city": value})), "json", CONTRACTS.get, NOW)
    assert texts(decoded.blocks["b"][1].texts[0]) == ["Oslo", "invalid"]
    assert [(cell.row, cell.field) for cell in decoded.cells] == [(1, "city")]


def test_missing_and_null_cells_are_null() -> None:
    """Neither is an error."""
    decoded = decode_predictions(array(event(features={"age": None, "city": None}), event(features={})), "json", CONTRACTS.get, NOW)
    one = decoded.blocks["b"][1]
    assert np.isnan(one.numbers[0]).all()
    assert texts(one.texts[0]) == ["null", "null"]
    assert list(decoded.cells) == []


def test_categories_are_compared_as_text() -> None:
    """1 and 1.0 and "1" are one category, true is another, and words with a meaning are quoted."""
    one = block(*(event(features={"city": value}) for value in (1, 1.0, "1", True, "true", "null", "a=b", False)))
    assert texts(one.texts[0]) == ["1", "1", "1", "true", "true", "%6Eull", "a%3Db", "false"]


def test_a_binary_class_may_be_a_boolean() -> None:
    """True is 1 and false is 0."""
    assert texts(block(*(event(prediction=value) for value in (True, False, 1, "1"))).prediction) == ["1", "0", "1", "1"]


def test_the_score_may_come_as_a_probability() -> None:
    """Without a score, the positive class's probability is it; the score goes first."""
    events = [
        event(score=..., probabilities={"0": 0.25, "1": 0.75}),
        event(score=0.5, probabilities={"1": 0.75}),
        event(score=..., probabilities={"true": 0.1}),
    ]
    assert block(*events).score.tolist() == [0.75, 0.5, 0.1]


@pytest.mark.parametrize("key", ["1.0", "true", "True", "TRUE", "01", "1e0"])
def test_a_key_of_probabilities_is_the_class_that_it_means(key: str) -> None:
    """However the class is written, whether its struct knows that spelling or not; its own text goes before."""
    events = [
        event(score=..., probabilities={key: 0.75}),
        event(score=..., probabilities={key: 0.25, "1": 0.75}),
        event(score=..., probabilities={key: 0.75, "1": None}),
    ]
    assert block(*events).score.tolist() == [0.75, 0.75, 0.75]


def test_a_prediction_outside_the_classes_is_kept_told_and_counted() -> None:
    """A probability where a class is expected is a class of its own; another text for a class is that class."""
    values = ["1.0", "True", "false", 1.0, 0.73, "maybe"]
    decoded = decode_predictions(array(*(event(prediction=value) for value in values)), "json", CONTRACTS.get, NOW)
    assert (decoded.accepted, dict(decoded.outside)) == (6, {"b": 2})
    assert [(cell.row, cell.field) for cell in decoded.cells] == [(4, "prediction"), (5, "prediction")]
    assert decoded.cells[0].reason == "0.73 is none of the model's classes (0, 1); it counts as a class of its own"


def test_probabilities_follow_the_classes() -> None:
    """A column a class, NaN where it was not sent; an unknown class is a bad cell."""
    events = [
        event(model="m", prediction="cat", probabilities={"o,x": 0.25, "cat": 0.75}),
        event(model="m", prediction="dog", probabilities={"cow": 1}),
        event(model="m", prediction="dog"),
    ]
    decoded = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    contract, one = decoded.blocks["m"]
    assert contract is MULTI
    assert one.probabilities is not None
    np.testing.assert_array_equal([[0.75, np.nan, 0.25], [np.nan] * 3, [np.nan] * 3], one.probabilities)
    assert [(cell.row, cell.field) for cell in decoded.cells] == [(1, "probabilities.cow")]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        *(({"score": value}, "score") for value in (float("nan"), float("inf"), "0.5", True)),
        *(({"latency_ms": value}, "latency_ms") for value in ("3", float("nan"))),
        ({"status": "fine"}, "status"),
        ({"version": True}, "version"),
        ({"role": 3}, "role"),
        *(({name: value}, name) for name in ("version", "role") for value in ("", "all", " 2", "2\n", "\0", "\ud800", "x" * 257)),
        ({"version": float("inf")}, "version"),
        ({"tags": [1]}, "tags"),
        ({"tags": {"hour": [1]}}, "tags.hour"),
        ({"tags": {"weight": "heavy"}}, "weight"),
        ({"probabilities": 3}, "probabilities"),
        ({"request_id": "\ud800"}, "request_id"),
    ],
)
def test_a_bad_optional_field_is_dropped_and_told(changes: dict[str, Any], field: str) -> None:
    """The row stays, without the field; that it came is kept, of fields that signals are made of."""
    decoded = decode_predictions(array(event(), event(**changes)), "json", CONTRACTS.get, NOW)
    assert [(1, field)] == [(cell.row, cell.field) for cell in decoded.cells]
    one = decoded.blocks["b"][1]
    assert (texts(one.version), texts(one.role)) == (["1", "1"], ["champion", "champion"])
    invalid = json.dumps({"invalid": [field]}, separators=(",", ":")) if field in EXTRAS and field != "tags" else ""
    assert one.extra.tolist() == ["", invalid]


_ALONE: dict[str, Any] = {
    "interval": {"lower": 0.1, "upper": 0.9, "level": 0.8},
    "prediction_set": ["0", "1"],
    "ensemble": [0.5],
    "attributions": {"age": 0.1},
    "request_id": "r",
    "caller": "c",
    "latency_ms": 3.0,
    "status": "ok",
    "tags": {"else": "t"},
}


@pytest.mark.parametrize("field", EXTRAS)
def test_an_optional_field_is_kept_where_it_comes_alone(field: str) -> None:
    """Each of them, as it was sent."""
    assert json.loads(block(event(**{field: _ALONE[field]})).extra[0]) == {field: _ALONE[field]}


def test_tags_go_before_features() -> None:
    """A tag column's value is looked up in tags, then in features; the other tags travel on."""
    events = [event(tags={"group": "t"}, features={"group": "f"}), event(features={"group": "f"}), event(tags={"group": None, "weight": 2})]
    one = block(*events)
    assert texts(one.texts[1]) == ["t", "f", "null"]
    np.testing.assert_array_equal([np.nan, np.nan, 2.0], one.numbers[2])


def test_unknown_columns_are_counted_and_left_out() -> None:
    """Counted by model and name, however many rows were read before the name was met."""
    events = [
        event(),
        *(event(features={"age": 1, "made up": 1, "<script>": 2, "x\ud800": 3}) for _ in range(1_500)),
        event(features={'q"': 1}),
    ]
    decoded = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    assert decoded.unknown == {("b", "made up"): 1_500, ("b", "<script>"): 1_500, ("b", "x?"): 1_500, ("b", 'q"'): 1}
    assert decoded.accepted == 1_502


def test_models_may_be_mixed() -> None:
    """Every model has its block, and its rows are known."""
    events = [event(), event(model="r", prediction=2.5), event(model="nobody"), event(model="r", prediction=3), event()]
    decoded = decode_predictions(lines(*events), "ndjson", CONTRACTS.get, NOW, position=9, logged=5)
    rows = {model: found.row.tolist() for model, (_, found) in decoded.blocks.items()}
    assert rows == {"b": [0, 4], "r": [1, 3]}
    assert decoded.blocks["r"][0] is REGRESSION
    assert decoded.blocks["r"][1].prediction.tolist() == [2.5, 3.0]  # type: ignore[union-attr]
    assert (decoded.blocks["b"][1].position.tolist(), decoded.blocks["b"][1].logged.tolist()) == ([9, 9], [5, 5])


def test_a_broken_line_costs_that_line() -> None:
    """Also one that is not UTF-8; NaN does not break a line."""
    body = b"\n".join([lines(event()), b'{"model": ', b'"\xff"', lines(event(features={"age": float("nan")})), b"7"])
    decoded = decode_predictions(body, "ndjson", CONTRACTS.get, NOW)
    assert [found.row for found in decoded.rejects] == [1, 2, 4]
    assert [30.0, float("inf")] == decoded.blocks["b"][1].numbers[0].tolist()


def test_a_name_that_no_struct_can_have_still_decodes() -> None:
    """Quotes and backslashes in a column's name are read the slow way."""
    assert block(*(event(model="o", features={'a"b\\': value}) for value in (4, 5))).numbers[0].tolist() == [4.0, 5.0]


def test_listed_cells_are_bounded() -> None:
    """The first hundred bad cells are listed, and all are in the block."""
    decoded = decode_predictions(array(*(event(features={"age": "x", "city": []}) for _ in range(2_000))), "json", CONTRACTS.get, NOW)
    assert [(row, name) for row in range(LISTED // 2) for name in ("age", "city")] == [(cell.row, cell.field) for cell in decoded.cells]
    assert np.isposinf(decoded.blocks["b"][1].numbers[0]).all()


@given(
    st.from_regex(
        r"\A20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9](:[0-6][0-9])?(\.[0-9]{1,9})? ?([Zz]|UTC|[+-][0-2][0-9]:?([0-6][0-9])?)?\Z"
    )
)
def test_a_time_is_a_time_in_whatever_company(text: str) -> None:
    """A column of times, read at once or one by one, takes what `core.moment.parse` takes, with its reasons."""
    good = "2022-07-01T00:00:00Z"
    try:
        expected, reasons = moment.parse(text), {}
    except ValueError as error:
        expected, reasons = 0, {0: str(error)}
    times, bad = column.times([text, good], moment.EARLIEST, moment.LATEST)
    assert ([expected, moment.parse(good)], reasons) == (times.tolist(), bad)


@pytest.mark.parametrize(
    "text", ["2022-07-01T00:00:00Z", "2022-07-01t02:00:00.9999999+02:00", "1999-12-31 23:59:59.5-00:30", "2020-02-29T00:00:00Z"]
)
def test_times_at_once_agree_with_times_one_by_one(text: str) -> None:
    """The vectorised reader of times gives what `core.moment.parse` gives."""
    assert [moment.parse(text)] == block(event(ts=text)).ts.tolist()


def test_milliseconds_are_a_time() -> None:
    """Beside texts, in the same request."""
    assert block(event(), event(ts=1_656_633_600_000), event(ts=1_656_633_600_000.0)).ts.tolist() == [1_656_633_600_000_000] * 3


def test_an_empty_array_decodes_to_nothing() -> None:
    """No rows, no blocks."""
    decoded = decode_predictions(b"[]", "json", {BINARY.model: BINARY}.get, NOW)
    assert (decoded.rows, decoded.accepted, decoded.blocks) == (0, 0, {})
