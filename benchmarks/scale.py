"""Two ingest processes on two partitions against one: events a second from Kafka to ClickHouse, `python benchmarks/scale.py`.

The events wait at the broker before any process is started. Time is measured from when every process has its partitions until one of them has
few events left. On two cores the servers need a part of the CPU, so the table also has the CPU time of each process.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
from confluent_kafka import Producer
from material.measure import options, progress, table
from material.stream import MODEL, SEGMENTS, bodies, reference

from compose.servers.server import Server
from core import moment
from core.clock import SystemClock
from ingest.record import TOPICS
from tests.acceptance.machines import Machines
from tests.acceptance.process import Process, run
from tests.acceptance.world import Cluster
from watchkeeper.client import Client

PARTITIONS = 2
READ_AHEAD = 300_000  # events of a partition that may be read and not written: as many at the end of the watch as at its beginning
HEADS = ("ingest processes", "events/s", "x one", "events", "CPU us/event, ingest", "Kafka", "ClickHouse", "MB each")


def fill(bootstrap: str, prefix: str, rows: int) -> None:
    """Events of the last two hours, as many in each partition."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "compression.type": "lz4", "queue.buffering.max.messages": 200_000}
    )
    place = 0
    for body in bodies(rows, SystemClock().now() - 2 * moment.HOUR, 2 * moment.HOUR):
        for line in body.splitlines():
            producer.produce(f"{prefix}predictions", line, partition=place % PARTITIONS)
            place += 1
        producer.flush()


def spent(servers: Sequence[Server]) -> float:
    """Seconds of CPU that processes have used."""
    words = [Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for server in servers]
    return sum(int(word[11]) + int(word[12]) for word in words) / os.sysconf("SC_CLK_TCK")


def shared(processes: Sequence[Process]) -> bool:
    """Whether each process has its part of both topics' partitions, and has begun to write."""
    found = [process.metrics() for process in processes]
    each = len(TOPICS) * PARTITIONS / len(processes)
    return all(
        metrics["watchkeeper_ingest_partitions"] == each and metrics.get("watchkeeper_ingested_rows_total", 0.0) > 0 for metrics in found
    )


def measure(cluster: Cluster, machines: Machines, rows: int, many: int) -> tuple[float, tuple[str, ...]]:
    """Events a second of `many` processes while all of them have work; and the rest of the table's row."""
    processes = [cluster.processes[f"ingest-{place}"] for place in range(1, many + 1)]
    everybody = (processes, [machines.kafka], [machines.clickhouse])
    for process in processes:
        process.start(wait=False)
    for process in processes:
        process.wait()
    while not shared(processes):
        time.sleep(0.05)
    first = written(cluster)
    began, before = time.monotonic(), [spent(servers) for servers in everybody]
    while max(last := written(cluster)) < rows // PARTITIONS - READ_AHEAD:
        time.sleep(0.02)
    wall, after = time.monotonic() - began, [spent(servers) for servers in everybody]
    done = sum(last) - sum(first)
    each = [f"{1e6 * (late - early) / done:.1f}" for early, late in zip(before, after, strict=True)]
    held = max(process.memory() for process in processes) / 2**20
    for process in processes:
        process.stop()
    return done / wall, (f"{done:,}", *each, f"{held:.0f}")


def written(cluster: Cluster) -> list[int]:
    """Rows in the store, by partition."""
    return [row["n"] for row in cluster.ask("SELECT partition, count() AS n FROM predictions GROUP BY partition")] or [0]


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/scale.py --rows 1500000")
    parser.add_argument("--rows", type=int, default=2_000_000, help="events (2000000)")
    given = parser.parse_args()
    if given.rows < (least := 2 * PARTITIONS * READ_AHEAD):
        parser.error(f"--rows {given.rows}: what is read ahead would be all; give {least} or more")
    sink = BytesIO()
    pq.write_table(reference(), sink)
    rates, rows = [], []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Machines(Path(folder) / "servers") as machines:
        for many in (1, 2):
            servers = machines.servers(f"scale{many}")
            settings = {**servers.environment, "WATCHKEEPER_KAFKA__PARTITIONS": str(PARTITIONS)}
            cluster = Cluster(Path(folder) / str(many), servers, settings)
            progress(f"{many}: the broker gets {given.rows:,} events")
            run(["migrate"], settings)
            fill(servers.bootstrap, servers.prefix, given.rows)
            with cluster.processes["serve"] as serve, Client(serve.url) as client:
                client.reference(MODEL, sink.getvalue(), task="binary", segments=list(SEGMENTS))
            progress(f"{many}: ingest")
            rate, rest = measure(cluster, machines, given.rows, many)
            rates.append(rate)
            rows.append((str(many), f"{rate:,.0f}", f"{rate / rates[0]:.2f}", *rest))
    table(f"{given.rows:,} events of {MODEL} in {PARTITIONS} partitions; {os.cpu_count()} cores, servers among them", HEADS, rows)


if __name__ == "__main__":
    main()
