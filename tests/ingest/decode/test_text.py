"""Text columns of events: states, statistics and faults, against a computation character by character."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.block import Predictions
from core.contract import Column, Contract, Kind, Task
from detectors.summary.signal import of_columns
from detectors.summary.text_column import LONGEST, STATISTICS, column, names, read
from ingest.decode.decoded import Decoded
from ingest.decode.prediction import decode_predictions
from monitors.evidence.conversion import convert
from tests.ingest.decode.events import NOW
from tests.monitors.test_signal import plain, values


def contract(*features: Column, version: int = 1) -> Contract:
    """A binary model with these features, and the statistics of its texts."""
    one = Contract(model="m", version=version, task=Task.BINARY, features=features, classes=("0", "1"))
    return msgspec.structs.replace(one, signals=tuple(Column(name=name, kind=Kind.NUMERIC) for name in of_columns(one)))


TEXTS = contract(column("review"), Column(name="age", kind=Kind.NUMERIC))


def decoded(reviews: list[Any], under: Contract = TEXTS, *, escaped: bool = True) -> Decoded[tuple[Contract, Predictions]]:
    """Events with these values of `review`."""
    frame = {"model": "m", "ts": 1_656_633_600_000, "prediction": 1}
    events = [{**frame, "prediction_id": str(place), "features": {"review": one, "age": 7}} for place, one in enumerate(reviews)]
    return decode_predictions(json.dumps(events, ensure_ascii=escaped).encode(), "json", {"m": under}.get, NOW)


def expected(value: Any) -> tuple[str, list[float | None]]:
    """The state of a value and its statistics, one character at a time; None for null."""
    if value is None:
        return "null", [None] * len(STATISTICS)
    if not isinstance(value, str) or any("\ud800" <= one <= "\udfff" for one in value) or len(value.encode()) > LONGEST:
        return "invalid", [float("inf")] * len(STATISTICS)
    if not value:
        return "empty", [0, 0, *[None] * (len(STATISTICS) - 2)]
    kinds = ["Z" if one.isspace() else unicodedata.category(one)[0] for one in value]
    counts = [sum(kind in wanted for kind in kinds) for wanted in ("LM", "N", "Z", "PS")]
    counts += [sum(ord(one) > 127 for one in value), len(set(value))]
    return "text", [len(value), len(value.split()), *(count / len(value) for count in counts)]


def found(under: Contract, block: Predictions) -> list[tuple[str, list[float | None]]]:
    """The state of each value and its statistics."""
    statistics = [values(under, block)[name].tolist() for name in names("review")]
    rows = [[None if one != one else one for one in row] for row in zip(*statistics, strict=True)]
    return list(zip(plain(block.texts[0]), rows, strict=True))


NASTY = [
    "",
    " ",
    "\n\t",
    "null",
    "invalid",
    "text",
    "empty",
    "a=b,c%",
    "👩‍👩‍👧‍👦 🚕",
    "日本語テキスト",
    "é",
    "e\u0301",
    "हिन्दी",
    "\u00a0x\u2003",
    "\u0000",
    "x" * 5_000,
    "½ ²",
    "\u202eabc",
]
_texts = (
    st.none() | st.text(max_size=30) | st.sampled_from([*NASTY, "\ud800", "a\udfff", 5, 1e-300, True, [], {}, ["a"], {"a": 1}, 10**400])
)


@given(st.lists(_texts, min_size=1, max_size=12))
def test_every_value_has_its_state_and_its_statistics_and_no_row_is_lost(reviews: list[Any]) -> None:
    """Whatever is sent costs its own cell, and the row beside it has the same values as alone."""
    answer = decoded(reviews)
    assert (answer.accepted, list(answer.rejects)) == (len(reviews), [])
    (_, block), wanted = answer.blocks["m"], [expected(one) for one in reviews]
    assert found(TEXTS, block) == wanted
    assert block.numbers[0].tolist() == [7.0] * len(reviews)
    assert [cell.row for cell in answer.cells if cell.field == "review"] == [
        row for row, (state, _) in enumerate(wanted) if state == "invalid"
    ]


@pytest.mark.parametrize(("extra", "state"), [(0, "text"), (1, "invalid")])
@pytest.mark.parametrize("letter", ["x", "ü"])
def test_a_text_may_have_a_mebibyte(letter: str, extra: int, state: str) -> None:
    """Of UTF-8; a longer one is invalid, and the reason says so."""
    text = letter * (LONGEST // len(letter.encode())) + "y" * extra
    answer = decoded([text, "short"], escaped=False)
    assert found(TEXTS, answer.blocks["m"][1]) == [expected(text), expected("short")]
    assert plain(answer.blocks["m"][1].texts[0]) == [state, "text"]
    assert [cell.reason for cell in answer.cells] == [f"a string above {LONGEST} bytes"] * extra


def test_a_value_that_is_no_text_is_told_with_its_type() -> None:
    """In the words of other columns."""
    reasons = [cell.reason for cell in decoded([5, ["a"], {"a": 1}, True, "\ud800"]).cells]
    assert reasons == [
        *(f"{kind} where a text is expected" for kind in ("a number", "an array", "an object", "a boolean")),
        "a string with half a character (a lone surrogate)",
    ]


def test_texts_are_counted_in_portions_without_a_difference() -> None:
    """Many long texts, and short ones between them."""
    texts = [letter * 300_000 for letter in "aü1 .😀"] + ["", "a b"] * 4
    states, statistics = read("c", texts)
    assert plain(states) == [expected(one)[0] for one in texts]
    for index, name in enumerate(names("c")):
        wanted = [np.nan if (one := expected(text)[1][index]) is None else one for text in texts]
        np.testing.assert_array_equal(statistics[name], wanted)


def test_another_contract_gets_the_statistics_that_were_kept() -> None:
    """The text is not there any more; a column that becomes a text has what its categories tell, one that was a text nothing but nulls."""
    block = decoded(NASTY).blocks["m"][1]
    later = contract(Column(name="new", kind=Kind.NUMERIC), column("review"), column("title"), version=2)
    again = convert(block, TEXTS, later)
    assert found(later, again) == found(TEXTS, block)
    assert plain(again.texts[1]) == ["null"] * len(NASTY)
    categories = contract(Column(name="review", kind=Kind.CATEGORICAL), version=3)
    assert plain(convert(block, TEXTS, categories).texts[0]) == ["null"] * len(NASTY)
    short = [*NASTY[:-3], None]
    before = decoded([one for one in short if one is None or len(one) < 1_000], categories).blocks["m"][1]
    assert found(TEXTS, convert(before, categories, TEXTS)) == [expected(one) for one in short if one is None or len(one) < 1_000]
    numbers = contract(Column(name="review", kind=Kind.NUMERIC), version=4)
    assert np.isnan(convert(block, TEXTS, numbers).numbers[0]).all()
    assert {state for state, _ in found(TEXTS, convert(decoded([5, None], numbers).blocks["m"][1], numbers, TEXTS))} == {"invalid", "null"}
