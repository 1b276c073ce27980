"""What models that receive nothing cost: 10 models with events alone, and beside 990 idle ones: `python benchmarks/idle.py`.

Each model has some history: a few windows of small contracts, evaluated. Events then come for ten of them, one a second each. Told are the CPU time of our
processes, the questions to ClickHouse and the transactions of PostgreSQL (a cluster's), the time from an event to the reading that counts it, and how
long the list of models and the pages take.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
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


def streamed(client: Client, seconds: float, tag: str, between: Callable[[int], None] = lambda _: None) -> None:
    """Send one event a second to each active model."""
    began = time.monotonic()
    for turn in range(int(seconds)):
        time.sleep(max(0.0, began + turn - time.monotonic()))
        client.predictions(event(place, f"{tag}{turn}", SystemClock().now()) for place in range(ACTIVE))
        between(turn)


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
    rows, pages, rates = [], [], []
    with world, Client(world.url) as client:
        meter = Meter(world)
        for many in (ACTIVE, models):
            add(client, 0 if many == ACTIVE else ACTIVE, many)
            streamed(client, 10, f"w{many}-")
            progress(f"{name}: {many:,} models, {seconds:.0f} s")
            before = meter()
            streamed(client, seconds, f"s{many}-")
            after = meter()
            passed = after["at"] - before["at"]
            rate = {key: (after[key] - before[key]) / passed for key in ("cpu", "facts", "control")}
            rates.append(rate)
            progress(f"{name}: latency")
            p50, p99 = np.quantile(latency(client, f"p{many}-"), (0.5, 0.99))
            memory = sum(process.memory() for process in meter.processes) / 2**20
            rows.append((f"{name}, {many:,} models", *_rate(rate), f"{p50:.0f}", f"{p99:.0f}", f"{memory:,.0f}"))
        idle = {key: rates[1][key] - rates[0][key] for key in rates[0]}
        rows.append((f"{name}, the {models - ACTIVE:,} idle", *_rate(idle), "", "", ""))
        pages = [(f"{name} {path}", *(f"{ms:.0f}" for ms in _asked(world.url, path))) for path in PAGES]
        pages += [
            (f"{name} page {path}", *(f"{ms:.0f}" for ms in _drawn(world.url, path)))
            for path in ("/ui/", "/ui/models", "/ui/models/m-00000")
        ]
    return rows, pages


def _rate(of: dict[str, float]) -> tuple[str, str, str]:
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
        found = next(
            one for one in known if any(given["property"] == "pathname" for given in one["inputs"]) and not one.get("clientside_function")
        )
        values = {"pathname": path, "search": ""}
        inputs = [{**given, "value": values.get(given["property"])} for given in found["inputs"]]
        state = [{**given, "value": values.get(given["property"])} for given in found.get("state", [])]
        names = [part.rpartition(".") for part in found["output"].strip(".").split("...")]
        outputs: Any = [{"id": id_, "property": of} for id_, _, of in names]
        body = msgspec.json.encode(
            {
                "output": found["output"],
                "outputs": outputs if found["output"].startswith("..") else outputs[0],
                "inputs": inputs,
                "state": state,
                "changedPropIds": [f"{inputs[0]['id']}.{inputs[0]['property']}"],
            }
        )
        return _timed(lambda: client.post("/ui/_dash-update-component", content=body, headers={"Content-Type": "application/json"}))


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
    table("Ten models that receive an event a second each, alone and beside idle ones", HEADS, rows)
    table(f"With {given.models:,} models", ("", "median ms", "longest ms"), pages)
    print(
        "To reach: idle ones cost at most 2 % of a core embedded, and 5 questions a second on a cluster; lists and pages take at most 300 ms."
    )


if __name__ == "__main__":
    main()
