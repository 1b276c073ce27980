"""CPU seconds of readings from the beginning of the year to each of its days: `python benchmarks/year_to_date.py`.

A year of hourly panes of 50 numeric columns in 20 segments (`all` and 19 values), in a store in this process: 8.7 million panes. They are read and composed for windows of several kinds. The days are those of New York.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from material.measure import cost, one_core, options, profiled, progress, table

from core import moment
from core.baseline.kind import Baseline
from core.baseline.previous import Previous
from core.baseline.reference import Reference
from core.baseline.rolling import Rolling
from core.calendar import Calendar, Unit
from core.contract import PREDICTION, Contract, Task
from core.moment import DAY, HOUR
from core.monitor import Monitor
from core.window.kind import Window
from core.window.period import Period
from core.window.to_date import ToDate
from detectors.summary.inputs import LAYOUT
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.plan import chunks, existing
from monitors.evaluation.watched import fields, groupings_of, most, segments_of
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.reference.derive import derive
from monitors.reference.option import Options
from storage.facts.chdb import Chdb
from storage.facts.migration import migrate
from storage.facts.panes import Panes
from storage.facts.writer import Writer

COLUMNS, VALUES = 50, 19
START, HOURS = moment.parse("2023-01-01T00:00:00Z"), 365 * 24
BINS = 5  # of a pane that have rows
TO_REACH = 5  # seconds
YORK = Calendar("America/New_York")
WINDOWS: tuple[tuple[Window, Baseline], ...] = (
    (ToDate(Unit.YEAR, YORK), Reference()),
    (ToDate(Unit.MONTH, YORK), Previous()),
    (Period(Unit.DAY, YORK), Reference()),
    (Period(Unit.DAY, YORK), Rolling(30 * DAY)),
)


def made() -> Model:
    """The model, with a reference without times."""
    rng = np.random.default_rng(1)
    n = 4_000
    columns = {f"x{place}": pa.array(rng.normal(size=n)) for place in range(COLUMNS)}
    value = pa.array([f"v{place}" for place in rng.integers(0, VALUES, n)])
    rows = pa.table({**columns, "value": value, "prediction": pa.array(rng.normal(size=n))})
    contract, summary = derive("m", rows, Options(task=Task.REGRESSION, features=tuple(columns), segments=("value",), signals=("none",)))
    return Model(msgspec.structs.replace(contract, pane=HOUR, facts=False), summary)


def panes(contract: Contract, column: str, rng: np.random.Generator) -> pa.Table:
    """A year of panes of a column."""
    segments = ["all", *(f"value=v{place}" for place in range(VALUES))]
    n = HOURS * len(segments)
    width = contract.column(column).bins
    offsets = np.arange(n + 1) * BINS
    bins = (rng.integers(0, width - BINS, n)[:, None] + np.arange(BINS)).ravel()
    counts = rng.integers(1, 4, n * BINS)
    rows = np.add.reduceat(counts, offsets[:-1])
    nothing = pa.array([[]] * n)
    held = {
        "slot": np.repeat(START + np.arange(HOURS) * HOUR, len(segments)),
        "segment": pa.array(segments * HOURS),
        "column": pa.array([column] * n),
        "version": pa.array(["1"] * n),
        "role": pa.array(["champion"] * n),
        "bin": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(bins)),
        "count": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(counts)),
        "sum": pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(rng.normal(size=n * BINS))),
        "n": rows,
        "measured": rows,
        **dict.fromkeys(("below", "above", "outside"), np.zeros(n, np.int64)),
        **dict.fromkeys(("square", "absolute", "low", "high"), rng.random(n)),
        **dict.fromkeys(("register", "rank", "term", "joint", "code"), nothing),
    }
    return pa.table({name: pa.chunked_array([held[name]]) for name in LAYOUT.schema.names}).cast(LAYOUT.schema)


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/year_to_date.py --profile")
    parser.add_argument("--profile", action="store_true", help="print the functions that take most of the time")
    given = parser.parse_args()
    one_core()
    model, rng = made(), np.random.default_rng(2)
    contract, found = model.contract, []
    columns = tuple(column.name for column in contract.features)
    with tempfile.TemporaryDirectory() as folder:
        engine = Chdb(Path(folder))
        migrate(engine)
        engine.command("SYSTEM STOP MERGES")  # they would be measured, too
        for column in (*columns, PREDICTION):
            progress(f"panes of {column}")
            Writer(engine).panes([(contract, panes(contract, column, rng))], None)
        store = Panes(engine)
        evaluate = Evaluate(store, None, None, lambda _model, _version: contract)  # type: ignore[arg-type]
        for window, baseline in WINDOWS:
            progress(window.text)
            monitor = Monitor(
                name="m",
                model="m",
                measure="drift.psi",
                columns=columns,
                segments=("all", "value"),
                window=window,
                baseline=baseline,
                min_samples=50,
            )
            with cost() as spent, profiled(wanted=given.profile):
                segments = segments_of(monitor, model, store.segments(contract))
                scope = Scope(model, segments, groupings_of(monitor, contract), columns, None, fields(monitor, contract))
                windows = existing(window, store.slots(contract)[0], START + HOURS * HOUR + DAY, live=False)
                frames = [evaluate(monitor, chunk, evaluate.reads(scope)) for chunk in chunks(windows, most(scope, window))]
            readings = sum(frame.value.size for frame in frames)
            found.append(
                (
                    f"{window.text}, {baseline.brief}",
                    f"{len(windows)}",
                    f"{readings:,}",
                    f"{spent.cpu:.2f}",
                    f"{spent.wall:.2f}",
                    f"{1e6 * spent.cpu / readings:.1f}",
                )
            )
        engine.close()
    table(
        f"A year of hourly panes of {COLUMNS} columns in {VALUES + 1} segments; one core",
        ("windows", "n", "readings", "CPU s", "s", "CPU us/reading"),
        found,
    )
    print(f"To reach: {TO_REACH} s for the year to date.")


if __name__ == "__main__":
    main()
