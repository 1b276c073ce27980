"""A reference file becomes a contract, its bins and its summaries."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from core import moment
from core.block import Categories
from core.contract import LABEL, PREDICTION, SCORE, Kind, Task
from core.error import ConfigError
from detectors.summary.bins import number_bins
from monitors.reference.arrow import read_table
from monitors.reference.derive import Options, ReferenceSummary, content, derive, outcomes_of, predictions_of
from monitors.reference.layout import layout
from tests.acceptance import census

ROWS = 400
T0 = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def file(**other: Any) -> pa.Table:
    """A binary model's file; `other` columns replace or add."""
    rng = np.random.default_rng(5)
    score = rng.random(ROWS).round(2)
    columns: dict[str, Any] = {
        "prediction_id": [f"p{i}" for i in range(ROWS)],
        "ts": pa.array([T0 + dt.timedelta(minutes=i) for i in range(ROWS)], pa.timestamp("ns")),
        "created": pa.array([T0] * ROWS, pa.timestamp("ms")),
        "amount": pa.array(np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS))),
        "count": pa.array(rng.integers(0, 4, ROWS), pa.int16()),
        "zone": pa.array(rng.integers(1, 4, ROWS).astype(float)),
        "carrier": pa.array(rng.choice(["UA", "DL", "a=b"], ROWS)).dictionary_encode(),
        "vip": pa.array([i % 3 == 0 for i in range(ROWS)]),
        "prediction": pa.array(score > 0.5),
        "score": score,
        "label": pa.array([None if i % 10 == 0 else float(one < score[i]) for i, one in enumerate(rng.random(ROWS))], pa.float64()),
        "label_ts": pa.array([T0 + dt.timedelta(days=1)] * ROWS),
    }
    return pa.table(columns | other)


def options(**given: Any) -> Options:
    return Options.of({"task": "binary", **given})


def test_columns_get_their_kinds() -> None:
    """Strings, booleans, dictionaries and segments are categorical, other numbers numeric; roles and times are no features."""
    contract, _ = derive("m", file(), options(segments="zone,carrier,zone*carrier", protected="vip"))
    assert {column.name: column.kind.value for column in contract.features} == {
        "amount": "numeric",
        "count": "numeric",
        "zone": "categorical",
        "carrier": "categorical",
        "vip": "categorical",
    }
    assert contract.tags == ()
    assert [column.name for column in contract.outputs] == [PREDICTION, SCORE, LABEL]
    assert [(one.name, one.protected) for one in contract.dimensions] == [("zone", False), ("carrier", False), ("vip", True)]
    assert contract.crosses == (("zone", "carrier"),)
    assert contract.classes == ("0", "1")
    assert contract.scored
    assert contract.column(LABEL).kind == Kind.CATEGORICAL
    assert set(contract.column("zone").categories) == {"1", "2", "3"}
    assert set(contract.column("carrier").categories) == {"UA", "DL", "a%3Db"}
    assert set(contract.column("vip").categories) == {"true", "false"}


def test_segments_beside_the_features_are_tags() -> None:
    """With --features, or excluded, a segment column travels as a tag; --categorical overrides a kind."""
    contract, reference = derive("m", file(), options(features="amount,count", categorical="count", segments="carrier", protected="vip"))
    assert [column.name for column in contract.features] == ["amount", "count"]
    assert contract.column("count").kind == Kind.CATEGORICAL
    assert [column.name for column in contract.tags] == ["carrier", "vip"]
    assert "carrier=UA" in reference.segments
    assert (contract.column("carrier").categories[:1], reference.bins["carrier"]) == (("UA",), contract.column("carrier").bins)
    excluded, _ = derive("m", file(), options(exclude="carrier,amount", segments="carrier"))
    assert [column.name for column in excluded.features] == ["count", "zone", "vip"]
    assert [column.name for column in excluded.tags] == ["carrier"]


def test_a_reference_counts_all_rows_by_segment() -> None:
    """Counts are those of numpy for all and for a segment value; NaN is null; labels count labelled rows."""
    table = file()
    contract, reference = derive("m", table, options(segments="zone,carrier"))
    amount = table["amount"].to_numpy()
    mine = table["zone"].to_numpy() == 2
    column = contract.column("amount")
    assert reference.rows["all"] == ROWS
    assert reference.rows["zone=2"] == mine.sum()
    for segment, rows in (("all", np.full(ROWS, True)), ("zone=2", mine)):
        counts = reference.counts("amount")[segment]
        assert counts[column.null] == np.isnan(amount[rows]).sum()
        inner = np.histogram(amount[rows & ~np.isnan(amount)], [-np.inf, *column.edges, np.inf])[0]
        np.testing.assert_array_equal(counts[: column.values], inner)
    labels = reference.counts(LABEL)["all"]
    assert labels.sum() == ROWS - ROWS // 10
    held = reference.performance.to_columns().to_pylist()
    assert {row["slot"] for row in held} == {0}
    assert sum(row["n"] for row in held if row["segment"] == "all") == ROWS - ROWS // 10


def test_auc_is_taken_from_the_rows() -> None:
    """Each segment's AUC is scikit-learn's, over its labelled rows with a score."""
    score = file()["score"].to_numpy().copy()
    score[::7] = np.nan
    table = file(score=score)
    _, reference = derive("m", table, options(segments="zone"))
    label = table["label"].to_numpy()
    for segment, rows in (("all", np.full(ROWS, fill_value=True)), ("zone=3", table["zone"].to_numpy() == 3)):
        kept = rows & ~np.isnan(label) & ~np.isnan(score)
        value, n = reference.auc[segment]
        assert value == pytest.approx(roc_auc_score(label[kept], score[kept]), abs=1e-12)
        assert n == kept.sum()


def test_a_reference_survives_as_bytes() -> None:
    """What is read is what was written, AUC without a value included."""
    _, reference = derive("m", file(label=[1.0] * ROWS), options(segments="carrier"))
    again = ReferenceSummary.from_bytes(reference.to_bytes())
    assert again.input == reference.input
    assert again.performance == reference.performance
    assert again.bins == reference.bins
    assert again.segments == reference.segments
    assert np.isnan(again.auc["all"][0])
    assert again.auc["all"][1] == ROWS
    np.testing.assert_equal(again.counts("amount"), reference.counts("amount"))


def test_the_same_content_has_the_same_hash() -> None:
    """Chunks, dictionaries, widths and columns that are not used do not matter; values and options do."""
    table, plain = file(), options(segments="carrier")
    stored = pa.concat_tables([table.slice(0, 100), table.slice(100)])
    stored = stored.set_column(stored.column_names.index("carrier"), "carrier", stored["carrier"].cast(pa.string()))
    stored = stored.set_column(stored.column_names.index("count"), "count", stored["count"].cast(pa.int64()))
    stored = stored.set_column(stored.column_names.index("created"), "created", pa.array([None] * ROWS, pa.timestamp("ms")))
    before = content(table, plain)
    assert content(stored, options(segments="carrier", id="prediction_id", label="label")) != content(stored, options())
    assert content(stored.replace_schema_metadata({"by": "another"}), options(segments="carrier", id="prediction_id")) == before
    assert content(table.slice(1), plain) != before
    assert content(table, options(segments="carrier", positive="0")) != before
    assert content(file(amount=pa.array([0.5] * ROWS)), plain) != before


def test_a_multiclass_file_has_scores_by_class() -> None:
    """Classes come from predictions, labels and probability columns; a class's edges hold its own quantiles."""
    rng = np.random.default_rng(1)
    p = rng.dirichlet([1, 1, 1], ROWS)
    names = np.array(["late", "on_time", "very late"])
    table = pa.table(
        {"x": rng.normal(size=ROWS), "prediction": names[p.argmax(1)], "label": names[[rng.choice(3, p=row) for row in p]]}
        | {f"proba_{name}": p[:, place] for place, name in enumerate(names)}
    )
    contract, reference = derive("m", table, Options.of({"task": "multiclass"}))
    assert contract.classes == tuple(names)
    assert [column.name for column in contract.features] == ["x"]
    assert [column.name for column in contract.outputs] == [PREDICTION, LABEL]
    assert [len(edges) > 250 for edges in contract.score_edges] == [True] * 3
    expected = roc_auc_score(table["label"].to_numpy(zero_copy_only=False), p, multi_class="ovr")
    value, n = reference.auc["all"]
    assert value == pytest.approx(expected, abs=1e-12)
    assert n == ROWS


def test_a_class_without_a_probability_is_not_judged() -> None:
    """AUC is the mean over the classes that have a column of probabilities."""
    rng = np.random.default_rng(2)
    p = rng.random(ROWS)
    label = np.where(rng.random(ROWS) < 0.1, "c", np.where(rng.random(ROWS) < p, "a", "b"))
    table = pa.table({"prediction": np.where(p > 0.5, "a", "b"), "label": label, "proba_a": p, "proba_b": 1 - p})
    contract, reference = derive("m", table, Options.of({"task": "multiclass"}))
    assert contract.classes == ("a", "b", "c")
    assert contract.score_edges[2] == ()
    value, n = reference.auc["all"]
    assert value == pytest.approx((roc_auc_score(label == "a", p) + roc_auc_score(label == "b", 1 - p)) / 2, abs=1e-12)
    assert n == ROWS
    assert set(reference.performance.to_columns()["score_class"].combine_chunks().flatten().to_pylist()) == {"a", "b"}


def test_a_regression_keeps_only_finite_pairs() -> None:
    """Performance is of rows with both numbers; a null prediction is in the null bin of @prediction."""
    table = pa.table({"x": [1, 2, 3, 4], "prediction": [1.0, None, 3.0, 4.0], "label": [2.0, 2.0, np.nan, 2.5]})
    contract, reference = derive("m", table, Options.of({"task": "regression"}))
    assert reference.counts(PREDICTION)["all"][contract.column(PREDICTION).null] == 1
    row = reference.performance.to_columns().to_pylist()[0]
    sums = dict(zip(row["loss"], row["loss_sum"], strict=True))
    assert (row["n"], {name: sums[name] for name in ("error", "absolute", "square")}) == (
        2,
        {"error": 0.5, "absolute": 2.5, "square": 3.25},
    )
    assert reference.auc == {}
    assert contract.score_edges == ()


def test_rows_become_blocks() -> None:
    """Times are cut to microseconds, naive ones are UTC; infinity is invalid; numbers as categories have no decimals."""
    ticks = np.array([1_700_000_000_123_456_789, -1], "datetime64[ns]")
    table = pa.table(
        {"ts": ticks, "x": [np.inf, np.nan], "zone": [1.0, None], "prediction": [True, False], "label": ["1", None], "score": [0.5, np.inf]}
    )
    contract, _ = derive("m", table, options(segments="zone"))
    table = read_table(table, layout(table, options(segments="zone")).uses)
    block = predictions_of(table, contract)
    assert block.ts.tolist() == [1_700_000_000_123_456, -1]
    assert block.numbers[0][0] == np.inf
    assert np.isnan(block.numbers[0][1])
    assert [block.texts[0].texts[code] for code in block.texts[0].codes] == ["1", "null"]
    assert np.isnan(block.score[1])
    outcomes = outcomes_of(table, contract)
    assert len(outcomes) == 1
    assert isinstance(outcomes.label, Categories)
    assert outcomes.dimensions["zone"].texts[outcomes.dimensions["zone"].codes[0]] == "1"


def test_a_hundred_values_of_a_dimension_are_kept() -> None:
    """The top 100 by count, ties by name; the rest is `other`, null stays apart."""
    values = [f"v{i:03}" for i in range(150)] + ["v149"] * 5 + [None] * 4
    table = pa.table({"place": values, "prediction": [1] * len(values)})
    contract, reference = derive("m", table, options(segments="place"))
    kept = contract.dimensions[0].values
    assert kept == ("v149", *(f"v{i:03}" for i in range(99)))
    assert reference.rows["place=other"] == 50
    assert reference.rows["place=null"] == 4
    assert len(reference.segments) == 103


def test_a_file_without_truth_has_no_performance() -> None:
    """Features alone make a reference; @label then has the bins of the prediction."""
    contract, reference = derive("m", pa.table({"x": [1.0, 2.0], "prediction": ["1", "0"], "score": [0.9, 0.2]}), options())
    assert reference.auc == {}
    assert reference.performance.to_columns().num_rows == 0
    assert contract.column(LABEL).categories == ("0", "1")
    assert {0.2, 0.9} <= set(contract.score_edges[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"score": "p1"}, r"--score p1: there is no such column .*columns: prediction_id, ts"),
        ({"label-ts": "landed"}, r"--label-ts landed: there is no such column"),
        ({"proba_prefix": "prob_"}, r"--proba-prefix prob_: no column name begins with it"),
        ({"task": "regression", "interval": "low,high,0.8"}, r"--interval low: there is no such column"),
        ({"features": "amount,age"}, r"--features age: there is no such column .*amount"),
        ({"features": "label"}, r"--features label: that is a role column"),
        ({"features": "created"}, r"--features created: a column of type timestamp"),
        ({"segments": "origin"}, r"--segments origin: there is no such column"),
        ({"segments": "carrier,carrier*zone"}, r"'zone' is no segment"),
        ({"segments": "carrier,carrier*carrier"}, r"crosses a column with itself"),
        ({"protected": "sex"}, r"--protected sex: there is no such column"),
        ({"exclude": "sex"}, r"--exclude sex: there is no such column"),
        ({"positive": "yes"}, r"--positive yes: the classes of 'prediction' and 'label' are 0, 1"),
        ({"prediction": "zone"}, r"the classes of 'zone' and 'label' are 0, 1, 2, 3"),
        (
            {"task": "regression", "prediction": "carrier"},
            r"column 'carrier' of type dictionary.* cannot be read as a number .*--prediction",
        ),
        ({"task": "ranking"}, r"option `task` cannot be 'ranking'"),
        ({"threshold": "2"}, r"option `threshold` cannot be '2': the threshold lies between 0 and 1"),
        ({"earliest": "1800-01-01"}, r"1900-01-01 is the earliest"),
        ({"interval": "low"}, r"option `interval` cannot be 'low'"),
        ({"colour": "red"}, r"there is no option `colour`"),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, str], message: str) -> None:
    """The error says which option and column, and which columns there are."""
    with pytest.raises(ConfigError, match=message):
        derive("m", file(), options(**given))


def test_a_prediction_column_must_be_there() -> None:
    """Other role columns may be absent unless they are named."""
    with pytest.raises(ConfigError, match="--prediction prediction: there is no such column"):
        derive("m", pa.table({"x": [1.0]}), options())
    with pytest.raises(ConfigError, match="no rows"):
        derive("m", file().slice(0, 0), options())


def test_what_each_column_is_taken_for_is_told() -> None:
    """Roles, features and tags with their kinds, and of every other column why it is left out."""
    table = file(
        list=[["a"]] * ROWS, map=pa.array([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int64())), took=pa.array([1] * ROWS, pa.duration("s")),
        photo=[b"\xff"] * ROWS, code=[b"UA"] * ROWS, __index_level_0__=range(ROWS), pred_low=[0.5] * ROWS, **{"": range(ROWS)},
    )  # fmt: skip
    told = layout(table, options(exclude="vip,zone", segments="zone")).described()
    assert told["roles"] == {
        "id": ["prediction_id"], "ts": ["ts"], "label_ts": ["label_ts"], "prediction": ["prediction"], "label": ["label"], "score": ["score"],
    }  # fmt: skip
    kinds = {"amount": "numeric", "count": "numeric", "carrier": "categorical", "code": "categorical", "pred_low": "numeric"}
    assert {one["name"]: one["kind"] for one in told["features"]} == kinds
    assert told["tags"] == [{"name": "zone", "kind": "categorical"}]
    assert {one["name"]: one["reason"] for one in told["left_out"]} == {
        "created": "timestamp[ms]; write what it tells as a number or a text",
        "vip": "excluded",
        "list": "list<item: string>; write a column for each element",
        "map": "map<string, int64>; write a column for each key",
        "took": "duration[s]; write a number, such as seconds",
        "photo": "binary whose bytes are not UTF-8; write text",
        "__index_level_0__": "the index of a pandas DataFrame; write it as a column to watch it",
        "": "its name is empty; name it to watch it",
    }


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"prediction": [[1]] * ROWS}, r"column 'prediction' of type list<item: int64> cannot be read as a class.*--prediction"),
        ({"prediction": pa.nulls(ROWS, pa.int64())}, r"column 'prediction': all predictions are null"),
        ({"prediction": [float("nan")] * ROWS}, r"column 'prediction': all predictions are null"),
        ({"label": [{"a": 1}] * ROWS}, r"column 'label' of type struct<a: int64> cannot be read as a class.*--label"),
        ({"label": [T0.date()] * ROWS}, r"column 'label' of type date32\[day\] cannot be read as a class.*--label"),
        ({"label": [T0] * ROWS}, r"column 'label' of type timestamp\[us, tz=UTC\] cannot be read as a class"),
        ({"label": [b"\xff"] * ROWS}, r"column 'label' of type binary, row 0: b'\\xff' is not UTF-8"),
        ({"ts": [1_700_000_000_000_000_000] * ROWS}, r"column 'ts', row 0: 1700000000000000000 .*looks like nanoseconds"),
        ({"ts": [1_700_000_000] * ROWS}, r"column 'ts': every time lies before 1971-01-01T00:00:00Z"),
        ({"prediction_id": [0.5] * ROWS}, r"column 'prediction_id' of type double cannot be read as an id.*--id"),
        ({"score": ["high"] * ROWS}, r"column 'score' of type string cannot be read as a number.*--score"),
    ],
)
def test_a_role_that_cannot_be_read_is_refused(column: dict[str, Any], message: str) -> None:
    """With column, type or row, and what to do."""
    with pytest.raises(ConfigError, match=message):
        derive("m", file(**column), options())


def test_text_in_any_layout_gives_the_same_reference() -> None:
    """Labels, ids and categories as views, bytes or dictionaries are the texts that they spell."""
    plain = {"label": ["1", "0"] * (ROWS // 2), "carrier": ["UA", "DL"] * (ROWS // 2)}
    wanted = derive("m", file(**plain), options())[0]
    for kind in (pa.string_view(), pa.binary_view(), pa.large_binary(), pa.binary()):
        given = {name: pa.array(values, pa.string()).cast(kind) for name, values in plain.items()}
        assert derive("m", file(**given), options())[0] == wanted
        assert content(file(**given), options()) == content(file(**plain), options())


def test_a_float32_reference_has_the_bins_of_the_numbers_it_was_rounded_from() -> None:
    """JSON's 0.1 falls where the float32 of 0.1 does, in every bin and beyond neither tail; numbers that need no rounding keep their edges."""
    numbers = np.repeat([0.1, 0.2, 0.7, 2.5, 3.0], ROWS // 5)
    for kind in (np.float32, np.float16):
        column = derive("m", file(amount=numbers.astype(kind)), options())[0].column("amount")
        rounded = number_bins(column, numbers.astype(kind).astype(np.float64))
        np.testing.assert_array_equal(number_bins(column, numbers), rounded)
        assert len(set(rounded.tolist())) == 5
        assert {2.5, np.nextafter(2.5, np.inf), 3.0} <= set(column.edges)
        assert column.tails is not None
        assert column.tails[0] < 0.1
    for dtype, edges in ((np.float32, False), (np.float64, True)):
        found = derive("m", file(amount=numbers.astype(dtype)), options())[0].column("amount").edges
        assert ({0.1, 0.2, 0.7} <= set(found)) is edges


def test_options_have_their_defaults() -> None:
    """Lists are split at commas; a date is midnight in UTC."""
    given = options(features="a, b,a", earliest="2001-02-03", interval="low,high,0.9", threshold="0.25")
    assert given.features == ("a", "b")
    assert given.earliest == moment.parse("2001-02-03T00:00:00Z")
    assert given.interval == ("low", "high", 0.9)
    assert given.threshold == 0.25
    assert options() == Options(task=Task.BINARY)


def test_a_file_has_the_hash_that_the_first_version_made() -> None:
    """Roles and options that came since count only where they are given. The hash is the one that 0.1.0 stored of this file."""
    table = pa.Table.from_pandas(census.people(1_500, 1)[census.OLDEST_COLUMNS], preserve_index=False)
    given = {name: value if isinstance(value, str) else ",".join(value) for name, value in census.OLDEST_OPTIONS.items()}
    now, before = content(table, Options.of(given))
    assert now == "df6a32dfd88712bb3db9f4643df509381b89ef2d38a1fea988c5d8a1132353c6"
    more = [content(table, Options.of({**given, **one})) for one in ({"signals": "none"}, {"multivariate": "on"})]
    assert len({now, before, *(one for pair in more for one in pair)}) == 6
