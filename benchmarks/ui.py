"""How soon pages and panels are there, with many events, many models and a year of panes, while events come: `python benchmarks/ui.py` or `make bench-ui`.

A cluster takes a day of events of one model with their labels, and evaluates it. The fact store then copies what the day has left (events, labels, outcomes, panes, readings) to a month of
that model and a year of all others. Two users ask for every page over HTTP, as a browser does, with other periods and segments each time, before and while events come by Kafka. `evaluate`
does not run meanwhile: it would audit the copies as if they had just come.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from confluent_kafka import Producer
from material.measure import options, progress, table
from scale import spent

from compose.servers.server import Server
from core import moment
from core.clock import SystemClock
from dashboard.site import SITE
from storage.facts.http import Http
from tests.acceptance.machines import Machines
from tests.acceptance.process import run
from tests.acceptance.world import Cluster
from watchkeeper.client import Client

DAY_ROWS = 12_000  # events of the day that is sent
CARRIERS = [f"C{at}" for at in range(8)]
PORTS = [f"P{at:03d}" for at in range(200)]
USERS = 2
BIG, LIVE = "m00", "live"  # the model with most of the events, and the one whose events come
SHARE = 0.6  # of the events, of the big one
HEADS = ("", "CPU ms", "of it ClickHouse", "p50 ms", "p95 ms", "p50 ms while events come", "p95 ms", "asked")
MONTH = 30  # days of events of the big one
_CALLBACK = "/ui/_dash-update-component"
_TABLES = {  # and the times of each that are moved
    "predictions": ("ts",),
    "labels": ("ts", "prediction_ts"),
    "outcomes": ("ts", "label_ts"),
    "panes": ("slot",),
    "performance_panes": ("slot",),
    "readings": ("window_start", "window_end"),
}


def rows(draw: np.random.Generator, many: int) -> dict[str, Any]:
    """Columns of a classifier of delays; every tenth prediction is wrong."""
    label = draw.integers(0, 2, many)
    said = np.where(draw.random(many) < 0.1, 1 - label, label)
    return {
        "wind": draw.gamma(2.0, 4.0, many).round(2),
        "temp": np.where(draw.random(many) < 0.01, np.nan, draw.normal(10, 8, many).round(2)),
        "distance": draw.integers(90, 2_500, many),
        "hour": draw.integers(0, 24, many),
        "carrier": np.array(CARRIERS, object)[draw.integers(0, len(CARRIERS), many)],
        "airport": np.array(PORTS, object)[draw.integers(0, len(PORTS), many)],
        "prediction": said,
        "score": np.where(said == 1, 0.5 + draw.random(many) / 2, draw.random(many) / 2).round(4),
        "label": label,
    }


def sent(model: str, columns: dict[str, Any], start: int, span: int, prefix: str) -> tuple[list[bytes], list[bytes]]:
    """Events and labels as they are sent, evenly from `start` over `span` microseconds."""
    many = len(columns["label"])
    names = ("wind", "temp", "distance", "hour", "carrier", "airport")
    lists = [[None if one != one else one for one in columns[name].tolist()] for name in names]  # NaN is sent as null
    events, labels = [], []
    for at, values in enumerate(zip(*lists, strict=True)):
        key, ts = f"{prefix}{at:07d}", moment.text(start + at * span // many)
        event = {"prediction_id": key, "model": model, "version": "3", "ts": ts, "features": dict(zip(names, values, strict=True))}
        events.append(msgspec.json.encode(event | {"prediction": int(columns["prediction"][at]), "score": float(columns["score"][at])}))
        labels.append(msgspec.json.encode({"prediction_id": key, "model": model, "label": int(columns["label"][at]), "ts": ts}))
    return events, labels


def prepare(client: Client, models: Sequence[str], day: int) -> None:
    """Give all models the same reference and monitors, and the big one a day of events with their labels."""
    sink = BytesIO()
    pq.write_table(pa.table(rows(np.random.default_rng(7), 4_000)), sink)
    for place, name in enumerate([*models, LIVE]):
        progress(f"reference {place + 1} of {len(models) + 1}")
        client.reference(name, sink.getvalue(), task="binary", segments=["carrier"], signals=["none"])
    watched: dict[str, Any] = {"segments": ["all", "carrier"], "target": "daily", "min_samples": 50}
    measures = {"drift.psi": {"warn": 0.02, "critical": 0.05}, "performance.accuracy": {}, "quality.null_rate": {"columns": ["temp"]}}
    one = [{"monitor": name, "measure": name, **watched, **more} for name, more in measures.items()]
    client.apply(yaml.safe_dump([{**monitor, "model": model} for model in models for monitor in one]))
    events, labels = sent(BIG, rows(np.random.default_rng(1), DAY_ROWS), day, moment.DAY, "d")
    for kind, lines in (("predictions", events), ("labels", labels)):
        for first in range(0, len(lines), 2_000):
            client.send(kind, b"\n".join(lines[first : first + 2_000]))
    later, _ = sent(BIG, rows(np.random.default_rng(2), 60), day + moment.DAY + moment.HOUR, moment.HOUR, "e")
    client.send("predictions", b"\n".join(later))  # the day's windows close
    progress("a day is evaluated")
    client.wait(600)


def copied_id(at: int, back: int, copy: int) -> str:
    """The id of a copy of the event `at` of the day, `back` days before it: in no order, as ids are that clients draw."""
    return md5(f"d{at:07d}-{back}-{copy}".encode()).hexdigest()  # noqa: S324  # not for secrecy


def copied(engine: Http, name: str, model: str, days: range, times: int, day: int, of: int = 1) -> None:
    """Copy what the day has left in a table to days before it, `times` to each, of every `of`-th event. Each copy of an event has another time of the day."""
    shifted = _TABLES[name]
    events = "ts" in shifted
    new = ["{model:String} AS model"]
    if events:
        turned = "({day:Int64} + (toUnixTimestamp64Micro(%s) - {day:Int64} + intDiv(c * {length:Int64}, {times:UInt32})) %% {length:Int64} - d * {length:Int64})"
        new += [f"fromUnixTimestamp64Micro({turned % one}, 'UTC') AS {one}" for one in shifted]
        new.append("lower(hex(MD5(concat(prediction_id, '-', toString(d), '-', toString(c))))) AS prediction_id")
    else:
        new += [f"{one} - toIntervalDay(d) AS {one}" for one in shifted]
    own = "startsWith(prediction_id, 'd') AND ts >= fromUnixTimestamp64Micro({day:Int64}, 'UTC')"  # ids of copies may begin so, too
    within = f" AND {own} AND cityHash64(prediction_id) % {{of:UInt32}} = 0" if events else ""
    labelled = " WHERE cityHash64(prediction_id) % 20 > 0" if name in ("labels", "outcomes") else ""  # one in twenty has no label
    found = engine.query(f"SELECT name FROM system.columns WHERE table = '{name}' AND database = currentDatabase()")
    listed = ", ".join(f"`{row['name']}`" for row in found.to_pylist())
    engine.command(
        f"INSERT INTO {name} ({listed}) SELECT {listed} FROM (SELECT * REPLACE ({', '.join(new)}) FROM"
        f" (SELECT * FROM {name} WHERE model = {{big:String}}{within}) AS one CROSS JOIN (SELECT toInt64(number) AS d FROM numbers({{first:UInt32}}, {{days:UInt32}})) AS two"
        f" CROSS JOIN (SELECT toInt64(number) AS c FROM numbers({{times:UInt32}})) AS three){labelled}",
        {"model": model, "big": BIG, "of": of, "first": days[0], "days": len(days), "times": times, "day": day, "length": moment.DAY},
    )


def fill(engine: Http, models: Sequence[str], many: int, days: int, day: int) -> None:
    """A month of the big model and a year of the others, of `many` events in all; panes and readings of a year for all of them."""
    each = max(1, round(many * (1 - SHARE) / max(1, len(models) - 1) / days))  # events of a day of a small one
    times = max(1, round(many * SHARE / MONTH / DAY_ROWS))
    for name, shifted in _TABLES.items():
        for place, model in enumerate(models[1:]):
            progress(f"{name}: {place + 1} of {len(models) - 1}")
            copied(engine, name, model, range(days), 1, day, max(1, DAY_ROWS // each))
        progress(f"{name} of {BIG}")  # last, since these copies would be copied, too; a day at a time, as the days came
        if "ts" not in shifted:
            copied(engine, name, BIG, range(1, days), 1, day)
            continue
        for back in range(1, MONTH + 1):
            copied(engine, name, BIG, range(back, back + 1), times, day)
    for model in [*models[1:], BIG]:  # the big one last: its own batches are copied, and then begin as long ago as its panes
        new = "{model:String} AS model, first_ts - toIntervalDay({back:UInt32}) AS first_ts"
        said = f"SELECT * REPLACE ({new}) FROM (SELECT * FROM batches WHERE model = {{big:String}}) AS one"  # REPLACE would hide the model of the condition
        engine.command(f"INSERT INTO batches {said}", {"model": model, "big": BIG, "back": days - 1})
    progress("parts are merged")
    until = time.monotonic() + 900
    while time.monotonic() < until and engine.query("SELECT 1 AS one FROM system.merges LIMIT 1").num_rows:
        time.sleep(2)


@dataclass
class Asked:
    """How long answers took, in seconds, by what was asked for; the CPU of the server and of ClickHouse, if one user is alone; and what went wrong."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)

    def ask(self, name: str, client: httpx.Client, method: str, path: str, body: Any = None, servers: Sequence[Server] = ()) -> None:
        """Ask once, and remember how long it took, and each of its panels."""
        before, began = [spent([one]) for one in servers], time.perf_counter()
        answer = client.request(method, path, json=body)
        self.took[name].append(time.perf_counter() - began)
        if servers:
            serve, store = (spent([one]) - was for one, was in zip(servers, before, strict=True))
            self.cpu[name].append((serve + store, store))
        for title, milliseconds in re.findall(r"([\w-]+);dur=([\d.]+)", answer.headers.get("Server-Timing", "")):
            self.took[f"panel {name.removeprefix('page ')}: {title}"].append(float(milliseconds) / 1e3)
        text = answer.text
        if answer.status_code != 200 or "could not be drawn" in text or '"title":"Error ·' in text:
            self.faults.append(f"{name}: {answer.status_code} {path} {json.dumps(body)[:300]} {text[:300]}")

    def shown(self, name: str, part: float) -> str:
        """A quantile in milliseconds; a dash if it was not asked for."""
        return f"{np.quantile(self.took[name], part) * 1e3:.0f}" if self.took.get(name) else "-"

    def spent(self, name: str, place: int) -> str:
        """The CPU of one request on average, in milliseconds."""
        return f"{np.mean([one[place] for one in self.cpu[name]]) * 1e3:.0f}" if self.cpu.get(name) else "-"


def page(path: str, search: str) -> dict[str, Any]:
    """The body by which a browser asks for a page."""
    outputs = [("view", "children"), ("nav", "children"), ("health", "children"), ("shown", "data"), ("digest", "data")]
    return {
        "output": f"..{'...'.join(f'{one}.{what}' for one, what in outputs)}..",
        "outputs": [{"id": one, "property": what} for one, what in outputs],
        "inputs": [
            {"id": "asked", "property": "data", "value": {"path": path, "search": search}},
            {"id": "version", "property": "data", "value": None},
        ],
        "changedPropIds": ["asked.data"],
        "parsedChangedPropsIds": ["asked.data"],
        "state": [{"id": "digest", "property": "data", "value": None}],
    }


def late(kind: str, *given: str) -> dict[str, Any]:
    """The body by which a browser asks for a part that takes longer."""
    place = {"late": json.dumps([kind, *given])}
    any_place = '{"late":["MATCH"]}'
    return {
        "output": f"..{any_place}.children...{any_place}.aria-busy..",
        "outputs": [{"id": place, "property": what} for what in ("children", "aria-busy")],
        "inputs": [{"id": place, "property": "id", "value": place}],
        "changedPropIds": [f"{json.dumps(place, separators=(',', ':'))}.id"],
        "parsedChangedPropsIds": [f"{json.dumps(place, separators=(',', ':'))}.id"],
    }


@dataclass(frozen=True)
class Site:
    """What users open: the models, a day, an episode or none, and how many copies of each event of the day a day before has."""

    url: str
    models: Sequence[str]
    day: int
    episode: str
    times: int

    def user(self, seed: int, rounds: int, servers: Sequence[Server] = ()) -> Asked:  # long: everything that is asked for, in turn
        """One person who opens everything, each time with another period, segment and model; with `servers`, whose CPU is told."""
        draw, found = np.random.default_rng(seed), Asked()
        with httpx.Client(base_url=self.url, timeout=120.0, trust_env=False) as client:

            def ask(name: str, method: str, path: str, body: Any = None) -> None:
                found.ask(name, client, method, path, body, servers)

            for _ in range(rounds):
                event = copied_id(int(draw.integers(0, DAY_ROWS)), int(draw.integers(1, MONTH + 1)), int(draw.integers(0, self.times)))
                for entry in SITE:
                    model = str(draw.choice(self.models)) if draw.random() < 0.5 else BIG
                    last = {"alerts/*": [self.episode], "models/*/columns/*": [model, "temp"], "models/*/events/*": [BIG, event]}
                    parts = last.get(entry.path, [model])
                    if not all(parts):
                        continue
                    segment = f"&segment=carrier%3D{draw.choice(CARRIERS)}" if draw.random() < 0.5 and entry.of_model else ""
                    search = entry.search or f"?range={draw.choice(['7d', '30d', '90d', 'all'])}{segment}"
                    path = "/ui/" + "/".join(quote(step) for step in entry.filled(parts))
                    ask(f"page {entry.path or 'inbox'}", "POST", _CALLBACK, page(path, search))
                window = f"?window={quote(moment.text(self.day - int(draw.integers(0, 20)) * moment.DAY))}"
                for kind, given in {"segments": [BIG, window], "causes": [self.episode, ""]}.items():
                    if given[0]:
                        ask(f"part {kind}", "POST", _CALLBACK, late(kind, *given))
                span = f"from={quote(moment.text(self.day - MONTH * moment.DAY))}&to={quote(moment.text(self.day))}"
                carrier, null = f"&segment=carrier%3D{draw.choice(CARRIERS)}", "&column=temp&bin=null"
                for name, more in {
                    "newest": "", "of a segment": carrier, "null": null, "wrong": "&label=wrong", "unlabelled": "&label=unknown",
                    "wrong of a segment": f"&label=wrong{carrier}", "worst": "&order=worst", "worst of a segment, null": f"&order=worst{carrier}{null}",
                }.items():  # fmt: skip
                    ask(f"month {name}", "GET", f"/v1/events?model={BIG}&{span}&limit=100{more}")
                    ask(f"count {name}", "POST", _CALLBACK, page(f"/ui/models/{BIG}/events", f"?{span}{more.replace('bin=', 'value=')}"))
                start = self.day - MONTH * moment.DAY + int(draw.integers(0, 48)) * moment.HOUR
                for name, more in {
                    "accuracy": "measure=performance.accuracy",
                    "drift of a column": "measure=drift.psi&column=carrier",
                }.items():
                    spans = f"from={quote(moment.text(start))}&to={quote(moment.text(self.day))}"
                    ask(f"causes in a month: {name}", "GET", f"/v1/cause?model={BIG}&{spans}&{more}")
                ask("event by id", "GET", f"/v1/events/{BIG}/{event}")
        return found

    def users(self, rounds: int) -> Asked:
        """All of them at once."""
        whole = Asked()
        with ThreadPoolExecutor(USERS) as pool:
            for one in pool.map(lambda seed: self.user(seed, rounds), range(USERS)):
                whole.faults += one.faults
                for name, took in one.took.items():
                    whole.took[name] += took
        return whole


def stream(bootstrap: str, prefix: str, rate: int, over: Any) -> None:
    """Send `rate` events a second whose time is now, until it is over. A process of its own."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "compression.type": "lz4"})
    mark, then = b"@" * 12, moment.text(1_000_000_000_000_000)
    lines, _ = sent(LIVE, rows(np.random.default_rng(3), rate // 10), 1_000_000_000_000_000, 1, mark.decode())
    began, turn = time.monotonic(), 0
    while not over.wait(max(0.0, began + turn / 10 - time.monotonic())):
        now, tag = moment.text(SystemClock().now()).encode(), f"{turn:012d}".encode()
        for line in lines:
            producer.produce(f"{prefix}predictions", line.replace(mark, tag).replace(then.encode(), now))
        producer.poll(0)
        turn += 1
    producer.flush(30)


@contextmanager
def streaming(cluster: Cluster, rate: int) -> Iterator[None]:
    """A live stream for as long as the block lasts."""
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    process = context.Process(target=stream, args=(cluster.servers.bootstrap, cluster.servers.prefix, rate, over), daemon=True)
    process.start()
    try:
        yield
    finally:
        over.set()
        process.join()


def arrived(engine: Http) -> int:
    """Events of the live model that are in the store."""
    return int(engine.query("SELECT count() AS n FROM predictions WHERE model = {model:String}", {"model": LIVE})["n"][0].as_py())


def rate_of(engine: Http, seconds: float) -> float:
    """Events a second that are written."""
    began, first = time.monotonic(), arrived(engine)
    time.sleep(seconds)
    return (arrived(engine) - first) / (time.monotonic() - began)


def main() -> None:  # long: the parts of a run in their order
    """Print the table."""
    parser = options(__doc__ or "", "python benchmarks/ui.py --events 5000000 --models 10 --days 60")
    parser.add_argument("--events", type=int, default=50_000_000, help="events (50000000)")
    parser.add_argument("--models", type=int, default=30, help="models (30)")
    parser.add_argument("--days", type=int, default=365, help="days of panes (365)")
    parser.add_argument("--rate", type=int, default=20_000, help="events a second that come meanwhile (20000); 0 for none")
    parser.add_argument("--rounds", type=int, default=10, help="times that each user asks for everything (10)")
    given = parser.parse_args()
    models = [f"m{place:02d}" for place in range(given.models)]
    day = SystemClock().now() // moment.DAY * moment.DAY - 3 * moment.DAY
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, Machines(Path(folder) / "servers") as machines:
        servers = machines.servers("ui")
        cluster = Cluster(Path(folder), servers, servers.environment)
        run(["migrate"], servers.environment)
        serve, ingest, evaluate = (cluster.processes[name] for name in ("serve", "ingest-1", "evaluate"))
        with (
            serve,
            ingest,
            Client(serve.url) as client,
            closing(Http(servers.clickhouse, servers.user, servers.password, servers.database)) as engine,
        ):
            with evaluate:
                prepare(client, models, day)
            began = time.monotonic()
            fill(engine, models, given.events, given.days, day)
            held = {name: int(engine.query(f"SELECT count() AS n FROM {name}")["n"][0].as_py()) for name in _TABLES}
            disk = engine.query("SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND database = currentDatabase()")
            size = int(disk["n"][0].as_py())
            progress(f"filled in {time.monotonic() - began:.0f} s: {held}, {size / 1e9:.1f} GB")
            episode = next((one["id"] for one in client.episodes(model=BIG)), "")
            site = Site(serve.url, models, day, episode, max(1, round(given.events * SHARE / MONTH / DAY_ROWS)))
            site.users(1)  # code is loaded, and ClickHouse has its files open
            progress("one user")
            single = site.user(9, max(2, given.rounds // 3), (serve, machines.clickhouse))
            progress("two users")
            alone = site.users(given.rounds)
            beside, wrote = Asked(), (float("nan"), float("nan"))
            if given.rate:
                with streaming(cluster, given.rate):
                    progress("events come")
                    time.sleep(10.0)
                    without = rate_of(engine, 20.0)
                    progress("two users while events come")
                    began, first = time.monotonic(), arrived(engine)
                    beside = site.users(given.rounds)
                    wrote = (without, (arrived(engine) - first) / (time.monotonic() - began))
    figures = [
        (
            name,
            *(single.spent(name, place) for place in (0, 1)),
            *(one.shown(name, part) for one in (alone, beside) for part in (0.5, 0.95)),
            str(len(alone.took[name])),
        )
        for name in sorted(alone.took)
    ]
    counts = ", ".join(f"{n:,} {name}" for name, n in held.items())
    load = f"{os.cpu_count()} cores, servers among them; load at the end {os.getloadavg()[0]:.1f}"
    table(f"{USERS} users; {given.models} models; {counts}; {size / 1e9:.1f} GB; {load}", HEADS, figures)
    print(f"\nevents written a second: {wrote[0]:,.0f} without users, {wrote[1]:,.0f} beside them")
    for fault in sorted({*single.faults, *alone.faults, *beside.faults}):
        print(f"FAULT {fault}")


if __name__ == "__main__":
    main()
