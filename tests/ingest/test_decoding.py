"""Records of the log become blocks; the result for a record does not depend on other records."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import moment
from core.block import Labels, Predictions
from core.contract import Contract
from core.error import Retryable
from ingest import decoding
from ingest.decode.payload import DEEPEST, PayloadError
from ingest.decode.prediction import decode_predictions, read_predictions
from ingest.decoding import Decode
from ingest.record import Batch, Events, LogRecord, Topic
from tests.ingest.decode.events import CONTRACTS, NOW, array, event, good_predictions, labels, predictions
from tests.ingest.decode.test_law import values

_DEEP = b'{"model":"b","made_up":' + b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1) + b"}"
_LOGGED = [NOW, moment.parse("2022-06-30T00:00:00Z"), moment.parse("2022-06-29T23:59:59Z")]  # the last two differ by what `ts` may be

_odd = st.sampled_from(
    [b"", b"\n", b"{", b"{}", b"7", b"null", b"[]", b"\xff", b'{"\xff":1}', b"[" * 100, _DEEP, b"{" * 100, b'{"a":"]"', b'"{"', b"{}\n{}"]
)


def _bodies(events: st.SearchStrategy[Any]) -> st.SearchStrategy[bytes]:
    compact = events.map(lambda one: json.dumps(one).encode())
    pretty = events.map(lambda one: json.dumps(one, indent=1).encode())
    return st.one_of(
        compact,
        compact,
        compact,
        pretty,
        compact.map(lambda body: b" " + body + b"\r\n"),
        st.lists(events).map(lambda many: array(*many)),
        _odd,
    )


def _batches(events: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[bytes, int]]]:
    return st.lists(st.tuples(_bodies(events), st.sampled_from(_LOGGED)), min_size=1, max_size=8)


def _events(topic: Topic, records: list[LogRecord]) -> Events:
    return Decode(CONTRACTS.get)(Batch(topic, 3, records[0].position, records[-1].position, records))


def _records(sent: list[tuple[bytes, int]]) -> list[LogRecord]:
    """Records with gaps between their positions, as a compacted or transactional topic has."""
    return [LogRecord(7 + 3 * i, logged, "json", body) for i, (body, logged) in enumerate(sent)]


def _rows(blocks: list[tuple[str, Predictions | Labels]]) -> list[Any]:
    """Model and fields of each row, in order within the model."""
    rows = []
    for model, block in blocks:
        columns = [values(getattr(block, field.name)) for field in dataclasses.fields(block)]
        rows += [(model, i, [_cell(column, i) for column in columns]) for i in range(len(block))]
    return rows


def _cell(column: list[Any], i: int) -> Any:
    return (
        [part[i] for part in column]
        if column and isinstance(column[0], list) and len(column[0]) and isinstance(column[0][0], list)
        else column[i : i + 1]
    )


def _blocks(events: Events) -> list[tuple[str, Predictions | Labels]]:
    return [*((contract.model, block) for contract, block in events.predictions), *events.labels.items()]


def _together_and_alone(topic: Topic, sent: list[tuple[bytes, int]]) -> tuple[tuple[Any, list[Any]], tuple[Any, list[Any]]]:
    """Rows and rejects of records that are decoded in one batch, and of the same each in its own."""
    records = _records(sent)
    whole = _events(topic, records)
    alone = [_events(topic, [record]) for record in records]
    parts: dict[str, list[Any]] = {}
    for events in alone:
        for model, block in _blocks(events):
            parts.setdefault(model, []).append(block)
    joined = [(model, type(some[0]).concat(some)) for model, some in parts.items()]
    rows = [sorted(_rows(blocks), key=lambda row: row[:2]) for blocks in (_blocks(whole), joined)]
    return (rows[0], list(whole.rejects)), (rows[1], [reject for events in alone for reject in events.rejects])


@settings(max_examples=150, deadline=None)
@given(_batches(st.one_of(predictions, good_predictions, good_predictions)))
def test_predictions_decode_together_as_alone(sent: list[tuple[bytes, int]]) -> None:
    """Whatever stands beside a record, its rows, their order, places and times, and its rejects are the same."""
    together, alone = _together_and_alone("predictions", sent)
    assert together == alone


@settings(max_examples=150, deadline=None)
@given(_batches(labels))
def test_labels_decode_together_as_alone(sent: list[tuple[bytes, int]]) -> None:
    """The same of labels; one without a time takes that of its own record."""
    together, alone = _together_and_alone("labels", sent)
    assert together == alone


@settings(max_examples=60, deadline=None)
@given(_batches(st.one_of(predictions, good_predictions)))
def test_an_object_decodes_as_the_request_that_it_would_be(sent: list[tuple[bytes, int]]) -> None:
    """Over Kafka a record has the rows and rejects that its bytes have over HTTP."""
    for record in _records(sent):
        try:
            over_http = decode_predictions(record.body, "json", CONTRACTS.get, record.logged)
        except PayloadError:
            assert [record.position] == [reject.position for reject in _events("predictions", [record]).rejects]
            continue
        taken = _events("predictions", [record])
        assert [len(block) for _, block in over_http.blocks.values()] == [len(block) for _, block in taken.predictions]
        assert [(fault.row, fault.field, fault.reason) for fault in over_http.rejects] == [
            (reject.row, reject.field, reject.reason) for reject in taken.rejects
        ]


def test_rows_stand_where_their_record_stands() -> None:
    """Position and time of a row are its record's; the place is 0, but in an array; order is the log's."""
    bodies = [
        event(prediction_id="a"),
        event(prediction_id="b"),
        [event(prediction_id="c"), event(prediction_id="d")],
        event(prediction_id="a"),
    ]
    records = _records([(json.dumps(body).encode(), NOW + i) for i, body in enumerate(bodies)])
    ((_, block),) = _events("predictions", records).predictions
    assert list(zip(block.id.tolist(), block.position.tolist(), block.row.tolist(), strict=True)) == [
        ("a", 7, 0),
        ("b", 10, 0),
        ("c", 13, 0),
        ("d", 13, 1),
        ("a", 16, 0),
    ]
    assert block.logged.tolist() == [NOW, NOW + 1, NOW + 2, NOW + 2, NOW + 3]


def test_the_limit_on_times_goes_by_the_records_own_time() -> None:
    """Of two records with the same `ts`, the one that was logged more than a day before it is rejected."""
    ts = moment.parse("2022-07-01T00:00:00Z")
    early, late = ts - moment.DAY - 1, ts - moment.DAY
    events = _events("predictions", _records([(json.dumps(event()).encode(), logged) for logged in (early, late, early)]))
    assert [reject.position for reject in events.rejects] == [7, 13]
    assert {"ts"} == {reject.field for reject in events.rejects}


def test_a_label_without_a_time_takes_its_records() -> None:
    """Not that of the batch."""
    sent = [(json.dumps({"prediction_id": str(i), "model": "b", "label": 1}).encode(), NOW + i) for i in range(3)]
    assert _events("labels", _records(sent)).labels["b"].ts.tolist() == [NOW, NOW + 1, NOW + 2]


def test_an_empty_record_is_rejected_with_its_reason() -> None:
    """A tombstone costs itself, at its position."""
    events = _events("labels", _records([(b"", NOW)]))
    assert [(r.position, r.row, r.field, r.reason) for r in events.rejects] == [(7, 0, "", "the record is empty; send an event")]


def test_a_record_that_is_too_large_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object and an array alike; the record after it is taken."""
    monkeypatch.setattr(decoding, "LARGEST", 1_000)
    sent = [(json.dumps(event(caller="x" * 1_000)).encode(), NOW), (b"[" + b" " * 1_000 + b"]", NOW), (json.dumps(event()).encode(), NOW)]
    events = _events("predictions", _records(sent))
    assert [reject.position for reject in events.rejects] == [7, 10]
    assert all("larger than" in reject.reason for reject in events.rejects)
    assert events.predictions[0][1].position.tolist() == [13]


def test_a_record_that_breaks_the_decoder_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also an error that nobody foresaw: it is found among a thousand, and goes to the dead letters with its position."""

    def fragile(rows: Any, *others: Any, **named: Any) -> Any:
        if any(b"poison" in row for row in rows):
            raise ZeroDivisionError("poison")
        return read_predictions(rows, *others, **named)

    monkeypatch.setattr(decoding, "read_predictions", fragile)
    sent = [(json.dumps(event(prediction_id="poison" if i == 400 else str(i))).encode(), NOW) for i in range(1_000)]
    events = _events("predictions", _records(sent))
    ((_, block),) = events.predictions
    assert [reject.position for reject in events.rejects] == [7 + 3 * 400]
    assert [str(i) for i in range(1_000) if i != 400] == block.id.tolist()


def test_too_little_memory_is_no_fault_of_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes out, so that the batch is tried again."""

    def full(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(decoding, "read_labels", full)
    with pytest.raises(MemoryError):
        _events("labels", _records([(b"{}", NOW)]))


def test_contracts_that_cannot_be_read_are_no_fault_of_a_record() -> None:
    """While the store is away the batch waits: nothing goes to the dead letters."""

    def away(model: str) -> Contract:
        raise OSError(f"no connection for {model}")

    body = json.dumps(event()).encode()
    for sent in ([(body, NOW)], [(body, NOW)] * 3, [(b"[" + body + b"]", NOW)]):
        records = _records(sent)
        with pytest.raises(Retryable, match="the contract of 'b' cannot be read: no connection"):
            Decode(away)(Batch("predictions", 0, 7, 7, records))


@pytest.mark.parametrize("name", ["\ud800", "a\0b"])
def test_a_name_that_no_store_can_hold_is_never_asked_for(name: str) -> None:
    """It is an unknown model: a record must not stop the stream by its model's name."""
    asked: list[str] = []
    records = _records([(json.dumps(event(model=name)).encode(), NOW), (json.dumps(event()).encode(), NOW)])

    def contract(model: str) -> Contract | None:
        asked.append(model)
        return CONTRACTS.get(model)

    events = Decode(contract)(Batch("predictions", 0, 7, 10, records))
    assert [(reject.position, reject.field) for reject in events.rejects] == [(7, "model")]
    assert asked == ["b"]


def test_a_batch_has_one_version_of_each_contract() -> None:
    """A contract that changes in the middle shows from the next batch on."""
    versions = iter(range(1, 9))

    def contract(model: str) -> Contract:
        return msgspec.structs.replace(CONTRACTS[model], version=next(versions))

    body = json.dumps(event()).encode()
    records = _records([(body, NOW), (b"[" + body + b"]", NOW), (body, NOW)])
    decode = Decode(contract)
    assert [(held.version, len(block)) for held, block in decode(Batch("predictions", 0, 7, 13, records)).predictions] == [(1, 3)]
    assert [held.version for held, _ in decode(Batch("predictions", 0, 7, 13, records)).predictions] == [2]


def test_brackets_of_one_record_do_not_close_those_of_another() -> None:
    """The depth of a record is its own: unbalanced brackets in the strings of others neither deepen nor flatten it."""
    deep = b'{"a":' + b'["]",' * (DEEPEST + 6) + b'"[[["' + b"]" * (DEEPEST + 6) + b"}"
    others = [b'{"x":"]]]"}', b'{"x":"[[["}', b'{"x":"}{"}']
    alone = _events("predictions", _records([(deep, NOW)])).rejects[0].reason
    for other in others:
        assert alone == _events("predictions", _records([(deep, NOW), (other, NOW)])).rejects[0].reason
