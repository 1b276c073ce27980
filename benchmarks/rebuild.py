"""A rebuild of many events while events come, killed once on its way: `python benchmarks/rebuild.py --rows 10000000`.

An embedded server gets nine of ten events, and a label for each third. Its panes are then changed as if an earlier version had written them. A rebuild is requested, the other events come meanwhile, over all
of the time, and the process is killed (SIGKILL) when a third of the slots are made again. All readings must equal those of a server that gets all events at once, and the rebuild
must go on where it was; else the script ends with 1.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from material.measure import options, progress, table
from material.narrow import MODEL, SEGMENTS, reference, requests
from scale import spent

from core import moment
from storage.facts.chdb import Chdb
from tests.acceptance.agree import differences
from tests.acceptance.process import Process
from watchkeeper.client import Client

START, SPANS = moment.parse("2026-01-01T00:00:00Z"), (14 * moment.DAY, 90 * moment.DAY)
EACH = 10 * moment.SECOND  # between events, unless they last less or longer than `SPANS`
LATE = 10  # one of so many events comes during the rebuild
KILLED = 1 / 3  # of the slots
PORTION = 700_000  # fewer events are made again in a portion or two: then the process is killed in the first one
SAID = 100  # requests between two lines
PATIENCE = 24 * 3_600.0
SOON = {"WATCHKEEPER_INGEST__SILENCE": "2s"}
MONITORS: dict[str, dict[str, Any]] = {
    "quality.null_rate": {"columns": ["num_0"], "target": "daily"},
    "drift.mean_shift": {"columns": ["num_0", "num_1"], "segments": ["all", "cat_0"], "target": "7d"},
    "drift.psi": {"columns": ["cat_1"], "target": "month_to_date", "baseline": "previous"},
    "performance.accuracy": {"segments": ["all", "cat_1"], "target": "daily"},
    "performance.log_loss": {"target": "weekly", "baseline": "previous"},
}
Stream = Iterator[tuple[str, bytes]]  # requests: of predictions or of labels, and the body


class Server:
    """`watchkeeper up` in a folder, with the model and its monitors."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.process = Process("up", ["up", "--data", str(self.data)], folder, SOON)
        self.process.start()
        sink = BytesIO()
        pq.write_table(reference(), sink)
        with self.client() as client:
            client.reference(MODEL, sink.getvalue(), task="binary", segments=list(SEGMENTS), signals="none", multivariate="off")
            watched = [{"monitor": name, "model": MODEL, "measure": name, "min_samples": 20, **more} for name, more in MONITORS.items()]
            client.apply(yaml.safe_dump(watched))

    def client(self) -> Client:
        """A client of its address, which stays the same. It sends again what a dead process has not answered."""
        return Client(self.process.url, patience=600.0)

    def send(self, stream: Stream) -> None:
        """Send requests one after the other."""
        with self.client() as client:
            for place, (kind, body) in enumerate(stream, 1):
                if place % SAID == 0:
                    progress(f"{place} requests are sent; {self.process.memory() >> 20} MB, {spent([self.process]):.0f} s of CPU")
                answer = client.send(kind, body, compress=False)
                if answer["rejected"]:
                    raise SystemExit(f"{answer['rejected']} rows were rejected: {answer['errors'][:1]}")

    def readings(self) -> list[dict[str, Any]]:
        """All readings, once all is evaluated."""
        with self.client() as client:
            problems = client.wait(PATIENCE)["problems"]
            if problems:
                raise SystemExit(f"problems: {problems}")
            return list(client.readings(model=MODEL, limit=10_000))


def streams(rows: int) -> tuple[Stream, Stream]:
    """The events before the rebuild, and those that come meanwhile, over the same time."""
    span, late = min(max(rows * EACH, SPANS[0]), SPANS[1]), rows // LATE
    return requests(rows - late, START, span, prefix="", seed=1), requests(late, START, span, prefix="late-", seed=2)


def spoil(data: Path) -> None:
    """Change the panes as if an earlier version had written them: counts of rows are right, and moments and losses are missing."""
    where = "WHERE model = {m:String} SETTINGS mutations_sync = 1"
    with closing(Chdb(data / "facts")) as engine:
        engine.command(f"ALTER TABLE panes UPDATE measured = 0, square = 0, absolute = 99 {where}", {"m": MODEL})
        engine.command(f"ALTER TABLE performance_panes UPDATE scored = 0, largest = 0 {where}", {"m": MODEL})


def followed(server: Server, rows: int) -> dict[str, Any]:
    """Request the rebuild, follow it, kill the process on its way, and return what was seen: seconds, CPU, progress and memory."""
    process, seen, memory, cpu = server.process, [0], 0, 0.0
    began, killed, last = time.monotonic(), None, ""
    with server.client() as client:
        client.rebuild(MODEL)
        while (found := client.rebuilding(MODEL))["state"] in {"waiting", "running"}:
            if killed is not None and found["state"] == "running" and found["done"] < killed:
                raise SystemExit(f"after the kill {found['done']} slots are made again; before there were {killed}")
            if found["done"] != seen[-1]:
                seen.append(found["done"])
            if (said := f"rebuild: {found['done']} of {found['slots']} slots") != last:
                progress(last := said)
            memory = max(memory, process.memory())
            due = found["done"] >= KILLED * found["slots"] if found["slots"] else rows < PORTION and time.monotonic() - began > 1
            if killed is None and due:
                killed, cpu = found["done"], spent([process])
                process.kill()
                process.start()
            time.sleep(0.25)
    cpu += spent([process])
    if killed is None or found["done"] != found["slots"]:
        raise SystemExit(f"it was {'not killed' if killed is None else 'killed'}, and ended with {found}")
    return {
        "seconds": time.monotonic() - began,
        "CPU s": cpu,
        "slots": found["slots"],
        "killed at": killed,
        "progress": len(seen),
        "MB": memory >> 20,
    }


def rebuilt(folder: Path, rows: int) -> tuple[list[dict[str, Any]], Mapping[str, float]]:
    """The readings after a rebuild while events came, and what it took."""
    server, (early, late) = Server(folder), streams(rows)
    try:
        progress(f"{rows - rows // LATE:,} events")
        server.send(early)
        before = server.readings()
        process = server.process
        held = process.memory() >> 20
        process.stop()
        spoil(server.data)
        process.start()
        thread = threading.Thread(target=server.send, args=(late,))
        thread.start()
        found = followed(server, rows)
        thread.join()
        after = server.readings()
        if not differences(before, after):
            raise SystemExit("no reading has changed, although events came")
        return after, {"MB before": held, **found}
    finally:
        server.process.stop()


def fresh(folder: Path, rows: int) -> list[dict[str, Any]]:
    """The readings of a server that gets all events at once."""
    server, parts = Server(folder), streams(rows)
    try:
        progress(f"a fresh start with {rows:,} events")
        for part in parts:
            server.send(part)
        return server.readings()
    finally:
        server.process.stop()


def main() -> None:
    """Print the table; end with 1 if a reading differs."""
    parser = options(__doc__ or "", "python benchmarks/rebuild.py --rows 10000000")
    parser.add_argument("--rows", type=int, default=1_000_000, help="events (1000000)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        after, took = rebuilt(Path(folder) / "rebuilt", given.rows)
        wanted = fresh(Path(folder) / "fresh", given.rows)
    apart = differences(wanted, after)
    heads = ("rows", "readings", "that differ", *took)
    row = (f"{given.rows:,}", f"{len(wanted):,}", f"{len(apart)}", *(f"{value:,.0f}" for value in took.values()))
    table(f"A rebuild while {given.rows // LATE:,} of {given.rows:,} events come, killed once", heads, [row])
    if apart or not wanted:
        raise SystemExit("\n".join(apart[:20]) or "there are no readings")


if __name__ == "__main__":
    main()
