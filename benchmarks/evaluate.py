"""Readings a second when a new monitor evaluates a year of history, on one core: `python benchmarks/evaluate.py`.

The history is the year of flights of the demo: by hour, 16 carriers, 3 origins. Each monitor is evaluated as after `watchkeeper apply`: panes
are read, windows composed and judged, readings compared with those that are there, and written.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from material.against import against
from material.measure import cost, one_core, options, profiled, progress, table

from core import moment
from core.baseline import reference
from core.baseline.previous import Previous
from core.monitor import Monitor
from core.principal import LOCAL
from core.window.tumbling import Tumbling
from ingest.decode.label import decode_labels
from ingest.decode.prediction import decode_predictions
from monitors.model import Model
from monitors.ownership.owner import Owner
from monitors.ports import Committed
from monitors.reference.derive import ReferenceSummary
from watchkeeper import wiring
from watchkeeper.change.reference import ReferenceFile
from watchkeeper.demo import flights
from watchkeeper.embedded import Embedded
from watchkeeper.replay.recording import Recording
from watchkeeper.services import Services
from watchkeeper.settings.settings import Settings

MODEL = "flight-delay"
SEGMENTS = ("all", "carrier", "origin")
MONITORS = (
    Monitor(name="psi", model=MODEL, measure="drift.psi", segments=SEGMENTS, window=Tumbling(moment.DAY), baseline=reference.Reference()),
    Monitor(
        name="psi-alerts",
        model=MODEL,
        measure="drift.psi",
        segments=SEGMENTS,
        window=Tumbling(moment.DAY),
        baseline=reference.Reference(),
        warn=0.5,
        critical=1.0,
    ),
    Monitor(name="js", model=MODEL, measure="drift.js", segments=SEGMENTS, window=Tumbling(moment.DAY), baseline=Previous()),
    Monitor(name="nulls", model=MODEL, measure="quality.null_rate", segments=SEGMENTS, window=Tumbling(moment.DAY)),
    Monitor(
        name="accuracy",
        model=MODEL,
        measure="performance.accuracy",
        segments=SEGMENTS,
        window=Tumbling(moment.DAY),
        baseline=reference.Reference(),
    ),
    Monitor(
        name="auc",
        model=MODEL,
        measure="performance.roc_auc",
        segments=SEGMENTS,
        window=Tumbling(moment.DAY),
        baseline=reference.Reference(),
    ),
)
LEAST, WANTED = 5_000, 40_000  # readings a second


def history(spine: Embedded, pair: flights.Pair) -> Model:
    """The year in the stores; what evaluation knows of its model."""
    options = {"task": pair.task, "segments": ",".join(flights.SEGMENTS)}
    given = ReferenceFile(model=pair.model, parquet=pair.reference.read_bytes(), options=options)
    Services(spine).do(LOCAL, "reference", given)
    contract = spine.stores.control.contract(pair.model)
    if contract is None:
        raise SystemExit("the reference was not kept")
    for consumer in spine.consumers.values():
        consumer.start()
    now, known = spine.clock.now(), {contract.model: contract}.get
    for stretch in Recording(pair.stream, contract).stretches(10_000):
        for body in filter(None, [stretch.predictions]):
            spine.log.append("predictions", "ndjson", body, now, decode_predictions(body, "ndjson", known, now)).result()
        for body in stretch.labels:
            spine.log.append("labels", "ndjson", body, now, decode_labels(body, "ndjson", known, now)).result()
    while any(consumer.written < spine.log.end(topic) for topic, consumer in spine.consumers.items()):
        time.sleep(0.02)
    kept = spine.stores.control.reference(contract.model, contract.version)
    return Model(contract, ReferenceSummary.from_bytes(kept) if kept else None)


def owner(spine: Embedded) -> Owner:
    """Who watches the model."""
    return wiring.owners(spine.settings, spine.stores, spine.clock)(MODEL)


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/evaluate.py --profile")
    parser.add_argument("--profile", action="store_true", help="print the functions that take most of the time")
    parser.add_argument("--against", type=Path, metavar="PATH", help="run another checkout's benchmark too, and print the ratios")
    given = parser.parse_args()
    if given.against:
        against(Path(__file__).resolve(), given.against, [])
        return
    one_core()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "watchkeeper" / "flights"
    pair, _ = flights.make(cache, progress)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        spine = Embedded(Settings(data=Path(folder)))
        try:
            progress("a year of flights on its way to the stores")
            with cost() as loaded:
                model = history(spine, pair)
            watching = owner(spine)
            progress("truth and reconciliation")
            found = spine.stores.batches.progress(spine.clock.now())[MODEL]
            committed = Committed(found.predictions, found.labels, found.watermark, found.logged, found.frozen)
            with cost() as joined:
                watching.step(model, [], committed, silent=True)
            for monitor in MONITORS:
                progress(f"{monitor.measure} ({monitor.name})")
                before = watching.counts.readings
                with cost() as spent, profiled(wanted=given.profile):
                    watching.step(model, [monitor], committed, silent=True)
                made = watching.counts.readings - before
                rate = made / spent.wall
                rows.append(
                    (
                        f"{monitor.measure} ({monitor.name})",
                        f"{made:,}",
                        f"{spent.wall:.2f}",
                        f"{rate:,.0f}",
                        f"{1e6 * spent.cpu / made:.1f}",
                        f"{rate / LEAST:.1f}",
                    )
                )
            if watching.counts.failed:
                raise SystemExit(f"not evaluated: {watching.counts.failed}")
        finally:
            for consumer in spine.consumers.values():
                consumer.stop()
            spine.log.close()
            spine.stores.close()
    heads = ("monitor", "readings", "s", "readings/s", "CPU us/reading", f"x {LEAST:,}")
    table(f"A year of {MODEL} by day, carrier and origin; one core", heads, rows)
    print(f"Before: the year's predictions and labels to the stores {loaded.wall:.1f} s, truth and reconciliation {joined.wall:.1f} s.")
    print(f"To reach: at least {LEAST:,} readings/s, {WANTED:,} wanted.")


if __name__ == "__main__":
    main()
