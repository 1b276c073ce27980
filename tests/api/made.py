"""A model whose reference and stream are made, with its facts in stores of this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from core.block import Categories, Labels
from core.clock import ManualClock
from core.contract import Contract
from core.moment import DAY, HOUR
from core.segment import Segments
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.reference import arrow
from monitors.reference.layout import layout
from monitors.reference.option import Options
from monitors.reference.rows import classes_of, outcomes_of, predictions_of
from watchkeeper.change.context import Context
from watchkeeper.change.reference import take_reference
from watchkeeper.settings.settings import Settings
from watchkeeper.stores import Stores

MODEL = "made"
DAYS = 20_000 * DAY  # the first day of the reference; the stream begins ten days later
WINDOW = (DAYS + 13 * DAY, DAYS + 14 * DAY)  # the day on which something breaks
OPTIONS = Options.of({"task": "binary", "segments": "carrier,origin"})
_SPAN = {"reference": (DAYS, 10), "stream": (DAYS + 10 * DAY, 4)}


def made(stores: Stores, rows: int = 12_000, *, crossed: bool = False, protected: bool = False) -> Contract:
    """The model, its reference and its stream; on the day of `WINDOW` one carrier from one origin has no temperatures, and errors.

    `crossed`: panes hold both dimensions together. `protected`: the carrier is an attribute.
    """
    options = OPTIONS
    if crossed:
        options = Options.of({"task": "binary", "segments": "carrier,origin,carrier*origin"})
    if protected:
        options = Options.of({"task": "binary", "segments": "origin", "protected": "carrier"})
    rng = np.random.default_rng(1)
    take_reference(Context(stores, "test"), MODEL, table(rng, rows, "reference"), options)
    contract = stores.control.contract(MODEL)
    assert contract is not None
    write(stores, contract, table(rng, rows, "stream"), options)
    return contract


def stores_in(folder: Path) -> Stores:
    """Stores of a data folder, migrated."""
    stores = Stores(Settings(data=folder), ManualClock(1))
    stores.migrate()
    return stores


def table(rng: np.random.Generator, rows: int, part: str) -> pa.Table:
    """The rows of a file: of the reference or of the stream."""
    start, days = _SPAN[part]
    ts = np.sort(rng.integers(0, days * DAY, rows)) + start
    carrier, origin = rng.choice(5, rows, p=[0.35, 0.25, 0.2, 0.1, 0.1]), rng.integers(0, 3, rows)
    hit = (carrier == 1) & (origin == 0) & (ts >= WINDOW[0])
    wind = rng.gamma(2.0, 4.0, rows)
    wrong = rng.random(rows) < np.where(hit, 0.7, 0.1 + 0.005 * np.minimum(wind, 25))
    temp = np.where((rng.random(rows) < 0.002) | (hit & (rng.random(rows) < 0.8)), np.nan, rng.normal(10, 8, rows))
    label = rng.integers(0, 2, rows)
    said = np.where(wrong, 1 - label, label)
    return pa.table(
        {
            "prediction_id": [f"{part}{row}" for row in range(rows)],
            "ts": pa.array(ts, pa.timestamp("us", "UTC")),
            "carrier": np.array(["AA", "UA", "DL", "B6", "EV"])[carrier],
            "origin": np.array(["EWR", "JFK", "LGA"])[origin],
            "temp": temp,
            "wind": wind,
            "prediction": said,
            "score": np.where(said == 1, 0.6 + 0.3 * rng.random(rows), 0.4 * rng.random(rows)),
            "label": label,
        }
    )


def write(stores: Stores, contract: Contract, rows: pa.Table, options: Options) -> None:
    """Write the events, labels, outcomes and panes of a table, as ingest and the owner do."""
    read = arrow.read_table(rows, layout(rows, options).uses)
    version = Categories(np.zeros(rows.num_rows, np.int32), ["1"])
    block, outcomes = predictions_of(read, contract), outcomes_of(read, contract)
    block = replace(block, version=version, position=np.arange(1, rows.num_rows + 1))
    stores.writer.predictions([(contract, block)], 0, None)
    stores.writer.labels({contract.model: _labels(read, contract, block.id, block.ts)}, 0, None)
    every = {0: (0, rows.num_rows + 1)}
    stores.outcomes.join(contract.model, every, every, 1)
    segments = Segments(contract)
    outcomes = replace(outcomes, version=version)
    stores.writer.performance_panes(contract, PerformanceSummary.of(contract, segments, outcomes).to_columns(), 1)
    stores.writer.panes([(contract, InputSummary.of(contract, segments, block).to_columns())], None)


def _labels(table: pa.Table, contract: Contract, ids: Any, ts: Any) -> Labels:
    values = classes_of(table, "label", contract)
    assert isinstance(values, Categories)
    rows = len(ids)
    text = np.asarray(values.texts, np.object_)[values.codes]
    ones = np.ones(rows)
    nothing = np.zeros(rows, np.int64)
    return Labels(ids, ts + HOUR, text, np.full(rows, np.nan), ones, np.zeros(rows, np.bool_), ts, np.arange(1, rows + 1), nothing, nothing)
