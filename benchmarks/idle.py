"""The cost of models that receive nothing: 10 models with events alone, and 10 with 990 idle ones: `python benchmarks/idle.py`.

Each model has some history: a few windows of small contracts, evaluated. First nothing comes, and then one event a second for one of the ten in turn; more events
would hide the cost of the idle models. The table has the CPU time of our processes, the queries to ClickHouse and the transactions of PostgreSQL (on a cluster), the
time from an event to the reading that counts it, and how long the list of models and the pages take.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import yaml
from material.measure import options, progress, table

from core import moment
from core.clock import SystemClock
from tests.acceptance.machines import Machines
from tests.acceptance.process import Process
from tests.acceptance.world import Cluster, Embedded
from watchkeeper.client import Client

ACTIVE = 10  # models that receive events
HISTORY = 24  # events of each model, one every two hours up to now
PROBES = 20
SETTLE = 15.0  # seconds for merges to end
PORTION = 100  # models a request
HEADS = ("", "CPU %", "ClickHouse/s", "PostgreSQL/s", "latency p50 ms", "p99 ms", "RSS MB")
PAGES = ("/v1/models", "/v1/models/m-00000", "/v1/status", "/metrics")


def model(place: int) -> str:
    """The name of a model."""
    return f"m-{place:05d}"


def event(place: int, key: str, ts: int) -> dict[str, Any]:
    """An event of a model."""
    return {"prediction_id": key, "model": model(place), "ts": moment.text(ts), "features": {"x": 0.5}, "prediction": 1, "score": 0.7}


def add(client: Client, first: int, last: int) -> None:
    """Define models, send their history, and wait until all of it is evaluated."""
    columns = [{"name": "x", "kind": "numeric", "range": [0, 1]}]
    now = SystemClock().now()
    for begin in range(first, last, PORTION):
        progress(f"models {begin:,} to {min(begin + PORTION, last):,} of {last:,}")
        places = range(begin, min(begin + PORTION, last))
        client.apply(yaml.safe_dump([{"contract": model(place), "task": "binary", "columns": columns} for place in places]))
        client.predictions(event(place, f"h{at}", now - at * 2 * moment.HOUR) for place in places for at in range(HISTORY))
    progress("waiting for quiet")
    client.wait(3_600)


class Meter:
    """Counts of a world as they are now."""

    def __init__(self, world: Embedded | Cluster) -> None:
        self._world = world
        self.processes: list[Process] = list(world.processes.values()) if isinstance(world, Cluster) else [world._process]  # noqa: SLF001

    def __call__(self) -> dict[str, float]:
        """Seconds of CPU, questions to ClickHouse, transactions of PostgreSQL, and seconds by the clock."""
        found = {"cpu": sum(map(_cpu, self.processes)), "at": time.monotonic(), "facts": 0.0, "control": 0.0}
        if isinstance(self._world, Cluster):
            servers = self._world.servers
            found["facts"] = float(self._world.ask("SELECT sum(value) AS n FROM system.events WHERE event = 'Query'")[0]["n"])
            with psycopg.connect(servers.control) as connection:
                row = connection.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").fetchone()
            found["control"] = float(row[0]) if row else 0.0
        return found


def _cpu(process: Process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def streamed(client: Client, seconds: float, tag: str) -> None:
    """Send one event a second, to one active model after the other."""
    began = time.monotonic()
    for turn in range(int(seconds)):
        time.sleep(max(0.0, began + turn - time.monotonic()))
        client.predictions([event(turn % ACTIVE, f"{tag}{turn}", SystemClock().now())])


def rate(meter: Meter, work: Callable[[], object]) -> dict[str, float]:
    """What is spent a second while `work` goes on."""
    before = meter()
    work()
    after = meter()
    return {key: (after[key] - before[key]) / (after["at"] - before["at"]) for key in ("cpu", "facts", "control")}


def latency(client: Client, tag: str) -> list[float]:
    """Milliseconds from an event of a window that is over to the reading that counts it."""
    took, day = [], (SystemClock().now() // moment.DAY - 1) * moment.DAY
    for probe in range(PROBES):
        name = model(probe % ACTIVE)
        before, began = _counted(client, name, day), time.perf_counter()
        client.predictions([event(probe % ACTIVE, f"{tag}{probe}", day)])
        while _counted(client, name, day) <= before:
            time.sleep(0.02)
        took.append(1_000 * (time.perf_counter() - began))
    return took


def _counted(client: Client, name: str, day: int) -> int:
    found = client.readings(model=name, measure="quality.null_rate", column="x", start=moment.text(day), end=moment.text(day + 1), limit=1)
    return max((int(row["n_target"]) for row in found), default=0)


def measure(name: str, world: Embedded | Cluster, models: int, seconds: float) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The rows of both tables."""
    rows = []
    with world, Client(world.url) as client:
        meter, spent = Meter(world), dict[tuple[int, str], dict[str, float]]()
        for many in (ACTIVE, models):
            add(client, 0 if many == ACTIVE else ACTIVE, many)
            time.sleep(SETTLE)
            progress(f"{name}: {many:,} models, nothing comes for {seconds:.0f} s")
            spent[many, "quiet"] = rate(meter, lambda: time.sleep(seconds))
            rows.append((f"{name}, {many:,} models, nothing comes", *_told(spent[many, "quiet"]), "", "", ""))
            progress(f"{name}: {many:,} models, events for {seconds:.0f} s")
            spent[many, "events"] = rate(meter, lambda many=many: streamed(client, seconds, f"s{many}-"))  # type: ignore[misc]
            progress(f"{name}: latency")
            p50, p99 = np.quantile(latency(client, f"p{many}-"), (0.5, 0.99))
            memory = sum(process.memory() for process in meter.processes) / 2**20
            rows.append((f"{name}, {many:,} models, events", *_told(spent[many, "events"]), f"{p50:.0f}", f"{p99:.0f}", f"{memory:,.0f}"))
        for kind in ("quiet", "events"):
            idle = {key: spent[models, kind][key] - spent[ACTIVE, kind][key] for key in spent[ACTIVE, kind]}
            rows.append((f"{name}, the {models - ACTIVE:,} idle, {kind}", *_told(idle), "", "", ""))
        pages = [(f"{name} {path}", *(f"{ms:.0f}" for ms in _asked(world.url, path))) for path in PAGES]
        pages += [
            (f"{name} page {path}", *(f"{ms:.0f}" for ms in _drawn(world.url, path)))
            for path in ("/ui/", "/ui/models", "/ui/models/m-00000")
        ]
    return rows, pages


def _told(of: dict[str, float]) -> tuple[str, str, str]:
    return f"{100 * of['cpu']:.2f}", f"{of['facts']:.1f}", f"{of['control']:.1f}"


def _timed(ask: Callable[[], httpx.Response], times: int = 7) -> tuple[float, float]:
    """Median and longest milliseconds of some requests, the first left out."""
    took = []
    for _ in range(times + 1):
        began = time.perf_counter()
        ask().raise_for_status()
        took.append(1_000 * (time.perf_counter() - began))
    return float(np.median(took[1:])), max(took[1:])


def _asked(url: str, path: str) -> tuple[float, float]:
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        return _timed(lambda: client.get(path))


def _drawn(url: str, path: str) -> tuple[float, float]:
    """The callback of Dash that draws a page."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        known = client.get("/ui/_dash-dependencies").raise_for_status().json()
        found = next(one for one in known if "view.children" in one["output"])
        values = {"asked": {"path": path, "search": ""}}
        inputs, state = ([{**part, "value": values.get(part["id"])} for part in found[kind]] for kind in ("inputs", "state"))
        outputs = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in found["output"].strip(".").split("...")]
        body = {"output": found["output"], "outputs": outputs, "inputs": inputs, "state": state, "changedPropIds": ["asked.data"]}
        answer = client.post("/ui/_dash-update-component", json=body).raise_for_status()
        if "could not be" in answer.text:
            raise SystemExit(f"{path} could not be drawn")
        return _timed(lambda: client.post("/ui/_dash-update-component", json=body))


def main() -> None:
    """Print the tables."""
    parser = options(__doc__ or "", "python benchmarks/idle.py --models 200 --worlds embedded --seconds 30")
    parser.add_argument("--models", type=int, default=1_000, help="models in all, ten of them with events (1000)")
    parser.add_argument(
        "--worlds", nargs="+", default=["embedded", "cluster"], choices=["embedded", "cluster"], help="what to measure (both)"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of each measurement (60)")
    given = parser.parse_args()
    rows, pages = [], []
    for name in given.worlds:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            if name == "embedded":
                found = measure(name, Embedded(Path(folder), {}), given.models, given.seconds)
            else:
                with Machines(Path(folder) / "servers") as machines:
                    world = Cluster(Path(folder) / "processes", machines.servers("bench"), {})
                    found = measure(name, world, given.models, given.seconds)
        rows += found[0]
        pages += found[1]
    table("Ten models, alone and beside idle ones", HEADS, rows)
    table(f"With {given.models:,} models", ("", "median ms", "longest ms"), pages)
    print(
        "To reach: idle ones cost at most 2 % of a core embedded, and 5 questions a second on a cluster; lists and pages take at most 300 ms."
    )


if __name__ == "__main__":
    main()
