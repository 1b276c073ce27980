"""Text columns of references and declared contracts, and what watches them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.contract import Contract, Kind
from core.error import ConfigError
from detectors.summary.text_column import LONGEST, STATES, names
from ingest.decode.prediction import decode_predictions
from monitors.definition.default import defaults
from monitors.definition.grammar import parse
from monitors.reference.derive import column_roles, derive
from monitors.reference.option import Options
from monitors.reference.rows import predictions_of
from tests.ingest.decode.test_text import NASTY
from tests.monitors.test_signal import NOW, plain, values
from watchkeeper.replay.fit import differences
from watchkeeper.replay.recording import Recording

REVIEWS = [None, "x" * LONGEST + "y", *NASTY, *(f"good product number {place}!" for place in range(200))]


def file(kind: pa.DataType | None = None) -> pa.Table:
    """A file with a column of texts, in some Arrow type."""
    return pa.table(
        {
            "prediction_id": [str(place) for place in range(len(REVIEWS))],
            "ts": pa.array(np.arange(len(REVIEWS)) + 1_656_633_600_000_000, pa.timestamp("us", "UTC")),
            "review": pa.array(REVIEWS, pa.string()).cast(kind or pa.string()),
            "plan": ["basic", "plus"] * (len(REVIEWS) // 2),
            "prediction": [0, 1] * (len(REVIEWS) // 2),
        }
    )


def options(**more: Any) -> Options:
    return Options.of({"task": "binary", "text": "review", "segments": "plan"} | more)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_a_reference_gives_texts_their_statistics_and_no_text(kind: pa.DataType) -> None:
    """Bins and counts of the states and of eight signals, the same for every type of Arrow; the roles say that the column is a text."""
    contract, summary = derive("m", file(kind), options())
    assert (contract.features[0].kind, contract.features[0].categories) == (Kind.TEXT, STATES)
    assert [column.name for column in contract.signals] == ["@outside", *names("review")]
    assert summary.counts("review")["all"].tolist() == [len(REVIEWS) - 3, 1, 0, 0, 1, 1]
    invalid, null = summary.counts("@text:review:length")["all"][-1], summary.counts("@text:review:letters")["all"][-2]
    assert (invalid, null) == (1, 2)
    roles = column_roles(file(kind), options(), contract)
    assert roles["features"][0] == {"name": "review", "kind": "text"}
    assert "good product" not in str(contract)


def test_rows_of_a_file_have_the_values_of_their_events(tmp_path: Path) -> None:
    """Replayed, every row has the state and the statistics that the reference counted."""
    pq.write_table(file(), tmp_path / "file.parquet")
    contract, _ = derive("m", file(), options())
    recording = Recording(tmp_path / "file.parquet", contract)
    body = b"\n".join(stretch.predictions for stretch in recording.stretches())
    block = decode_predictions(body, "ndjson", {"m": contract}.get, NOW).blocks["m"][1]
    held = predictions_of(file(), contract)
    assert plain(held.texts[0]) == plain(block.texts[0])
    for name, found in values(contract, block).items():
        np.testing.assert_array_equal(found, values(contract, held)[name], name)


def test_signals_none_keeps_the_statistics() -> None:
    """They are the text column; other signals are left out."""
    contract, _ = derive("m", file(), options(signals="none"))
    assert tuple(column.name for column in contract.signals) == names("review")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"text": "nothing"}, "--text nothing: there is no such column"),
        ({"text": "ts"}, "--text ts: that is a role column"),
        ({"text": "plan"}, "--text plan: the column is named by --segments, too"),
        ({"categorical": "review"}, "--text review: the column is named by --categorical, too"),
        ({"text": "number"}, "column 'number' of type double cannot be read as a text"),
    ],
)
def test_what_cannot_be_a_text_is_refused_with_the_option(more: dict[str, str], message: str) -> None:
    """The message says what is wrong, and the remedy what to do."""
    table = file().append_column("number", pa.array(np.ones(len(REVIEWS))))
    with pytest.raises(ConfigError) as caught:
        derive("m", table, options(**more))
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_text_is_a_feature_also_where_features_are_listed_and_not_where_it_is_excluded() -> None:
    """--features names the others."""
    assert [column.name for column in derive("m", file(), options(features="plan"))[0].features] == ["plan", "review"]
    assert [column.name for column in derive("m", file(), options(exclude="review"))[0].features] == ["plan"]


def test_the_default_monitors_of_drift_watch_the_statistics() -> None:
    """Their nulls are those of the text, which are watched there; measures of numbers do not watch the text itself."""
    contract, _ = derive("m", file(), options())
    watched = {monitor.measure: monitor.columns for monitor in defaults(contract)}
    assert watched["drift.psi"] == watched["drift.js"] == ("review", "plan", "@prediction", *names("review"))
    assert watched["drift.tail_share"] == names("review")
    assert watched["quality.null_rate"] == ("review", "plan", "@prediction")


DECLARED = """
- contract: m
  task: binary
  columns:
    - {name: review, kind: text}
    - {name: plan, kind: categorical, categories: [basic, plus]}
  signals: [outside, {name: "@text:review:length", edges: [10, 100]}]
"""


def declared(text: str = DECLARED) -> Contract:
    (contract,) = parse(text, contract=lambda _: None).contracts
    return contract


def test_a_declared_text_has_its_statistics_with_bins_of_their_own_or_declared_ones() -> None:
    """Without a reference; none has to be listed."""
    contract = declared()
    columns = {column.name: column for column in contract.signals}
    assert set(columns) == {"@outside", *names("review")}
    found = {name: list(column.edges) for name, column in columns.items()}
    assert found["@text:review:length"] == [10.0, 100.0]
    assert found["@text:review:words"][:3] == [1.0, 2.0, 3.0]
    assert found["@text:review:letters"][:2] == [0.02, 0.04]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("kind: text}", "kind: text, tag: true}", "a text cannot be a tag"),
        ("kind: text}", "kind: text, categories: [a]}", "`categories` is not for a column that is text"),
        ("@text:review:length", "@text:plan:length", "there is no signal `@text:plan:length`"),
        ("@text:review:length", "@text:review:size", "there is no signal `@text:review:size`"),
        ("signals:", "segments: [review]\n  signals:", "the segment `review` is text"),
    ],
)
def test_what_a_declared_text_cannot_be_is_refused(before: str, after: str, message: str) -> None:
    """With the reason."""
    with pytest.raises(ConfigError, match="(?s)" + message.replace("[", r"\[")):
        declared(DECLARED.replace(before, after))


def test_replay_tells_of_a_column_that_is_no_text_in_the_file() -> None:
    """Every value of it will be invalid."""
    schema = file().schema.set(2, pa.field("review", pa.float64()))
    notes = differences(schema, declared(), "label_ts", set(schema.names))
    assert "text in the contract and not in the file, so that every value is invalid: 'review' (double)" in notes
