"""Which signals a contract has: those that its reference gives, or those that are declared; and rows of a file have the signals of their events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.block import Categories, Predictions
from core.contract import Contract, Kind
from core.error import ConfigError
from detectors.summary.bins import bins
from ingest.decode.prediction import decode_predictions
from monitors.definition.grammar import parse
from monitors.reference import arrow
from monitors.reference.derive import derive
from monitors.reference.option import Options
from monitors.reference.rows import predictions_of
from watchkeeper.replay.fit import uses
from watchkeeper.replay.recording import Recording

ROWS = 400
NOW = 1_700_000_000_000_000
FIELDS = {"latency": "ms", "status": "status", "caller": "who", "ensemble_prefix": "member_", "attribution_prefix": "why_"}


def file(task: str) -> pa.Table:
    """A file with every field, nulls and values that cannot be used among them."""
    draw = np.random.default_rng(5)

    def some(values: Any, *, bad: float = np.inf) -> list[Any]:
        chosen = draw.random(ROWS)
        return [None if which < 0.1 else bad if which < 0.15 else one for which, one in zip(chosen, values, strict=True)]

    columns: dict[str, Any] = {
        "prediction_id": [str(place) for place in range(ROWS)],
        "ts": pa.array(np.arange(ROWS) + 1_656_633_600_000_000, pa.timestamp("us", "UTC")),
        "x": some(draw.normal(0, 1, ROWS)),
        "place": draw.choice(["a", "b", "c"], ROWS),
        "ms": some(draw.lognormal(3, 1, ROWS), bad=-1.0),
        "status": draw.choice(["ok", "error", "late"], ROWS),
        "who": pa.array(draw.integers(0, 4, ROWS)),
        "why_x": some(draw.normal(0, 1, ROWS)),
        "why_nothing": some(draw.normal(0, 1, ROWS)),
    }
    if task == "regression":
        members = draw.normal(5, 1, (ROWS, 3))
        columns |= {"prediction": members.mean(axis=1), "pred_low": some(members.min(axis=1)), "pred_high": some(members.max(axis=1))}
    else:
        members = draw.random((ROWS, 3))
        columns["prediction"] = (members.mean(axis=1) > 0.5).astype(int)
        columns["score"] = some(members.mean(axis=1), bad=1.5)
        columns["set"] = pa.array([None if one < 0.1 else ["0", "1"][: int(one * 3)] for one in draw.random(ROWS)], pa.list_(pa.string()))
    return pa.table(columns | {f"member_{place}": some(members[:, place]) for place in range(3)})


def options(task: str, **more: Any) -> Options:
    """Every role that a task can have."""
    return Options.of(
        {"task": task, **FIELDS, **({} if task == "regression" else {"prediction_set": "set"}), "segments": "@status,place"} | more
    )


def values(contract: Contract, block: Predictions) -> dict[str, Any]:
    """The signals of a block by name."""
    numbers, texts = iter(block.numbers), iter(block.texts)
    held = {column.name: next(numbers) if column.numeric else next(texts) for column in contract.kept}
    return {column.name: held[column.name] for column in contract.signals}


def plain(held: Any) -> list[Any]:
    """A column as texts or numbers."""
    return [held.texts[code] for code in held.codes] if isinstance(held, Categories) else held.tolist()


SPLIT = ["@ensemble_total", "@ensemble_aleatoric", "@ensemble_epistemic"]
EVERY = {
    "binary": ["@confidence", "@entropy", "@margin", "@set_size", "@ensemble_mean", "@ensemble_std", *SPLIT],
    "regression": ["@interval_width", "@ensemble_mean", "@ensemble_std"],
}
SENT = ["@latency_ms", "@status", "@caller", "@outside", "@attribution:x"]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_reference_gives_the_signals_that_its_file_holds(task: str) -> None:
    """An attribution of what is no feature is none; role columns are no features; counts of the reference are those of its rows."""
    contract, reference = derive("m", file(task), options(task))
    assert [column.name for column in contract.signals] == EVERY[task] + SENT
    assert [column.name for column in contract.features] == ["x", "place"]
    assert contract.column("@status").categories == ("ok", "error")
    assert contract.dimensions[0].name == "@status"
    found = values(contract, predictions_of(_read(file(task), contract), contract))
    for name, held in found.items():
        column = contract.column(name)
        counts = np.bincount(bins(column, held), minlength=column.bins)
        np.testing.assert_array_equal(reference.counts(name)["all"], counts, err_msg=name)
    errors = np.array(plain(found["@status"])) == "error"
    assert reference.rows["@status=error"] == errors.sum()


def _read(table: pa.Table, contract: Contract) -> pa.Table:
    return arrow.read_table(table, uses(table.schema, contract, []))


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_rows_of_a_file_have_the_signals_of_the_events_that_replay_sends(task: str, tmp_path: Path) -> None:
    """To the last bit, whatever is null or cannot be used."""
    pq.write_table(file(task), tmp_path / "file.parquet")
    contract, _ = derive("m", file(task), options(task))
    (stretch,) = Recording(tmp_path / "file.parquet", contract).stretches()
    decoded = decode_predictions(stretch.predictions, "ndjson", {"m": contract}.get, NOW)
    assert decoded.rejects == []
    sent, known = (values(contract, block) for block in (decoded.blocks["m"][1], predictions_of(_read(file(task), contract), contract)))
    for name in known:
        np.testing.assert_array_equal(np.array(plain(sent[name])), np.array(plain(known[name])), err_msg=name)
        assert len(set(map(str, plain(known[name])))) > 1 or name == "@outside", name


def test_signals_can_be_chosen() -> None:
    """By name, with @ or without; `none` keeps none; those to segment by stay; one that the file does not give is refused."""
    table = file("binary")
    assert [one.name for one in derive("m", table, options("binary", segments="", signals="outside,@confidence"))[0].signals] == [
        "@confidence",
        "@outside",
    ]
    assert derive("m", table, options("binary", segments="", signals="none"))[0].signals == ()
    assert [one.name for one in derive("m", table, options("binary", signals="none"))[0].signals] == ["@status"]
    with pytest.raises(ConfigError, match="--signals @interval_width"):
        derive("m", table, options("binary", signals="interval_width"))
    with pytest.raises(ConfigError, match="--segments @caller"):
        derive("m", table, Options.of({"task": "binary", "segments": "@caller"}))


def declared(signals: str, task: str = "binary, scored: true", more: str = "") -> Contract:
    """A contract that is declared with signals."""
    column = "{name: age, kind: numeric, range: [0, 9]}"
    (contract,) = parse(
        f"- {{contract: m, task: {task}, columns: [{column}], signals: {signals}{more}}}", contract=lambda _: None
    ).contracts
    return contract


def test_signals_are_declared_by_name() -> None:
    """With bins of their own where they have such, else with those that are written; categorical ones can be segmented on."""
    contract = declared('[confidence, "@latency_ms", status, outside, {name: caller, categories: [web]}]', more=', segments: ["@status"]')
    assert [(one.name, one.kind) for one in contract.signals] == [
        ("@confidence", Kind.NUMERIC),
        ("@latency_ms", Kind.NUMERIC),
        ("@status", Kind.CATEGORICAL),
        ("@outside", Kind.NUMERIC),
        ("@caller", Kind.CATEGORICAL),
    ]
    assert contract.column("@confidence").edges == pytest.approx([0.5 + place / 100 for place in range(1, 50)])
    assert [one.name for one in contract.dimensions] == ["@status"]
    written = declared(
        '[{name: "attribution:age", range: [-1, 1]}, {name: interval_width, edges: [1, 2]}]', "regression, prediction: {range: [0, 9]}"
    )
    assert [(one.name, len(one.edges)) for one in written.signals] == [("@attribution:age", 49), ("@interval_width", 2)]


@pytest.mark.parametrize(
    ("signals", "task", "why"),
    [
        ("confidence", "binary", "is no list"),
        ("[certainty]", "binary", "@certainty"),
        ("[confidence]", "binary", "made of scores"),
        ("[interval_width]", "binary", "not for binary models"),
        ("[interval_width]", "regression, prediction: {range: [0, 9]}", "write one of `range` and `edges`"),
        ("[caller]", "binary", "`categories` is no list"),
        ("[{name: latency_ms, range: [0, 9]}]", "binary", "always the same"),
        ('["attribution:height"]', "binary", "height"),
        ("[status, status]", "binary", "is listed twice"),
        ("[{name: caller, edges: [1]}]", "binary", "`edges` is not for"),
    ],
)
def test_what_cannot_be_declared_is_told(signals: str, task: str, why: str) -> None:
    """By name, with what is allowed."""
    with pytest.raises(ConfigError, match=why):
        declared(signals, task)
