"""Writes docs/sea.md: what `change.*` finds on SEA through a real server, beside river on the same errors. `python -m validation.sea`; ends with 1 if they differ.

The stream is sent twice, each time to a process of its own: in order, and disturbed, which must change nothing.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from compose.servers.server import Server
from core import moment
from validation.change import CHANGES, DETECTORS, Compared, plainly
from validation.public import load
from watchkeeper.client import Client

PAGE = Path(__file__).parents[1] / "docs" / "sea.md"
MODEL, FIRST, ROWS = "sea", 8_000, 50_000  # production begins with row FIRST
_BATCH, _EACH = 500, 30 * moment.SECOND
_THRESHOLDS = (8.0, 9.0, 7.0, 9.5)


class Up(Server):
    """`watchkeeper up` in a folder."""

    name = "up"
    patience = 300.0

    def _ready(self) -> bool:
        """Whether it answers."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/v1/health/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "watchkeeper", "up", "--data", str(self.folder / "data"), "--port", str(self.port)]


def table() -> tuple[pa.Table, str]:
    """The rows of SEA, and where they come from: the public file, or else its formula (Street and Kim 2001), with the rule of the first part as the model."""
    if (data := load("sea_abrupt")) is not None:
        return data.table, "the public data set `sea_abrupt`"
    rng = np.random.default_rng(1)
    f = rng.uniform(0, 10, (ROWS, 3))
    limit = np.repeat(_THRESHOLDS, ROWS // 4)
    label = (f[:, 0] + f[:, 1] <= limit) ^ (rng.random(ROWS) < 0.1)
    ts = pa.array(moment.parse("2024-03-01T00:00:00Z") + np.arange(ROWS) * _EACH).cast(pa.timestamp("us", "UTC"))
    ids = [f"sea-{row:07d}" for row in range(ROWS)]
    said = (f[:, 0] + f[:, 1] <= _THRESHOLDS[0]).astype(np.int64)
    columns = {
        "ts": ts,
        "prediction_id": ids,
        "f1": f[:, 0],
        "f2": f[:, 1],
        "f3": f[:, 2],
        "prediction": said,
        "label": label.astype(np.int64),
    }
    return pa.table(columns), "its formula, seed 1"


def events(rows: pa.Table) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The predictions, and their labels an hour later."""
    times = rows["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
    held = list(zip(times, rows.select(["prediction_id", "prediction", "label", "f1", "f2", "f3"]).to_pylist(), strict=True))
    predictions = [
        {
            "model": MODEL,
            "prediction_id": one["prediction_id"],
            "ts": moment.text(ts),
            "prediction": one["prediction"],
            "features": {name: one[name] for name in ("f1", "f2", "f3")},
        }
        for ts, one in held
    ]
    labels = [
        {"model": MODEL, "prediction_id": one["prediction_id"], "ts": moment.text(ts + moment.HOUR), "label": one["label"]}
        for ts, one in held
    ]
    return predictions, labels


def in_order(rows: pa.Table) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Requests, each of labels after that of its predictions."""
    predictions, labels = events(rows)
    for first in range(0, len(labels), _BATCH):
        yield "predictions", predictions[first : first + _BATCH]
        yield "labels", labels[first : first + _BATCH]


def disturbed(rows: pa.Table) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The same rows out of order by up to some days: labels before predictions, a tenth of all wrong at first and corrected at the end, a tenth of all requests twice, and a kill after each third."""
    rng = np.random.default_rng(2)
    predictions, labels = events(rows)
    wrong = rng.random(len(labels)) < 0.1
    first = [
        {**one, "label": 1 - one["label"], "ts": one["ts"].replace("2024", "2023")} if bad else one
        for one, bad in zip(labels, wrong, strict=True)
    ]
    places = np.argsort(np.arange(len(labels)) + rng.uniform(0, 9_000, len(labels)))
    parts = [places[start : start + _BATCH] for start in range(0, len(places), _BATCH)]
    for number, part in enumerate(parts, 1):
        both = [("labels", [first[place] for place in part]), ("predictions", [predictions[place] for place in part])]
        yield from both if number % 2 else reversed(both)
        if number % 10 == 0:
            yield both[number % 20 == 0]
        if number in (len(parts) // 3, 2 * len(parts) // 3):
            yield "kill", []
    corrected = [labels[place] for place in rng.permutation(np.flatnonzero(wrong))]
    for start in range(0, len(corrected), _BATCH):
        yield "labels", corrected[start : start + _BATCH]


def run(reference: pa.Table, requests: Iterator[tuple[str, list[dict[str, Any]]]]) -> tuple[dict[str, list[str]], float]:
    """The times of detections by measure, from a server of its own that gets these requests; and how long it took, in seconds."""
    began = time.monotonic()
    monitors = [
        {"monitor": name, "model": MODEL, "measure": name, "target": {"window": "1h"}, "params": {"of": "performance.accuracy"}}
        for name in DETECTORS
    ]
    sink = BytesIO()
    pq.write_table(reference, sink)
    with tempfile.TemporaryDirectory() as folder:
        server = Up(Path(folder))
        server.start()
        try:
            with Client(f"http://127.0.0.1:{server.port}") as client:
                client.reference(MODEL, sink.getvalue(), task="binary", features=["f1", "f2", "f3"])
                client.apply(yaml.safe_dump(monitors))
                for kind, sent in requests:
                    if kind == "kill":
                        server.kill()
                        server.start()
                    else:
                        (client.predictions if kind == "predictions" else client.labels)(sent)
                if problems := client.wait(1_800)["problems"]:
                    raise RuntimeError(f"the server has problems: {problems}")
                found = {
                    name: [at for one in client.readings(model=MODEL, monitor=name) for at in _detections(one["evidence"])]
                    for name in DETECTORS
                }
        finally:
            server.stop()
    return found, time.monotonic() - began


def _detections(evidence: dict[str, Any]) -> list[str]:
    each = evidence.get("detections", [evidence] if "detected_at" in evidence else [])
    return [one["detected_at"] for one in each]


_HEAD = """# Changes on SEA

Written by `python -m validation.sea`, which sends {origin} to a server of its own over HTTP, applies a monitor of each measure, and reads what it has found. {rows:,} rows from row {first:,} on; the rule changes at rows {changes}. `delays` are the rows from each change to the first detection after it, `false` counts all
other detections. *As river* compares with river's detector called plainly on the same errors. *Disturbed*: the same stream out of order by up to three days, labels before predictions, a tenth of the labels wrong at first and corrected at the end, a tenth of the requests twice, and two times `kill -9`.

| measure | found | delays in rows | false | as river | disturbed |
|---|---:|---|---:|---|---|
"""


def main() -> None:
    """Write the page; end with 1 if a detection differs."""
    rows, origin = table()
    reference = rows.slice(4_000, FIRST - 4_000).select(["prediction_id", "ts", "f1", "f2", "f3", "prediction", "label"])
    stream = rows.slice(FIRST)
    wrong = pc.not_equal(stream["prediction"], stream["label"]).to_numpy().astype(np.float64)
    times = stream["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    quiet, seconds = run(reference, in_order(stream))
    print(f"in order: {seconds:.0f} s", flush=True)
    stormy, seconds = run(reference, disturbed(stream))
    print(f"disturbed: {seconds:.0f} s", flush=True)
    text = _HEAD.format(origin=origin, rows=len(stream), first=FIRST, changes=", ".join(f"{one:,}" for one in CHANGES))
    held = True
    for measure, make in DETECTORS.items():
        ours = [FIRST + int(np.searchsorted(times, moment.parse(at))) for at in quiet[measure]]
        one = Compared(ours, [FIRST + at for at in plainly(make(), wrong)], 0.0, 0.0)
        same = one.ours == one.theirs, quiet[measure] == stormy[measure]
        held &= all(same)
        delays = ", ".join("none" if delay is None else f"{delay:,}" for delay in one.delays)
        line = f"| `{measure}` | {len(ours)} | {delays} | {one.false} | {' | '.join('equal' if equal else 'differs' for equal in same)} |"
        print(line, flush=True)
        text += line + "\n"
    PAGE.write_text(text, encoding="utf-8")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
