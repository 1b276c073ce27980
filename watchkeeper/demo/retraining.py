"""The retraining of the demo: in spring the model of delays gets worse than its thresholds, its hook asks the trainer, and the new version predicts the rest of the year."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from watchkeeper.client import Client
from watchkeeper.demo.flights import Pair
from watchkeeper.demo.sending import Sending
from watchkeeper.demo.trainer import VERSION, Trainer
from watchkeeper.replay.recording import Recording

MODEL = "flight-delay"
ASKED = datetime(2013, 5, 2, tzinfo=UTC)  # windows of a week begin and end on Thursdays
JUDGED = datetime(2013, 5, 26, tzinfo=UTC)  # when three of them are over
BEGIN, END = datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 2, tzinfo=UTC)
_TRAINED = {"succeeded", "verifying", "effective", "ineffective"}
_PATIENCE = 300.0  # seconds for a run, and for its verdict

Say = Callable[[str], None]


def year_with_retraining(client: Client, sending: Sending, pairs: Sequence[Pair], folder: Path, say: Say) -> None:
    """Send the year in three parts, with files in `folder`: until the hook asks, until the new version is judged, and the rest.

    If no run succeeds in time, it is said, and the old version predicts the whole year.
    """
    later = {pair.model: _part(pair.stream, folder, ASKED, END) for pair in pairs}
    with Trainer(later[MODEL], folder) as trainer:
        sending.send(_recordings(sending, {pair.model: _part(pair.stream, folder, BEGIN, ASKED) for pair in pairs}))
        say("waiting until every window before May is evaluated")
        client.wait(timeout=1800)
        client.apply(yaml.safe_dump([hook(trainer)]))
        say(f"a hook asks {trainer.url} for a retraining of {MODEL}")
        if trained := _retrained(client, say):
            later[MODEL] = trainer.predicted
    for start, end in ((ASKED, JUDGED), (JUDGED, END)):
        if trained and start == JUDGED:
            client.wait(timeout=1800)
            found = _until(client, lambda one: one["ended_at"] is not None)
            say("the new version is not judged yet" if found is None else f"the retraining was {found['state']}: {_last(found)}")
        sending.send(_recordings(sending, {model: _part(path, folder, start, end) for model, path in later.items()}, trained=trained))


def _retrained(client: Client, say: Say) -> bool:
    """Wait until the run that was asked for has ended; whether there is a new version."""
    found = _until(client, lambda one: one["state"] in _TRAINED or one["ended_at"] is not None)
    if found is None or found["state"] not in _TRAINED:
        say("there is no new version: " + ("nothing asked for one" if found is None else f"{found['state']}, {_last(found)}"))
        return False
    say(f"retrained from {found['manifest']['from']} on, {found['manifest']['labelled']:,} labelled rows: {found['reason']}")
    return True


def hook(trainer: Trainer) -> dict[str, Any]:
    """The hook of the demo, which asks a trainer."""
    return {
        "hook": "retrain-delay",
        "model": MODEL,
        "kind": "webhook",
        "url": trainer.url,
        "secret": trainer.secret,
        "on": {"severity": "report", "families": ["performance"], "after": "2 windows"},
        "mode": "automatic",
        "require": {"labels": 10_000, "no_open": ["quality"]},
        "verify": {"measure": "performance.roc_auc", "window": "7d", "windows": 3, "within": "60d"},
    }


def _recordings(sending: Sending, parts: Mapping[str, Path], *, trained: bool = False) -> dict[str, Recording]:
    return {
        model: Recording(path, sending.contracts[model], version=VERSION if trained and model == MODEL else "1")
        for model, path in parts.items()
    }


def _part(path: Path, folder: Path, start: datetime, end: datetime) -> Path:
    """The flights of a file that leave in a period, as a file in `folder`."""
    part = folder / f"{path.stem}-{start:%m%d}-{end:%m%d}.parquet"
    pq.write_table(pq.read_table(path, filters=[("ts", ">=", start), ("ts", "<", end)]), part)
    return part


def _until(client: Client, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    """The newest request of the model once it is as wanted; None if it does not become so in time."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if (found := client.retrains(model=MODEL, limit=1)) and holds(found[0]):
            return found[0]
        time.sleep(0.5)
    return None


def _last(request: Mapping[str, Any]) -> str:
    """What the newest change of a request says."""
    return str(request["history"][-1]["reason"])
