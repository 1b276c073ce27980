"""Rows a second that POST /v1/predictions accepts and makes durable, and how long a request takes: `python benchmarks/intake.py`.

The server runs on one core, with ingest and evaluation behind it; the client has another one, if there is one.
"""

from __future__ import annotations

import http.client
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
import pyarrow.parquet as pq
from material.measure import options, progress, table
from material.stream import MODEL, SEGMENTS, bodies, reference

from core import moment
from core.clock import SystemClock
from watchkeeper.client import Client
from watchkeeper.demo.server import DemoServer

SIZES = ((1, 2_000), (100, 400), (1_000, 100), (5_000, 30))  # rows a body, requests
HEADERS = {"Content-Type": "application/x-ndjson"}


def send(port: int, waiting: SimpleQueue[bytes], seconds: list[float], faults: list[str]) -> None:
    """One connection: send what waits, note how long each answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        try:
            body = waiting.get_nowait()
        except Empty:
            break
        began = time.perf_counter()
        connection.request("POST", "/v1/predictions", body, HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        seconds.append(time.perf_counter() - began)
        if answer.status != 200 or b'"rejected":0' not in said:
            faults.append(f"{answer.status} {said[:200]!r}")
    connection.close()


def load(port: int, some: Sequence[bytes], connections: int) -> tuple[float, list[float]]:
    """Send all bodies; the seconds that it took, and those of each request."""
    waiting: SimpleQueue[bytes] = SimpleQueue()
    for body in some:
        waiting.put(body)
    seconds: list[float] = []
    faults: list[str] = []
    threads = [threading.Thread(target=send, args=(port, waiting, seconds, faults)) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise SystemExit(f"{len(faults)} requests were not accepted: {faults[0]}")
    return time.perf_counter() - began, seconds


def settle(client: Client, before: float = 60.0) -> None:
    """Wait until everything is written, so that one load does not pay for the one before."""
    deadline = time.monotonic() + before
    while time.monotonic() < deadline and client.status()["ingest"]["predictions"]["lag"]:
        time.sleep(0.1)


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/intake.py --connections 8")
    parser.add_argument("--connections", type=int, default=4, help="concurrent connections (4)")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})  # the server inherits it
    now = SystemClock().now()
    rows = []
    with tempfile.TemporaryDirectory() as folder, DemoServer(Path(folder)) as server, Client(server.url) as client:
        os.sched_setaffinity(0, {cores[0]})
        sink = BytesIO()
        pq.write_table(reference(), sink)
        client.reference(MODEL, sink.getvalue(), task="binary", segments=",".join(SEGMENTS))
        for size, requests in SIZES:
            progress(f"{requests:,} requests of {size:,} rows")
            span = moment.HOUR
            warm, *some = bodies(size * (requests + 1), now - 2 * moment.HOUR, span, batch=size, prefix=f"{size}-")
            load(server.port, [warm], 1)
            wall, seconds = load(server.port, some, given.connections)
            settle(client)
            p50, p99 = np.quantile(seconds, (0.5, 0.99)) * 1_000
            rows.append((f"{size:,}", f"{requests / wall:,.0f}", f"{size * requests / wall:,.0f}", f"{p50:.1f}", f"{p99:.1f}"))
    first = float(rows[0][2].replace(",", ""))
    table(
        f"POST /v1/predictions, NDJSON, {given.connections} connections; the server on one core",
        ("rows a body", "requests/s", "rows/s", "x one row", "p50 ms", "p99 ms"),
        [(*row[:3], f"{float(row[2].replace(',', '')) / first:.1f}", *row[3:]) for row in rows],
    )


if __name__ == "__main__":
    main()
