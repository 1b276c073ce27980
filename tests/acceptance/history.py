"""Writes what the upgrade test starts from, with the version that is checked out: `python -m tests.acceptance.history tests/acceptance/versions/0.1.0.tar.xz`.

Run it before a change of what is stored, and commit the file under the name of that version; it is never written again. In it are the data folder of
a server that has been stopped, and `told.json`: what that server said about its readings and episodes.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.acceptance import census
from watchkeeper.client import Client
from watchkeeper.demo.receiver import Receiver
from watchkeeper.demo.server import DemoServer

MONITORS = ("nulls", "psi", "accuracy")
_WATCHED: dict[str, dict[str, Any]] = {
    "nulls": {"columns": ["age", "occupation"]},
    "psi": {"columns": ["hours", "@score"], "warn": 0.1, "critical": 0.25},
    "accuracy": {},
}


def told(client: Client) -> dict[str, list[dict[str, Any]]]:
    """A server's readings and episodes, without addresses."""
    readings = [item for name in MONITORS for item in client.readings(model=census.MODEL, monitor=name, limit=10_000)]
    episodes = [{**item, "url": None} for item in client.episodes()]
    return {"readings": readings, "episodes": episodes}


def refer(client: Client, columns: Sequence[str] | None = None, options: Mapping[str, Any] = census.OPTIONS) -> dict[str, Any]:
    """Give the model its reference, of some columns or all."""
    sink, people = BytesIO(), census.people(1_500, 1)
    people[list(columns or people.columns)].to_parquet(sink, index=False)
    return client.reference(census.MODEL, sink.getvalue(), **options)


def events(client: Client, seed: int, rows: int) -> None:
    """So many people and their labels."""
    for topic, sent in census.requests(census.people(rows, seed, drift=0.4)):
        getattr(client, topic)(sent)


def main(path: Path) -> None:
    """Run a server over a small stream, stop it, and pack its folder."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "data"
        horizon = {"WATCHKEEPER_ALERTS__NOTIFY_HORIZON": "10000d"}
        with Receiver(lambda _: None) as receiver, DemoServer(folder, environment=horizon) as server, Client(server.url) as client:
            refer(client)
            monitors = [
                {**one, **_WATCHED[one["monitor"]], "segments": ["all", "sex"]} for one in census.monitors() if one["monitor"] in MONITORS
            ]
            destination = {"destination": "oncall", "kind": "webhook", "url": receiver.url, "secret": receiver.secret, "severity": "report"}
            client.apply(yaml.safe_dump([*monitors, destination]))
            events(client, 2, 1_500)
            client.wait(600)
            said = json.dumps(told(client)).encode()
        (folder / "server.log").unlink()
        with tarfile.open(path, "w:xz") as archive:
            archive.add(folder, "data")
            entry = tarfile.TarInfo("told.json")
            entry.size = len(said)
            archive.addfile(entry, BytesIO(said))
    print(f"{path}: {path.stat().st_size:,} bytes")  # noqa: T201  # a command


if __name__ == "__main__":
    main(Path(sys.argv[1]))
