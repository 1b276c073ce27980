"""From an event to the webhook that it causes: p50 and p99, embedded and as a cluster, under a live stream: `python benchmarks/latency.py`.

An hour that is over has a few events in each of 100 segments. While another model's stream runs, one event without its value is sent now and then to one
segment: its window's null rate passes the limit, an episode fires, a policy without a wait (`group_wait: 0s`) groups and routes it, and a signed webhook arrives here.
Server, stream and receiver share this machine. The second table says where that time goes.
"""

from __future__ import annotations

import http.client
import multiprocessing
import os
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from material.measure import options, progress, table
from material.stream import MODEL, SEGMENTS, bodies, reference

from core import moment
from core.clock import SystemClock
from tests.acceptance.machines import Machines
from tests.acceptance.world import PROCESSES, Cluster, Embedded
from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver

Timings = npt.NDArray[np.float64]
PROBE = "probe"
INGESTS = sum(name.startswith("ingest") for name in PROCESSES)
PARTS = [f"{part:03d}" for part in range(100)]
GOOD, MANY = 2, 1_000  # events of each part, and of none, that have their value: the whole stays below the limit
REQUESTS = 20  # a second, of the stream
SENDERS = 4  # connections of the stream
WARM = 5.0  # seconds before the first probe
HEADS = ("", "events/s wanted", "sent", "webhooks", "p50 ms", "p99 ms", "longest ms", "load before, after")
STAGES = ("", "events/s wanted", "answered", "episode", "decided", "webhook")  # the stages, each from the end of the one before
_MARK, _TIME = "@" * 12, moment.text(1_000_000_000_000_000)


def stream(url: str, rate: int, sent: Synchronized[int], over: Any) -> None:
    """Send `rate` events a second whose time is now, until it is over; counts those that were accepted. A process of its own."""
    (body,) = bodies(rate // REQUESTS, 1_000_000_000_000_000, 1, batch=rate // REQUESTS, prefix=_MARK)
    senders = [threading.Thread(target=_send, args=(url, rate, body, place, sent, over)) for place in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def _send(url: str, rate: int, body: bytes, first: int, sent: Synchronized[int], over: Any) -> None:
    """Send every request whose number is `first` modulo the senders, each at its moment: one alone would wait for its answers longer than for its turn."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    began, turn = time.monotonic(), first
    while not over.wait(max(0.0, began + turn / REQUESTS - time.monotonic())):
        fresh = body.replace(_MARK.encode(), f"{rate:06d}{turn:06d}".encode()).replace(
            _TIME.encode(), moment.text(SystemClock().now()).encode()
        )
        connection.request("POST", "/v1/predictions", fresh, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            with sent.get_lock():
                sent.value += rate // REQUESTS
        turn += SENDERS


@contextmanager
def streaming(url: str, rate: int) -> Iterator[Synchronized[int]]:
    """A live stream for as long as the block lasts; how many events were accepted."""
    context = multiprocessing.get_context("spawn")
    sent, over = context.Value("q", 0), context.Event()
    process = context.Process(target=stream, args=(url, rate, sent, over), daemon=True)
    process.start()
    try:
        yield sent
    finally:
        over.set()
        process.join()


def prepare(client: Client, receiver: Receiver) -> int:
    """Give both models their references, the monitor and the receiver, and the hour that is over; its start in microseconds."""
    for name, rows, given in (
        (MODEL, reference(), {"segments": list(SEGMENTS)}),
        (
            PROBE,
            pa.table({"x": [1.0] * len(PARTS), "part": PARTS, "prediction": [0] * len(PARTS)}),
            {"segments": ["part"], "features": ["x"]},
        ),
    ):
        sink = BytesIO()
        pq.write_table(rows, sink)
        client.reference(name, sink.getvalue(), task="binary", **given)
    watched = {
        "measure": "quality.null_rate",
        "columns": ["x"],
        "segments": ["part"],
        "target": {"window": "1h"},
        "warn": 0.3,
        "min_samples": 1,
    }
    client.apply(
        yaml.safe_dump(
            [
                {"monitor": "missing", "model": PROBE, **watched},
                {"policy": "default", "group_by": ["monitor", "segment"], "group_wait": "0s"},
                {"destination": "here", "kind": "webhook", "url": receiver.url, "secret": receiver.secret, "models": [PROBE]},
            ]
        )
    )
    hour = (SystemClock().now() // moment.HOUR - 2) * moment.HOUR
    parts = [*(part for part in PARTS for _ in range(GOOD)), *[None] * MANY]
    good = [event(f"good-{place}", hour, part, 1.0) for place, part in enumerate(parts)]
    client.predictions([*good, event("now", SystemClock().now(), None, 1.0)])
    client.wait(120)
    return hour


def event(key: str, ts: int, part: str | None, x: float | None) -> dict[str, Any]:
    """An event of the model that is probed."""
    tags = {} if part is None else {"part": part}
    return {"prediction_id": key, "model": PROBE, "ts": moment.text(ts), "features": {"x": x}, "tags": tags, "prediction": 0}


def probe(client: Client, hour: int, came: dict[str, list[float]], seconds: float) -> Timings:
    """When each stage of each part that has come ended, in seconds, in the order of the stages; sent at random moments, whether the last has come or not."""
    draw, sent = random.Random(1), {}
    for part in PARTS:
        time.sleep(draw.uniform(0, 2 * seconds / len(PARTS)))
        began = time.time()
        client.predictions([event(f"bad-{part}", hour, part, None)])
        sent[part] = [began, time.time()]
    until = time.monotonic() + 60
    while len(came) < len(sent) and time.monotonic() < until:
        time.sleep(0.01)
    fired = {_part(one): moment.parse(one["timeline"][0]["at"]) / moment.SECOND for one in client.episodes(model=PROBE)}
    return np.array([[*ends, fired[part], *came[part]] for part, ends in sent.items() if part in came])


def _part(episode: dict[str, Any]) -> str:
    found: str = episode["segment"].partition("=")[2]
    return found


def measure(name: str, world: Embedded | Cluster, rate: int, seconds: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A row of each table."""
    came: dict[str, list[float]] = {}
    load = os.getloadavg()[0]

    def tell(payload: dict[str, Any]) -> None:
        if payload["type"] == "group.fired":
            for one in payload["data"]["episodes"]:
                came.setdefault(_part(one), [moment.parse(payload["timestamp"]) / moment.SECOND, time.time()])

    with Receiver(tell) as receiver, world, Client(world.url) as client:
        hour = prepare(client, receiver)
        with streaming(world.url, rate) as sent:
            time.sleep(WARM)
            before, began = sent.value, time.monotonic()
            ends = probe(client, hour, came, seconds)
            achieved = (sent.value - before) / (time.monotonic() - began)
    took, stages = 1_000 * (ends[:, -1] - ends[:, 0]), 1_000 * np.diff(ends, axis=1)
    p50, p99 = np.quantile(took, (0.5, 0.99))
    shares = [f"{half:.0f}, {most:.0f}" for half, most in zip(*np.quantile(stages, (0.5, 0.99), axis=0), strict=True)]
    return (
        name,
        f"{rate:,}",
        f"{achieved:,.0f}",
        f"{len(took)} of {len(PARTS)}",
        f"{p50:.0f}",
        f"{p99:.0f}",
        f"{max(took):.0f}",
        f"{load:.1f}, {os.getloadavg()[0]:.1f}",
    ), (name, f"{rate:,}", *shares)


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/latency.py --rates 1000 --worlds embedded")
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000], help="events a second of the stream (1000 10000)")
    parser.add_argument(
        "--worlds", nargs="+", default=["embedded", "cluster"], choices=["embedded", "cluster"], help="what to measure (both)"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="over which the 100 probes are spread (30)")
    parser.add_argument(
        "--partitions", type=int, default=INGESTS, help=f"of the topics of the cluster: one for each ingest process ({INGESTS}), or more"
    )
    given = parser.parse_args()
    partitions = {"WATCHKEEPER_KAFKA__PARTITIONS": str(given.partitions)}
    rows = []
    for name in given.worlds:
        for rate in given.rates:
            progress(f"{name}, {rate:,} events/s")
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                if name == "embedded":
                    rows.append(measure(name, Embedded(Path(folder), {}), rate, given.seconds))
                    continue
                with Machines(Path(folder) / "servers") as machines:
                    world = Cluster(Path(folder) / "processes", machines.servers("bench"), partitions)
                    rows.append(measure(f"{name}, {given.partitions} partitions", world, rate, given.seconds))
    table("From an event to its webhook; server, stream and receiver on one machine", HEADS, [one for one, _ in rows])
    table("Where the time goes: p50 and p99 of each stage in ms", STAGES, [two for _, two in rows])
    print("answered: the request; episode: log, ingest, evaluation; decided: the policy; webhook: delivery.")
    print("To reach: p99 <= 2,000 ms.")


if __name__ == "__main__":
    main()
