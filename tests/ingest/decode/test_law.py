"""The laws of decoding: it never fails, the typed reader and the repair agree, and a row's result does not depend on other rows."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.block import Categories, Labels, Predictions
from core.error import InvalidRecord
from ingest.decode import report as sheet
from ingest.decode.decoded import Decoded
from ingest.decode.label import LabelForm, decode_labels
from ingest.decode.payload import LONGEST_INTEGER, Kind, PayloadError, parse
from ingest.decode.prediction import PredictionForm, decode_predictions
from tests.ingest.decode.events import BINARY, CONTRACTS, NOW, array, event, good_predictions, labels, lines, predictions

quick = settings(max_examples=60, deadline=None)


def values(column: Any) -> list[Any]:
    """A column as plain values that compare equal when they are."""
    if column is None:
        return []
    if isinstance(column, Categories):
        return [column.texts[code] for code in column.codes]
    if isinstance(column, tuple):
        return [values(item) for item in column]
    return [["nan" if isinstance(v, float) and math.isnan(v) else v for v in np.ravel(row).tolist()] for row in column]


def rows_of(decoded: Decoded[Any]) -> dict[int, Any]:
    """Everything that is known of each accepted row, by its place."""
    found = {}
    for model, block in decoded.blocks.items():
        events = block if isinstance(block, Labels) else block[1]
        for i in range(len(events)):
            row = events.take(np.array([i]))
            fields = {field.name: values(getattr(row, field.name)) for field in dataclasses.fields(row) if field.name != "row"}
            found[int(events.row[i])] = (model, fields)
    return found


@quick
@given(st.lists(predictions, max_size=6))
def test_any_prediction_is_accepted_or_rejected_and_every_text_encodes(events: list[Any]) -> None:
    """Every row of any events is counted once, and every result can be stored and sent as UTF-8."""
    decoded = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    assert len(events) == decoded.rows == decoded.accepted + len(decoded.rejects)
    assert sorted([*rows_of(decoded), *(reject.row for reject in decoded.rejects)]) == list(range(len(events)))
    texts = [[fault.field, fault.reason, fault.model] for fault in (*decoded.rejects, *decoded.cells)]
    assert msgspec.json.encode([texts, list(decoded.unknown), [fields for _, fields in rows_of(decoded).values()]])
    for contract, block in decoded.blocks.values():
        assert isinstance(block, Predictions)
        for numbers in block.numbers:
            assert not np.isneginf(numbers).any()
        assert np.isfinite(block.score[~np.isnan(block.score)]).all()
        assert (block.ts >= contract.earliest).all()


@quick
@given(st.lists(labels, max_size=6))
def test_any_label_is_accepted_or_rejected(events: list[Any]) -> None:
    """Every row of any labels is counted once, its weight is finite, and its texts can be encoded."""
    decoded = decode_labels(array(*events), "json", CONTRACTS.get, NOW)
    assert len(events) == decoded.accepted + len(decoded.rejects)
    assert sorted([*rows_of(decoded), *(reject.row for reject in decoded.rejects)]) == list(range(len(events)))
    for block in decoded.blocks.values():
        assert (np.isfinite(block.weight) & (block.weight >= 0)).all()
        assert msgspec.json.encode([block.text.tolist(), block.id.tolist()])
        assert all(block.deleted | (block.text != "null"))


@quick
@given(st.lists(predictions, max_size=6))
def test_an_array_and_its_lines_decode_alike(events: list[Any]) -> None:
    """A JSON array and the same events as NDJSON give the same rows, faults, cells and unknown columns."""
    one = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    other = decode_predictions(lines(*events) or b"7", "ndjson", CONTRACTS.get, NOW)
    if events:
        assert rows_of(one) == rows_of(other)
        assert (one.rejects, one.cells, one.unknown) == (other.rejects, other.cells, other.unknown)


@quick
@given(st.lists(st.one_of(predictions, good_predictions), min_size=1, max_size=8), st.data())
def test_rows_do_not_depend_on_their_neighbours(events: list[Any], data: st.DataObject) -> None:
    """Shuffled and cut into other requests and slices, each event decodes to the same row, or is rejected for the same reason."""
    whole = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    rows, rejects = rows_of(whole), {reject.row: reject[1:] for reject in whole.rejects}
    order = data.draw(st.permutations(range(len(events))))
    cut = data.draw(st.integers(0, len(events)))
    for part in (order[:cut], order[cut:]):
        decoded = decode_predictions(array(*(events[i] for i in part)), "json", CONTRACTS.get, NOW)
        assert {part[row]: found for row, found in rows_of(decoded).items()} == {i: rows[i] for i in part if i in rows}
        assert {part[reject.row]: reject[1:] for reject in decoded.rejects} == {i: rejects[i] for i in part if i in rejects}


@quick
@given(st.lists(good_predictions, min_size=1, max_size=8))
def test_slices_do_not_show(events: list[Any]) -> None:
    """Read in slices of two rows or all at once, a request decodes to the same."""
    whole = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "SLICE", 2)
        sliced = decode_predictions(array(*events), "json", CONTRACTS.get, NOW)
    assert rows_of(whole) == rows_of(sliced)
    assert (whole.rejects, whole.cells, whole.unknown) == (sliced.rejects, sliced.cells, sliced.unknown)


@quick
@given(good_predictions)
def test_the_slow_way_makes_the_struct_of_the_fast_way(event: dict[str, Any]) -> None:
    """What msgspec reads from the bytes, from the parsed value, and what repair makes of it are equal."""
    unknown = ("unheard", "group") if event["model"] == "m" else ("unheard",)
    form = PredictionForm(CONTRACTS[event["model"]]).learn(unknown)
    text = json.dumps(event).encode()
    fast = form.decode(text)
    cells: list[Any] = []
    repaired, unmet = form.repair(0, parse(text), cells)  # type: ignore[arg-type]
    assert fast == form.convert(parse(text))
    assert (fast, (), []) == (_without_empty_tags(repaired, fast), unmet, cells)


@quick
@given(st.dictionaries(st.sampled_from(["0", "1", "0.0", "1.0", "true", "True", "false", "False"]), st.none() | st.floats(0, 1)))
def test_the_slow_way_reads_probabilities_as_the_fast_way(probabilities: dict[str, float | None]) -> None:
    """Under every spelling that the struct knows."""
    form, text = PredictionForm(BINARY), json.dumps(event(probabilities=probabilities)).encode()
    assert (form.decode(text), ()) == form.repair(0, parse(text), [])  # type: ignore[arg-type]


def _without_empty_tags(repaired: Any, fast: Any) -> Any:
    repaired.tags = fast.tags if not fast.tags and not repaired.tags else repaired.tags
    return repaired


@quick
@given(labels)
def test_the_slow_way_of_labels_agrees_with_the_fast_way(event: dict[str, Any]) -> None:
    """Where msgspec reads a label, repair makes the same of it."""
    text, form = json.dumps(event).encode(), LabelForm(BINARY)
    assume(b"0" * LONGEST_INTEGER not in text)  # which repair has as infinity at once
    try:
        fast = form.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    try:
        assert (fast, ()) == form.repair(0, parse(text), [])  # type: ignore[arg-type]
    except InvalidRecord as error:
        raise AssertionError(f"repair refuses what msgspec takes: {error}") from error


@quick
@given(
    st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda text: text.encode(errors="surrogatepass"))),
    st.sampled_from(["json", "ndjson"]),
)
def test_any_bytes_are_read_or_refused(body: bytes, kind: Any) -> None:
    """No bytes raise anything but PayloadError."""
    for decode in (decode_predictions, decode_labels):
        try:
            decoded = decode(body, kind, CONTRACTS.get, NOW)
        except PayloadError:
            continue
        assert decoded.rows == decoded.accepted + len(decoded.rejects)


@quick
@given(st.lists(good_predictions, min_size=1, max_size=3), st.data())
def test_broken_bodies_are_read_or_refused(events: list[Any], data: st.DataObject) -> None:
    """A body with some bytes overwritten, removed or added raises nothing but PayloadError."""
    body = bytearray(lines(*events))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    kinds: tuple[Kind, ...] = ("json", "ndjson")
    for kind in kinds:
        try:
            decoded = decode_predictions(bytes(body), kind, CONTRACTS.get, NOW)
        except PayloadError:
            continue
        assert decoded.rows == decoded.accepted + len(decoded.rejects)
