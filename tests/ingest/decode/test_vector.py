"""Vector columns of events: a bad vector costs its cell, statistics are those of numpy, and sums do not depend on order."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.block import Predictions
from core.contract import Column, Contract, Kind, Task
from core.segment import Segments
from detectors.summary.inputs import InputSummary
from detectors.summary.signal import of_columns
from detectors.summary.vector_column import LONGEST, column, embedding, names, profiled
from ingest.decode.decoded import Decoded
from ingest.decode.prediction import decode_predictions
from monitors.evidence.conversion import convert
from tests.ingest.decode.events import NOW
from tests.monitors.test_signal import plain, values

OUTPUT = Column(name="@prediction", kind=Kind.CATEGORICAL, categories=("0", "1"))


def contract(*features: Column, version: int = 1) -> Contract:
    """A binary model with these features, and the statistics of its vectors."""
    one = Contract(model="m", version=version, task=Task.BINARY, features=features, outputs=(OUTPUT,), classes=("0", "1"))
    return msgspec.structs.replace(one, signals=tuple(Column(name=name, kind=Kind.NUMERIC) for name in of_columns(one)))


def drawn(rows: int, size: int, seed: int = 5) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=(rows, size)).astype(np.float32)


KNOWN = drawn(50, 3)
THREE = contract(profiled("e", KNOWN), Column(name="age", kind=Kind.NUMERIC))


def decoded(vectors: list[Any], under: Contract = THREE) -> Decoded[tuple[Contract, Predictions]]:
    """Events with these values of `e`."""
    frame = {"model": "m", "ts": 1_656_633_600_000, "prediction": 1}
    events = [{**frame, "prediction_id": str(place), "features": {"e": one, "age": 7}} for place, one in enumerate(vectors)]
    return decode_predictions(json.dumps(events).encode(), "json", {"m": under}.get, NOW)


def state(value: Any, size: int = 3) -> str:
    """The state that a value must have."""
    if value is None:
        return "null"
    numbers = isinstance(value, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value)
    if not numbers or len(value) != size or any(abs(one) > 3.4028235677973366e38 or math.isnan(one) for one in value):
        return "invalid"
    return "vector"


_number = st.floats(-1e3, 1e3, width=32) | st.sampled_from([0, -0.0, 1e-300, 5e-324, 3.4e38, 7])
_bad: st.SearchStrategy[Any] = st.sampled_from([math.nan, math.inf, -math.inf, 1e39, 10**400, True, None, "1", [], {}])
_vectors = (
    st.lists(_number, min_size=3, max_size=3)
    | st.none()
    | st.lists(_number | _bad, max_size=5)
    | st.sampled_from([3, "a", {"a": 1}, True, [[1, 2, 3]]])
)


@given(st.lists(_vectors, min_size=1, max_size=10))
def test_a_bad_vector_costs_its_cell(vectors: list[Any]) -> None:
    """Of a wrong length, with a NaN, not a list: it is invalid and told, null is null, and what stands beside it is as alone."""
    answer = decoded(vectors)
    assert (answer.accepted, list(answer.rejects)) == (len(vectors), [])
    (_, block), wanted = answer.blocks["m"], [state(one) for one in vectors]
    assert plain(block.texts[0]) == wanted
    assert block.numbers[0].tolist() == [7.0] * len(vectors)
    assert [cell.row for cell in answer.cells if cell.field == "e"] == [row for row, one in enumerate(wanted) if one == "invalid"]
    norm, nearest = (values(THREE, block)[name] for name in names("e"))
    sample = KNOWN.astype(np.float64)
    for row, (value, held) in enumerate(zip(vectors, wanted, strict=True)):
        if held != "vector":
            assert (np.isnan if held == "null" else np.isposinf)([norm[row], nearest[row]]).all()
            continue
        whole = np.array(value, np.float64).astype(np.float32).astype(np.float64)
        assert norm[row] == pytest.approx(float(np.linalg.norm(whole)), rel=1e-4, abs=1e-300)
        if np.abs(whole).max() < 500:  # far beyond, coordinates are cut
            assert nearest[row] == pytest.approx(float(np.linalg.norm(sample - whole, axis=1).min()), abs=0.01)


def test_a_vector_that_cannot_be_used_is_told_why() -> None:
    """Its length, its type, or what stands in it."""
    reasons = [
        cell.reason for cell in decoded([[1, 2], [1, 2, math.nan], "a", [1, "2", 3], [1, None, 3], [1, True, 3], [1e39, 0, 0]]).cells
    ]
    out_of_range = "a vector with NaN, infinity or a number out of the range of Float32"
    assert reasons == [
        "a vector of 2 numbers where 3 are expected",
        out_of_range,
        "a string where a vector (an array of numbers) is expected",
        "a string in a vector, where a number is expected",
        "null in a vector, where a number is expected",
        "a boolean in a vector, where a number is expected",
        out_of_range,
    ]


def test_the_longest_vector() -> None:
    """4,096 numbers, projected; its length is exact, its distances within what a projection to 64 numbers keeps."""
    known = drawn(300, LONGEST)
    under = contract(profiled("e", known))
    answer = decoded([known[0].tolist(), (known[1] * 2).tolist(), known[2, :-1].tolist()], under)
    assert plain(answer.blocks["m"][1].texts[0]) == ["vector", "vector", "invalid"]
    norm, nearest = (values(under, answer.blocks["m"][1])[name] for name in names("e"))
    assert norm[:2].tolist() == pytest.approx([np.linalg.norm(known[0]), 2 * np.linalg.norm(known[1])], rel=1e-4)
    truth = np.linalg.norm(known[3:] - known[0], axis=1).min()
    assert truth * 0.6 < nearest[0] < truth * 1.2
    assert np.array_equal(answer.blocks["m"][1].vectors[0][0], known[0])


@pytest.mark.parametrize("size", [1, 3, 64, 65, 300])
def test_sums_are_the_same_in_any_order_and_any_batches(size: int) -> None:
    """To the last digit, invalid and null vectors among them: panes are equal, and so are the statistics of each event."""
    sent: list[Any] = [*drawn(400, size, 7).tolist(), None, [1.0], [1e30] * size, [0.0] * size, [-1e-300] * size]
    under = contract(profiled("e", drawn(250, size)))
    block = decoded(sent, under).blocks["m"][1]
    order = np.random.default_rng(3).permutation(len(sent))
    segments = Segments(under)
    parts = [decoded([sent[row] for row in rows], under).blocks["m"][1] for rows in (order[:7], order[7:140], order[140:])]
    for name in names("e"):
        np.testing.assert_array_equal(np.concatenate([values(under, part)[name] for part in parts]), values(under, block)[name][order])
    merged = InputSummary.zero()
    for part in parts:
        merged = merged.add(under, segments, part)
    joint = [InputSummary.zero().merge(one).to_columns()["joint"].to_pylist() for one in (merged, InputSummary.of(under, segments, block))]
    assert joint[0] == joint[1]
    assert max(map(len, joint[0])) == 256 + min(size, 64) + 6


def test_another_contract_gets_the_vectors_that_were_kept() -> None:
    """Their statistics are made again from them; those of another length are invalid, what was no vector is null."""
    sent = [[1, 2, 3], None, [1], [0, 0, 0.5]]
    block = decoded(sent).blocks["m"][1]
    later = contract(column("new", 4), profiled("e", drawn(60, 3, 9)), version=2)
    again, direct = convert(block, THREE, later), decoded(sent, later).blocks["m"][1]
    assert plain(again.texts[1]) == plain(direct.texts[1]) == ["vector", "null", "invalid", "vector"]
    assert plain(again.texts[0]) == ["null"] * 4
    for name, found in values(later, direct).items():
        np.testing.assert_array_equal(values(later, again)[name], found)
    longer = contract(profiled("e", drawn(60, 4)), version=3)
    assert plain(convert(block, THREE, longer).texts[0]) == ["invalid", "null", "invalid", "invalid"]
    number = contract(Column(name="e", kind=Kind.NUMERIC), version=4)
    assert np.isnan(convert(block, THREE, number).numbers[0]).all()
    assert plain(convert(decoded([5, 6], number).blocks["m"][1], number, THREE).texts[0]) == ["null", "null"]


def test_vectors_that_are_all_alike_have_a_profile() -> None:
    """Also none at all, and one: nothing is divided by 0."""
    for vectors in (
        np.ones((30, 3), np.float32),
        np.ones((1, 3), np.float32),
        np.full((4, 3), np.nan, np.float32),
        np.zeros((9, 3), np.float32),
    ):
        known = embedding(profiled("e", vectors))
        assert known.scale == 1.0
        assert known.bandwidth > 0
        under = contract(profiled("e", vectors))
        block = decoded([[1, 1, 1], [2, 0, 0]], under).blocks["m"][1]
        assert plain(block.texts[0]) == ["vector", "vector"]
        assert np.isfinite(values(under, block)["@vector:e:norm"]).all()
