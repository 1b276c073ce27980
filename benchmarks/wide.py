"""CPU seconds to evaluate a window of a wide model, from its panes: `python benchmarks/wide.py`.

1,000 numeric columns in 20 segments: `all` and 19 values. Panes are in memory, as a store answers them. Each measure is computed for every column and segment,
against the reference, with its interval. Calibration, which is done once a monitor, is measured apart.
"""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from material.measure import cost, one_core, options, profiled, progress, table

from core.baseline.reference import Reference
from core.block import Ints
from core.contract import PREDICTION, Contract, Task
from core.moment import DAY
from core.monitor import Monitor
from core.segment import Segments
from core.span import Spans
from core.window.tumbling import Tumbling
from detectors.summary.inputs import InputSummary
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.watched import fields, groupings_of, segments_of
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.reference.derive import derive, predictions_of
from monitors.reference.option import Options

COLUMNS, VALUES = 1_000, 19
REFERENCE, ROWS = 12, 4_000  # windows of the reference, and rows a window
MEASURES = ("drift.psi", "drift.js", "drift.ks", "quality.null_rate", "drift.tail_share")
START = 20_000 * DAY


class Held:
    """The panes of the model and of its reference, a slot a day (see `monitors.ports.Panes`)."""

    def __init__(self) -> None:
        self.tables: dict[str, pa.Table] = {}

    def slots(self, contract: Contract) -> tuple[Ints, Ints]:
        """Slots with predictions."""
        held = self.tables[contract.model].filter((pc.field("column") == PREDICTION) & (pc.field("segment") == "all")).sort_by("start")
        return held["start"].to_numpy(), held["n"].to_numpy()

    def inputs(self, contract: Contract, columns, names, groupings, length, span, version=None, phase=0) -> pa.Table:  # type: ignore[no-untyped-def] # noqa: ANN001
        """Input panes of a span, in the form that a store gives."""
        held = self.tables[contract.model]
        inside = (pc.field("start") >= span[0]) & (pc.field("start") < span[1])
        return held.filter(inside & pc.field("column").isin(list(columns))).select(["start", "column", "segment", *names])


def rows(windows: int, first: int, rng: np.random.Generator) -> pa.Table:
    """Rows of some days."""
    n = windows * ROWS
    ts = START + (first + np.arange(n) // ROWS) * DAY
    columns = {f"x{place}": pa.array(rng.normal(size=n)) for place in range(COLUMNS)}
    value = pa.array([f"value {place}" for place in rng.integers(0, VALUES, n)])
    return pa.table({"ts": pa.array(ts, pa.timestamp("us", "UTC")), **columns, "value": value, "prediction": pa.array(rng.normal(size=n))})


def panes(contract: Contract, given: pa.Table) -> pa.Table:
    """What a store answers."""
    held = InputSummary.of(contract, Segments(contract), predictions_of(given, contract)).to_columns()
    return held.rename_columns({"slot": "start"}).append_column("sum_bin", held["bin"])


def made() -> tuple[Model, Held]:
    """The model, and its panes."""
    rng, held = np.random.default_rng(1), Held()
    reference = rows(REFERENCE, 0, rng)
    features = tuple(f"x{place}" for place in range(COLUMNS))
    contract, summary = derive("m", reference, Options(task=Task.REGRESSION, features=features, segments=("value",), signals=("none",)))
    contract = msgspec.structs.replace(contract, pane=DAY)
    held.tables[contract.of_reference.model] = panes(contract, reference)
    held.tables[contract.model] = panes(contract, rows(1, REFERENCE, rng))
    return Model(contract, summary), held


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/wide.py --profile")
    parser.add_argument("--measure", action="append", help="only this one; may be repeated")
    parser.add_argument("--profile", action="store_true", help="print the functions that take most of the time")
    given = parser.parse_args()
    one_core()
    progress("panes")
    model, held = made()
    contract = model.contract
    evaluate = Evaluate(held, None, None, lambda _model, _version: contract)  # type: ignore[arg-type]
    window = Spans.of([(START + REFERENCE * DAY, START + (REFERENCE + 1) * DAY)])
    found = []
    for measure in given.measure or MEASURES:
        progress(measure)
        columns = tuple(column.name for column in contract.features)
        monitor = Monitor(
            name=measure,
            model="m",
            measure=measure,
            columns=columns,
            segments=("all", "value"),
            window=Tumbling(DAY),
            baseline=Reference(),
            min_samples=50,
        )
        segments = segments_of(monitor, model, ())
        scope = Scope(model, segments, groupings_of(monitor, contract), columns, None, fields(monitor, contract))
        with cost() as once:
            evaluate.calibration(monitor, model)
        with cost() as spent, profiled(wanted=given.profile):
            frame = evaluate(monitor, window, evaluate.reads(scope))
        found.append((measure, f"{frame.value.size:,}", f"{spent.cpu:.2f}", f"{1e6 * spent.cpu / frame.value.size:.0f}", f"{once.cpu:.1f}"))
    heads = ("measure", "readings", "CPU s", "CPU us/reading", "calibration, CPU s")
    table(f"A window of {COLUMNS:,} columns in {len(segments)} segments; one core; 2 s wanted", heads, found)


if __name__ == "__main__":
    main()
