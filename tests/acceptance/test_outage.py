"""A server is away, or its disk is full, while events come: nothing is lost, memory stays bounded, it is told, and all goes on by itself.

`WATCHKEEPER_OUTAGE_SECONDS` (15) is how long each lasts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

import httpx
import pandas as pd
import pytest
import yaml

from dashboard.site import SITE
from dashboard.state import address
from tests.acceptance import census
from tests.acceptance.direct import Direct
from tests.acceptance.drawn import drawn
from tests.acceptance.machines import Machines
from tests.acceptance.sending import http, sending
from tests.acceptance.world import RARELY, Cluster, Servers
from tests.oracle.compare import compare
from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper.client import Client

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("WATCHKEEPER_OUTAGE_SECONDS", "15"))
SETTINGS = {"WATCHKEEPER_INGEST__SILENCE": "2s", "WATCHKEEPER_INGEST__MEMORY": str(32 << 20), "WATCHKEEPER_KAFKA__SESSION": "10s", **RARELY}
PATIENCE = 300.0  # seconds more that a process has to tell of it on a busy machine; so much longer the outage lasts
INGEST = ("ingest-1", "ingest-2")
RATE = 200  # predictions a second, and as many labels
BALLAST, WEIGHT = 40_000, 8_000  # events that pile up at the brokers while nothing can be written, and bytes of each
ROOM = 900 << 10  # bytes that are left of a full disk: ClickHouse begins nothing for which it cannot set a megabyte aside
DAYS = 15  # in no order: each step evaluates all of them again
FEATURES = [name for name in census.FEATURES if name not in census.OPTIONS["text"]]
# A narrow watch, one monitor for each way to read: what costs time here is waiting for servers, and other tests compare all measures.
OPTIONS: dict[str, Any] = {"task": "binary", "segments": ["education"], "features": FEATURES}
_SHARED: dict[str, Any] = {"segments": ["all", "education"], "min_samples": 20}
MONITORS = [
    {**_SHARED, "monitor": "nulls", "measure": "quality.null_rate", "columns": FEATURES, "warn": 0.03},
    {**_SHARED, "monitor": "psi", "measure": "drift.psi", "columns": [*FEATURES, "@score"], "target": {"window": "5d"}},
    {**_SHARED, "monitor": "js", "measure": "drift.js", "columns": ["hours", "@label"], "baseline": {"prior": "2d"}},
    {**_SHARED, "monitor": "accuracy", "measure": "performance.accuracy", "baseline": "reference", "warn": 0.05},
    {**_SHARED, "monitor": "auc", "measure": "performance.roc_auc", "baseline": "previous", "target": {"window": "2d", "every": "1d"}},
    {**_SHARED, "monitor": "coverage", "measure": "quality.label_coverage", "warn": {"below": 0.85}},
]
GROWTH = 120 << 20  # bytes by which an ingest process may grow meanwhile: less than its part of the pile


class Outage(NamedTuple):
    """Which server goes away, and which processes must report it, with which text."""

    name: str
    told: dict[str, str]


OUTAGES = [
    Outage("broker", {**dict.fromkeys(INGEST, "Kafka"), "serve": "Kafka"}),
    Outage("clickhouse", {**dict.fromkeys(INGEST, "ClickHouse"), "evaluate": "ClickHouse", "serve": "ClickHouse"}),
    Outage("postgres", {"evaluate": "PostgreSQL", "deliver": "PostgreSQL", "serve": "PostgreSQL"}),
    Outage("disk", dict.fromkeys(INGEST, "space")),
]
HEAVY = {"clickhouse", "disk"}


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Servers of this module; ClickHouse's data are on a small disk, if one can be made."""
    folder = tmp_path_factory.mktemp("servers")
    machines = Machines(folder)
    data = machines.clickhouse.folder / "data"
    data.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500m", "tmpfs", str(data)], check=False).returncode == 0
    try:
        with machines:
            yield machines
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(data)], check=True)


@pytest.fixture(scope="module")
def cluster(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One cluster for all outages: each has a model of its own."""
    with Cluster(tmp_path_factory.mktemp("cluster"), machines.servers("outages"), SETTINGS) as place:
        yield place


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.name)
def test_an_outage_is_told_outlived_and_costs_nothing(machines: Machines, cluster: Cluster, outage: Outage) -> None:
    """The affected processes report what is wrong, none of them ends, ingest stays within its memory limit, and at quiet every reading is right."""
    if outage.name == "disk" and not (machines.clickhouse.folder / "data").is_mount():
        pytest.skip("no small disk can be mounted here; run as root, where mounting is permitted")
    try:
        _outlived(machines, cluster, outage)
    except BaseException as error:
        cluster.explain(error)
        raise


def _outlived(machines: Machines, place: Cluster, outage: Outage) -> None:
    seconds, model, ballast = SECONDS + 10, f"no-{outage.name}", f"ballast-{outage.name}"
    reference, stream, wanted = _census(round(RATE * seconds))
    sink = BytesIO()
    reference.to_parquet(sink, index=False)
    requests = [(topic, [row | {"model": model} for row in rows]) for topic, rows in census.requests(stream, 200)]
    with Client(place.url) as client:
        for name in (model, ballast):
            client.reference(name, sink.getvalue(), **OPTIONS, multivariate="off")
        client.apply(yaml.safe_dump([one | {"model": model} for one in MONITORS]))
        pids = {name: process.pid for name, process in place.processes.items()}
        with http(place.url) as deliver, sending(deliver, requests, seconds) as sender:
            _until(lambda: sender.events > 2 * RATE, 300, "no events come")
            with _away(machines, outage.name), _grown(place) as grown:
                began = time.monotonic()
                if outage.name in HEAVY:
                    _pile(place.servers, ballast)
                for name, word in outage.told.items():
                    _told(place, name, word, SECONDS + PATIENCE)
                if outage.name == "clickhouse":
                    _pages_say_so(place.url, model)
                time.sleep(max(0.0, began + SECONDS - time.monotonic()))
            for process in place.processes.values():
                process.wait()
        status = client.wait(900)
        found = [item for one in MONITORS for item in client.readings(model=model, monitor=one["monitor"], limit=10_000)]
    assert pids == {name: process.pid for name, process in place.processes.items()}
    assert {name: place.processes[name].metrics()["watchkeeper_problems"] for name in outage.told} == dict.fromkeys(outage.told, 0)
    counts, piled, size = place.counts(model), place.counts(ballast), len(stream)
    assert status["problems"] == []
    assert (size, size) == (counts["ids"], counts["places"])
    assert piled["ids"] == piled["rows"] == (BALLAST if outage.name in HEAVY else 0)
    assert max(grown.values()) < GROWTH
    assert compare(wanted, found)[:20] == []


@cache
def _census(size: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The reference, the stream of every outage, and the readings that must result."""
    reference, stream = _people(4_000, 1), _people(size, 2)
    return reference, stream, expected(reference, stream, Spec(monitors=MONITORS, **OPTIONS))


def _people(rows: int, seed: int) -> pd.DataFrame:
    people: pd.DataFrame = census.people(rows, seed, days=DAYS).drop(columns=census.OPTIONS["text"])
    return people


@contextmanager
def _away(machines: Machines, name: str) -> Iterator[None]:
    """Kill a server, or fill ClickHouse's disk, until the block is left."""
    if name != "disk":
        machines.by_name[name].kill()
        try:
            yield
        finally:
            machines.by_name[name].start()
        return
    disk = machines.clickhouse.folder / "data"
    filler = disk / "filler"
    # A merge that meets a disk without a byte left can leave a broken part, which only a restart of ClickHouse mends (error 246 says so). So none runs meanwhile.
    _sql(machines, "SYSTEM STOP MERGES")
    try:
        _until(lambda: _sql(machines, "SELECT count() FROM system.merges") == "0", PATIENCE, "a merge does not stop")
        with filler.open("ab", buffering=0) as file, suppress(OSError):
            while (room := shutil.disk_usage(disk).free - ROOM) > 0:
                file.write(bytes(min(room, 1 << 20)))
        yield
    finally:
        filler.unlink()
        _sql(machines, "SYSTEM START MERGES")


def _sql(machines: Machines, statement: str) -> str:
    """ClickHouse's answer."""
    server = machines.clickhouse
    answer = httpx.post(server.url, content=statement, auth=(server.user, server.password), timeout=PATIENCE, trust_env=False)
    assert answer.is_success, answer.text
    return answer.text.strip()


def _pile(servers: Servers, model: str) -> None:
    """More events than ingest may hold in memory, sent in a few seconds."""
    ((_, rows),) = [request for request in census.requests(_people(2_000, 3), 2_000) if request[0] == "predictions"]
    direct, pad = Direct(servers), "x" * WEIGHT
    for turn in range(BALLAST // len(rows)):
        direct.send(
            "predictions",
            [{**row, "model": model, "prediction_id": f"{turn}-{row['prediction_id']}", "request_id": pad} for row in rows],
        )


def _told(place: Cluster, name: str, word: str, patience: float) -> None:
    """The process is not ready, says why in this word, and its metrics count a problem."""
    process = place.processes[name]
    _until(lambda: word in (process.problem() or ""), patience, lambda: f"{name} says {process.problem()!r} and nothing of {word}")
    assert process.metrics()["watchkeeper_problems"] > 0


def _pages_say_so(url: str, model: str) -> None:
    """While the fact store is away no page is blank: what cannot be drawn offers to try again."""
    for entry in SITE:
        if "*" in entry.path.removeprefix("models/*") or entry.path.startswith("alerts/"):
            continue
        view = drawn(url, address(*entry.filled([model])))
        assert '"H1"' in view, (entry.path, view[:300])
        assert "Page could not be drawn" not in view, entry.path
    for place in ("", "/drift", "/quality", "/performance"):  # panels fail alone, below the head of the page
        view = drawn(url, f"/ui/models/{model}{place}")
        assert "could not be drawn" in view or "Cannot be computed" in view, place
        assert "Try again" in view
        assert "Pages of this model" in view


def _until(holds: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what if isinstance(what, str) else what()
        time.sleep(0.1)


@contextmanager
def _grown(place: Cluster) -> Iterator[dict[str, int]]:
    """By how many bytes each ingest process has grown at most since the block was entered; complete when the block is left."""
    processes = [place.processes[name] for name in INGEST]
    before = {process.name: process.memory() for process in processes}
    grown, over = dict.fromkeys(before, 0), threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            for process in processes:
                grown[process.name] = max(grown[process.name], process.memory() - before[process.name])

    thread = threading.Thread(target=watch, name="memory")
    thread.start()
    try:
        yield grown
    finally:
        over.set()
        thread.join()
