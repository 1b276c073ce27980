"""Errors of a regression estimated from raw rows and from the rows that are kept of the reference: from facts to readings, as a batch job has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import moment
from core.baseline.reference import Reference
from core.clock import SystemClock
from core.contract import Contract
from core.monitor import Monitor
from core.principal import LOCAL
from core.reading import Reading
from core.segment import Segments
from core.window.tumbling import Tumbling
from detectors.summary.inputs import InputSummary
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.watched import scope_of
from monitors.model import Model
from monitors.reference.derive import ReferenceSummary
from monitors.reference.facts import _labels
from monitors.reference.rows import predictions_of
from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper.change.reference import ReferenceFile
from watchkeeper.command import do
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

START, DAYS = 19_800 * moment.DAY, 4
OPTIONS: dict[str, Any] = {"task": "regression", "segments": "c"}
SEGMENTS = ("all", "c=a", "c=b", "c=other")
PARAMS = {"earlier": 2}


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """Facts in this process."""
    found = Stores(Settings(data=tmp_path), SystemClock())
    found.migrate()
    yield found
    found.close()


def frame(rows: int, seed: int, *, first: int, days: int, factor: float = 1.0) -> pd.DataFrame:
    """Rows whose errors depend on a number and a text; some values are null, invalid or new, some rows have no label."""
    rng = np.random.default_rng(seed)
    x, c = rng.normal(size=rows), rng.choice(["a", "b"], rows, p=[0.7, 0.3])
    error = rng.normal(size=rows) * np.exp(x / 2) * np.where(c == "a", 1.0, 3.0) * factor
    prediction = 10 * x + rng.normal(size=rows)
    ts = np.sort(START + first * moment.DAY + rng.integers(0, days * moment.DAY, rows))
    found = pd.DataFrame({"ts": pd.to_datetime(ts, unit="us", utc=True), "x": x, "c": c, "prediction": prediction})
    found["label"] = np.where(rng.random(rows) < 0.2, np.nan, prediction - error)
    found.loc[rng.random(rows) < 0.05, "x"] = np.nan
    found["prediction_id"] = [f"{seed}-{row}" for row in range(rows)]
    found["label_ts"] = found["ts"]
    return found


def give(stores: Stores, reference: pd.DataFrame) -> Model:
    """The model of a reference."""
    sink = BytesIO()
    pq.write_table(pa.Table.from_pandas(reference.drop(columns=["prediction_id", "label_ts"]), preserve_index=False), sink)
    do(stores, LOCAL, "reference", ReferenceFile(model="price", parquet=sink.getvalue(), options=OPTIONS))
    contract = stores.control.contract("price")
    assert contract is not None
    held = stores.control.reference("price", contract.version)
    assert held is not None
    return Model(contract, ReferenceSummary.from_bytes(held))


def write(stores: Stores, contract: Contract, stream: pd.DataFrame) -> None:
    """The facts of a stream."""
    table = pa.Table.from_pandas(stream, preserve_index=False)
    index = table.schema.get_field_index("ts")
    table = table.set_column(index, "ts", table["ts"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
    block, places = predictions_of(table, contract), np.arange(len(stream))
    block = replace(block, id=stream["prediction_id"].to_numpy(object), position=places, logged=places + START)
    stores.writer.predictions([(contract, block)], 0, None)
    stores.writer.labels({contract.model: _labels(table, contract, block, places)}, 0, None)
    every = {0: (0, len(stream))}
    stores.outcomes.join(contract.model, every, every, 1)
    stores.writer.panes([(contract, InputSummary.of(contract, Segments(contract), block).to_columns())], None)


def readings(stores: Stores, model: Model, name: str) -> list[Reading]:
    """Those of each day, each window for itself, as in the background."""
    monitor = Monitor(
        name="w",
        model="price",
        measure=f"performance.estimated_{name}",
        segments=("all", "c"),
        window=Tumbling(moment.DAY),
        baseline=Reference(),
        min_samples=1,
        warn=0.5,
        params={"outside": 0.05, "tolerance": 0.1, **PARAMS},
    )
    evaluate, found = Evaluate(stores.panes, stores.raw, stores.stream, stores.control.contract_version), list[Reading]()
    windows = monitor.window.between(START + 10 * moment.DAY, START + (10 + DAYS - 1) * moment.DAY)
    for index in range(len(windows)):
        made = evaluate(monitor, windows.take(slice(index, index + 1)), evaluate.reads(scope_of(monitor, model, SEGMENTS)))
        found.extend(made.readings(made.every, np.ones(made.value.shape, np.int64)))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_readings_are_those_of_a_batch_job(stores: Stores, name: str) -> None:
    """Values, intervals, verdicts and baselines, for all and by segment; the last days have larger errors, and rows where the reference has none."""
    reference, later = frame(1_500, 1, first=0, days=5), frame(500, 3, first=12, days=2, factor=2.0)
    later.loc[later.index[:200], "c"] = "new"
    stream = pd.concat([frame(500, 2, first=10, days=2), later], ignore_index=True)
    model = give(stores, reference)
    write(stores, model.contract, stream)
    found = readings(stores, model, name)
    monitor = {
        "monitor": "w", "measure": f"performance.estimated_{name}", "segments": ["all", "c"], "baseline": "reference", "min_samples": 1,
        "warn": 0.5, "params": PARAMS,
    }  # fmt: skip
    spec = Spec(monitors=[monitor], task="regression", segments=["c"])
    wanted: dict[Any, Any] = {(row.window_start, row.segment): row for row in expected(reference, stream, spec).itertuples()}
    there: dict[Any, Any] = {(one.window_start, one.segment): one for one in found}
    assert len(wanted) >= 3 * DAYS
    for key, row in wanted.items():
        one = there[key]
        assert one.verdict == row.verdict, (key, one.reason)
        assert one.n_target == row.n_target
        for field in ("value", "lower", "upper", "baseline_value"):
            ours, theirs = (np.nan if held is None else float(held) for held in (getattr(one, field), getattr(row, field)))
            assert ours == pytest.approx(theirs, rel=1e-9, nan_ok=True), (key, field)
    verdicts = [there[START + day * moment.DAY, "all"].verdict for day in range(10, 10 + DAYS)]
    assert verdicts[0] == "ok"
    assert verdicts[2:] == ["assumptions_broken"] * 2
    assert str(there[START + 12 * moment.DAY, "all"].reason).startswith("features of ")
    broken = there[START + 13 * moment.DAY, "all"]
    assert str(broken.reason).startswith("assumptions broken: labels of ")
    assert broken.evidence["realised"] > broken.value
    assert broken.evidence["reference_rows"] == int(reference["label"].notna().sum())
