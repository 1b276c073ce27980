"""Vector columns of references, and what watches them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.contract import Kind
from core.error import ConfigError
from detectors.summary.vector_column import names
from ingest.decode.prediction import decode_predictions
from monitors.definition.default import defaults
from monitors.definition.grammar import parse
from monitors.reference.derive import column_roles, content, derive
from monitors.reference.option import Options
from monitors.reference.rows import predictions_of
from tests.monitors.test_signal import NOW, plain, values
from watchkeeper.replay.recording import Recording

ROWS = 300


def numbers(size: int = 3) -> list[Any]:
    """Vectors, some of them null, of another length, or with a null or NaN."""
    held: list[Any] = np.random.default_rng(3).normal(size=(ROWS, size)).astype(np.float32).tolist()
    held[3], held[7], held[11] = None, [None, *held[7][1:]], [float("nan"), *held[11][1:]]
    return held


def file(kind: pa.DataType, held: list[Any] | None = None) -> pa.Table:
    """A file with a column of lists."""
    return pa.table(
        {
            "prediction_id": [str(place) for place in range(ROWS)],
            "ts": pa.array(np.arange(ROWS) + 1_656_633_600_000_000, pa.timestamp("us", "UTC")),
            "e": pa.array(numbers() if held is None else held, kind),
            "plan": ["basic", "plus"] * (ROWS // 2),
            "prediction": [0, 1] * (ROWS // 2),
        }
    )


def options(**more: Any) -> Options:
    return Options.of({"task": "binary"} | more)


LISTS = [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 3), pa.list_(pa.float16())]


@pytest.mark.parametrize("kind", LISTS, ids=str)
def test_a_column_of_lists_of_numbers_is_a_vector(kind: pa.DataType) -> None:
    """Of any list type; lists that cannot be used count as invalid, also where a few have another length."""
    held = numbers()
    held[19] = held[19] if pa.types.is_fixed_size_list(kind) else [1.0]
    contract, summary = derive("m", file(kind, held), options())
    (column, plan) = contract.features
    assert (column.kind, plan.kind) == (Kind.VECTOR, Kind.CATEGORICAL)
    assert column.embedding is not None
    assert column.embedding.size == 3
    assert [one.name for one in contract.signals] == ["@outside", *names("e")]
    invalid = 2 if pa.types.is_fixed_size_list(kind) else 3
    assert summary.counts("e")["all"].tolist() == [ROWS - 1 - invalid, 0, 0, 1, invalid]
    assert summary.counts("@vector:e:norm")["all"][-2:].tolist() == [1, invalid]
    assert column_roles(file(kind), options(), contract)["features"][0] == {"name": "e", "kind": "vector"}


@pytest.mark.parametrize(
    ("kind", "held", "reason"),
    [
        (
            pa.list_(pa.float64()),
            [[0.0] * (1 + place % 3) for place in range(ROWS)],
            "list<element: double> of different lengths, or empty; write vectors of one length",
        ),
        (pa.list_(pa.float32()), [[0.0] * 4_097] * ROWS, "vectors of 4097 numbers, and 4096 are the most; write a projection of them"),
        (pa.list_(pa.string()), [["a"]] * ROWS, "list<element: string>; write a column for each element"),
    ],
    ids=["lengths", "long", "texts"],
)
def test_lists_that_are_no_vectors_are_left_out_with_the_reason(kind: pa.DataType, held: list[Any], reason: str) -> None:
    """And refused where an option names them."""
    contract, _ = derive("m", file(kind, held), options())
    assert [one.name for one in contract.features] == ["plan"]
    (left,) = column_roles(file(kind, held), options(), contract)["left_out"]
    assert left == {"name": "e", "reason": reason.replace("element:", "item:") if "item:" in left["reason"] else reason}
    with pytest.raises(ConfigError, match="--features e: "):
        derive("m", file(kind, held), options(features="e,plan"))


@pytest.mark.parametrize("option", ["segments", "protected", "categorical"])
def test_a_vector_is_no_dimension_and_no_category(option: str) -> None:
    """The message names the option."""
    with pytest.raises(ConfigError, match=f"--{option} e: a column of type list"):
        derive("m", file(LISTS[0]), options(**{option: "e"}))


def test_a_prediction_set_is_no_vector() -> None:
    """A list that has a role is not a feature."""
    contract, _ = derive("m", file(LISTS[0]), options(prediction_set="e"))
    assert [one.name for one in contract.features] == ["plan"]


@pytest.mark.parametrize("size", [3, 100])
def test_rows_of_a_file_have_the_values_of_their_events(tmp_path: Path, size: int) -> None:
    """Replayed, every row has the vector, the state and the statistics that the reference counted."""
    table = file(pa.list_(pa.float32()), numbers(size))
    pq.write_table(table, tmp_path / "file.parquet")
    contract, _ = derive("m", table, options())
    recording = Recording(tmp_path / "file.parquet", contract)
    body = b"\n".join(stretch.predictions for stretch in recording.stretches())
    block, held = decode_predictions(body, "ndjson", {"m": contract}.get, NOW).blocks["m"][1], predictions_of(table, contract)
    assert plain(held.texts[0]) == plain(block.texts[0])
    np.testing.assert_array_equal(held.vectors[0], block.vectors[0])
    for name, found in values(contract, block).items():
        np.testing.assert_array_equal(found, values(contract, held)[name], name)


def test_content_tells_vectors_apart_and_not_their_types() -> None:
    """The same numbers in another list type are the same reference; another number is another one."""
    held = numbers()
    same = {
        content(file(kind, held), options()) for kind in (pa.list_(pa.float32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 3))
    }
    assert len(same) == 1
    held[5] = [1.0, 2.0, 3.5]
    assert content(file(pa.list_(pa.float32()), held), options()) not in same


def test_the_default_monitors_watch_states_lengths_and_distances() -> None:
    """Those of drift; nulls are those of the vector."""
    contract, _ = derive("m", file(LISTS[0]), options())
    watched = {monitor.measure: monitor.columns for monitor in defaults(contract)}
    assert watched["drift.psi"] == ("e", "plan", "@prediction", *names("e"))
    assert watched["drift.tail_share"] == names("e")
    assert watched["quality.null_rate"] == ("e", "plan", "@prediction")
    assert "drift.embedding" not in watched


def test_a_declared_contract_has_no_vectors() -> None:
    """Their sums need a reference; the message says so."""
    text = "- {contract: m, task: binary, columns: [{name: e, kind: vector}]}"
    with pytest.raises(ConfigError, match="a vector column needs a reference"):
        parse(text, contract=lambda _: None)
