"""Events a second from JSON to columns, to panes, and to durable raw events and panes, on one core: `python benchmarks/pipeline.py`.

The full way is that of the embedded server without HTTP: decode, append to the log on the disk, first-seen check, panes, inserts into chDB, commit.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path

from material.against import against
from material.measure import Cost, cost, least, one_core, options, profiled, progress, table
from material.stream import MODEL, bodies, contract

from core import moment
from core.contract import Contract
from ingest.consumer import Consumer, Limits
from ingest.decode.prediction import decode_predictions
from ingest.decoding import Decode
from ingest.embedded_log import EmbeddedLog
from ingest.first_seen import FirstSeen
from ingest.record import Batch, Events, LogRecord
from ingest.summarise import Summarise
from storage.facts.chdb import Chdb
from storage.facts.migration import migrate
from storage.facts.raw import Raw
from storage.facts.writer import Writer
from watchkeeper.settings.settings import Settings

START = 1_700_000_000_000_000
NOW = START + 400 * moment.DAY
AHEAD = 4  # requests under way
STREAMS = (("two hours, live", 100_000, 2 * moment.HOUR), ("a year, replayed", 20_000, 365 * moment.DAY))
HEADS = ("", "events/s", "CPU us/event", "x decode", "wall us/event")


class Way:
    """The embedded way of an event in a folder: log, consumer and store."""

    def __init__(self, folder: Path, known: Contract) -> None:
        self._contracts = {known.model: known}.get
        self._batch = Settings().ingest.batch
        self.engine = Chdb(folder / "facts")
        migrate(self.engine)
        self.log = EmbeddedLog(folder / "log.sqlite")
        self.writer, self.raw = Writer(self.engine), Raw(self.engine)
        limits = Limits(bytes=self._batch.bytes, seconds=self._batch.wait_ms / 1_000)
        self.consumer = Consumer(self.log, self.writer, self.raw, self._contracts, "predictions", limits=limits)
        self.consumer.start()

    def decode(self, some: Iterable[bytes]) -> None:
        """Decode only."""
        for body in some:
            decode_predictions(body, "ndjson", self._contracts, NOW)

    def panes(self, some: Sequence[bytes]) -> Events:
        """Decode, keep the first of each id, summarise: what ingest does to one batch."""
        decode, first, summarise = Decode(self._contracts), FirstSeen(self.raw, 1, 1, lambda: 1), Summarise()
        records = [
            LogRecord(place, NOW, "ndjson", body, decode_predictions(body, "ndjson", self._contracts, NOW))
            for place, body in enumerate(some, 1)
        ]
        return summarise(first(decode(Batch("predictions", 1, 1, len(records), records))))

    def durable(self, some: Iterable[bytes]) -> None:
        """All the way; returns when everything is written."""
        under_way: deque[Future[int]] = deque()
        for body in some:
            if len(under_way) == AHEAD:
                under_way.popleft().result()
            under_way.append(self.log.append("predictions", "ndjson", body, NOW, decode_predictions(body, "ndjson", self._contracts, NOW)))
        while under_way:
            under_way.popleft().result()
        while self.consumer.written < self.log.end("predictions"):
            time.sleep(0.005)

    def one_thread(self, some: Sequence[bytes]) -> None:
        """All but the log in this thread, for the profile."""
        events = self.panes(some)
        self.writer.predictions(events.predictions, 1, f"profile:{time.monotonic_ns()}")
        self.writer.panes(events.panes, f"profile:{time.monotonic_ns()}")

    def close(self) -> None:
        """Stop."""
        self.consumer.stop()
        self.log.close()
        self.engine.close()


def measure(way: Way, name: str, rows: int, span: int) -> list[tuple[str, Cost]]:
    """What each stage costs for one stream."""

    def stream(attempt: str) -> list[bytes]:
        return list(bodies(rows, START, span, prefix=f"{name}-{attempt}-"))

    some = stream("a")
    progress(f"{name}: decode")
    costs = [("decode", least(lambda: way.decode(some)))]
    progress(f"{name}: decode to panes")
    costs.append(("decode to panes", least(lambda: way.panes(some))))
    whole = []
    for attempt in "bc":
        progress(f"{name}: full way ({attempt})")
        some = stream(attempt)
        gc.collect()
        with cost() as spent:
            way.durable(some)
        whole.append(spent)
    return [*costs, ("to durable raw and panes", min(whole, key=lambda one: one.cpu))]


def main() -> None:
    """Print a table a stream."""
    parser = options(__doc__ or "", "python benchmarks/pipeline.py --rows 20000 --profile")
    parser.add_argument("--rows", type=int, help="events a stream (100000 live, 20000 of a year)")
    parser.add_argument("--signals", action="store_true", help="with the signals that the reference gives")
    parser.add_argument("--univariate", action="store_true", help="without the sums over all features together")
    parser.add_argument("--profile", action="store_true", help="print the functions that take most of the way")
    parser.add_argument("--against", type=Path, metavar="PATH", help="run another checkout's benchmark too, and print the ratios")
    given = parser.parse_args()
    if given.against:
        against(Path(__file__).resolve(), given.against, [])
        return
    one_core()
    known, _ = contract(signals=given.signals, multivariate=not given.univariate)
    with tempfile.TemporaryDirectory() as folder:
        way = Way(Path(folder), known)
        way.durable(bodies(5_000, START, moment.HOUR, prefix="warm"))
        for name, usual, span in STREAMS:
            rows = given.rows or usual
            costs = measure(way, name, rows, span)
            decode = costs[0][1].cpu
            table(
                f"{name}: {rows:,} events of {MODEL}, 20 features, 20 segments; one core, cheapest run",
                HEADS,
                [
                    (
                        stage,
                        f"{rows / one.wall:,.0f}",
                        f"{1e6 * one.cpu / rows:.2f}",
                        f"{one.cpu / decode:.2f}",
                        f"{1e6 * one.wall / rows:.2f}",
                    )
                    for stage, one in costs
                ],
            )
            if given.profile:
                some = list(bodies(rows, START, span, prefix="p"))
                with profiled(wanted=True):
                    way.one_thread(some)
        print("To reach: the full way in at most 2 x decode, and 100,000 events/s.")
        way.close()


if __name__ == "__main__":
    main()
