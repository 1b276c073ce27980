"""CPU of the evaluation of performance, estimates, fairness and uncertainty for one window of a day of 10 million outcomes, on one core: `python benchmarks/assurance.py`.

The model is binary, with 20 regions as segments and three protected attributes, panes of an hour. Panes are made of rows that are drawn here, and written into a fact store in this process, input panes a
batch of 250,000 rows at a time: what is measured is the store's queries, reading evidence from what they answer, the measures, verdicts and evidence of every reading. The first time monitors are
calibrated and calibrators fitted, too, which is done once for a contract; the second time is that of every later window.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pyarrow as pa
from material.measure import cost, one_core, options, progress, table

from core import moment
from core.baseline.reference import Reference
from core.block import Ints
from core.contract import PREDICTION, Contract
from core.measure import Family, Subject
from core.monitor import Monitor
from core.segment import ALL, Segments
from core.window.tumbling import Tumbling
from detectors import catalogue
from detectors.summary.inputs import InputSummary
from detectors.summary.performance import PerformanceSummary
from monitors.evaluation import plan
from monitors.evaluation.evaluate import Evaluate
from monitors.evaluation.watched import fields, groupings_of, read_columns
from monitors.evidence.reads import Scope
from monitors.model import Model
from monitors.reference import arrow
from monitors.reference.derive import derive
from monitors.reference.layout import layout
from monitors.reference.option import Options
from monitors.reference.rows import outcomes_of, predictions_of
from storage.facts.chdb import Chdb
from storage.facts.migration import migrate
from storage.facts.panes import Panes
from storage.facts.writer import Writer
from validation.replay import Stores

REGIONS, PROTECTED = 20, {"sex": 2, "age_band": 5, "origin": 4}
FAMILIES = (Family.PERFORMANCE, Family.FAIRNESS, Family.UNCERTAINTY)
WANTED = 2.0  # seconds of CPU
DAY = 20_000 * moment.DAY
_CHUNK = 250_000
_OTHERS = {
    "fairness.conditional_demographic_disparity",
    "performance.delay_corrected",
    "uncertainty.adaptive_coverage",
    "uncertainty.set_coverage",
    "uncertainty.set_size",
    "uncertainty.ensemble_variance",
}  # and of ensembles, or of a cross, which the rows do not have; labels to come are corrected for by the rows themselves, of 500,000 at most
_PARAMS: dict[str, dict[str, Any]] = {"performance.value": {"fp": 5, "fn": 20}}  # of measures that need some
_OPTIONS = Options.of({"task": "binary", "features": ["amount", "age"], "segments": ["region"], "protected": [*PROTECTED]})


class Day(Stores):
    """The panes of a day, in memory and in a fact store."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer, self._batches = writer, 0

    def add(self, contract: Contract, rows: pa.Table) -> None:
        """Add the panes of some rows. Those of performance are written by `close`: an owner writes them whole."""
        segments = Segments(contract)
        inputs = InputSummary.of(contract, segments, predictions_of(rows, contract))
        self._batches += 1
        self._writer.panes([(contract, inputs.to_columns())], f"batch-{self._batches}")
        performance = PerformanceSummary.of(contract, segments, outcomes_of(rows, contract))
        if (name := contract.model) in self._inputs:
            inputs = InputSummary.from_columns(self._inputs[name]).merge(inputs)
            performance = PerformanceSummary.from_columns(self._performance[name]).merge(performance)
        self._inputs[name], self._performance[name] = inputs.to_columns(), performance.to_columns()

    def close(self, contract: Contract) -> None:
        """Write the panes of performance."""
        self._writer.performance_panes(contract, self._performance[contract.model], 1)

    def sizes(self, contract: Contract) -> dict[str, int]:
        """Bytes of the panes that these families read, and the rows of the tables."""
        inputs, performance = self._inputs[contract.model], self._performance[contract.model]
        own = inputs.filter(
            pa.compute.is_in(inputs["column"].cast(pa.string()), pa.array([PREDICTION, "@confidence", "@entropy", "@margin"]))
        )
        return {
            "performance panes": performance.nbytes,
            "input panes of prediction and signals": own.nbytes,
            "all input panes": inputs.nbytes,
        }


def drawn(rng: np.random.Generator, first: int, rows: int) -> pa.Table:
    """Rows of the day, with labels an hour later."""
    score = rng.beta(2, 3, rows)
    ts = DAY + rng.integers(0, moment.DAY, rows)
    columns: dict[str, Any] = {
        "prediction_id": np.arange(first, first + rows).astype(str),
        "ts": pa.array(ts, pa.timestamp("us", "UTC")),
        "label_ts": pa.array(ts + moment.HOUR, pa.timestamp("us", "UTC")),
        "amount": rng.lognormal(size=rows),
        "age": rng.normal(40, 10, rows),
        "region": _texts(rng, "region", REGIONS, rows),
        **{name: _texts(rng, name, values, rows) for name, values in PROTECTED.items()},
        "prediction": (score > 0.5).astype(np.int64),
        "score": score,
        "label": (rng.random(rows) < score).astype(np.int64),
    }
    return pa.table(columns)


def _texts(rng: np.random.Generator, name: str, values: int, rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(rng.integers(0, values, rows), pa.int32()), [f"{name}-{place}" for place in range(values)]
    ).cast(pa.string())


def monitors(contract: Contract) -> Iterator[Monitor]:
    """One of every measure of the families that suits the model."""
    for about in catalogue.MEASURES.values():
        if about.family not in FAMILIES or not about.fits(contract) or about.name in _OTHERS:
            continue
        spec, of_groups = catalogue.spec(about.name), about.subject.protected
        params = msgspec.to_builtins(spec.settle(msgspec.convert(_PARAMS.get(about.name, {}), spec.params), contract))
        yield Monitor(
            name=about.name,
            model=contract.model,
            measure=about.name,
            params={name: value for name, value in params.items() if value is not None},
            columns=tuple(PROTECTED) if of_groups else (),
            segments=(ALL,) if of_groups else (ALL, "region"),
            window=Tumbling(moment.DAY),
            baseline=None if about.subject is Subject.GROUP else Reference(),
        )


def _evaluated(evaluate: Evaluate, model: Model, slots: Ints) -> dict[str, list[float]]:
    """Seconds of CPU of each monitor, by family. What is read is shared by all monitors of the same segments, as in a step of an owner; the query counts for the first of them."""
    contract, spent = model.contract, dict[str, list[float]]()
    windows = plan.existing(Tumbling(moment.DAY), slots, 1 << 62, live=False)
    for segments in ((ALL, *(f"region=region-{place}" for place in range(REGIONS))), (ALL,)):
        alike = [one for one in monitors(contract) if (len(one.segments) > 1) is (len(segments) > 1)]
        groupings, columns = (
            tuple(dict.fromkeys(name for one in alike for name in of(one, contract))) for of in (groupings_of, read_columns)
        )
        wanted = reduce(or_, (fields(one, contract) for one in alike))
        reads = evaluate.reads(Scope(model, segments, groupings, columns, None, wanted))
        for monitor in alike:
            with cost() as taken:
                frame = evaluate(monitor, windows, reads)
                every = np.ones(frame.value.shape, np.bool_)
                readings = list(frame.readings(every, every.astype(np.int64)))
            family = "estimates" if ".estimated_" in monitor.measure else monitor.measure.partition(".")[0]
            spent.setdefault(family, []).append(taken.cpu)
            if not any(one.value is not None for one in readings):
                raise SystemExit(f"{monitor.measure} has no value: {readings[0].reason}")
    return spent


def main() -> None:
    """Make the panes, evaluate, and print CPU by family and what panes take an event."""
    parser = options(__doc__ or "", "python benchmarks/assurance.py --rows 1000000")
    parser.add_argument("--rows", type=int, default=10_000_000, help="outcomes of the day")
    rows = parser.parse_args().rows
    one_core()
    rng = np.random.default_rng(1)
    before = drawn(rng, 0, 100_000)
    contract, summary = derive("loans", before, _OPTIONS)
    uses = layout(before, _OPTIONS).uses
    with tempfile.TemporaryDirectory() as folder, closing(Chdb(Path(folder))) as engine:
        migrate(engine)
        stores, panes = Day(Writer(engine)), Panes(engine)
        stores.add(contract.of_reference, arrow.read_table(before, uses))
        stores.close(contract.of_reference)
        with cost() as making:
            for first in range(0, rows, _CHUNK):
                progress(f"{first:,} of {rows:,} rows")
                stores.add(contract, arrow.read_table(drawn(rng, first, min(_CHUNK, rows - first)), uses))
            stores.close(contract)
        nothing = cast("Any", None)
        evaluate = Evaluate(panes, cast("Any", stores), nothing, cast("Any", lambda _model, _version: contract))
        first, again = (_evaluated(evaluate, Model(contract, summary), panes.slots(contract)[0]) for _ in range(2))
    total = sum(sum(one) for one in again.values())
    found = [
        (family, str(len(one)), f"{sum(first[family]):.2f} s", f"{sum(one):.2f} s", f"{max(one):.2f} s") for family, one in again.items()
    ]
    within = f"{WANTED:g} s at most: {'yes' if total <= WANTED else 'NO'}"
    found.append(("all", str(sum(map(len, again.values()))), f"{sum(map(sum, first.values())):.2f} s", f"{total:.2f} s", within))
    table(
        f"One window of a day of {rows:,} outcomes, {REGIONS} segments, {len(PROTECTED)} protected attributes",
        ("family", "measures", "with calibration", "CPU", "largest"),
        found,
    )
    sizes = [(name, f"{size:,}", f"{size / rows:.3f}") for name, size in stores.sizes(contract).items()]
    table("Panes, in memory", ("of", "bytes", "bytes an event"), sizes)
    print(f"Making the panes and writing them took {making.cpu / rows * 1e6:.2f} µs of CPU an event, drawing the rows included.")


if __name__ == "__main__":
    main()
