"""What the acceptance tests watch: both models of the demo, every measure, by origin and carrier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper import document
from watchkeeper.client import Client
from watchkeeper.demo import flights
from watchkeeper.replay import Recording
from watchkeeper.send import send

SEGMENTS = ("origin", "carrier")
GROUPINGS = ["all", *SEGMENTS]


def monitors(pair: flights.Pair) -> list[dict[str, Any]]:
    """Monitors of every measure, as they stand in YAML."""
    columns = [*flights.FEATURES, "@prediction", "@label"]
    shared = {"model": pair.model, "segments": GROUPINGS, "min_samples": 30}
    watched: list[dict[str, Any]] = [
        {"monitor": "nulls", "measure": "quality.null_rate", "columns": list(flights.FEATURES), "warn": 0.01, "critical": 0.05},
        {"monitor": "psi", "measure": "drift.psi", "columns": columns, "warn": 0.1, "critical": 0.25},
        {"monitor": "js-before", "measure": "drift.js", "columns": columns, "baseline": "previous", "target": {"window": "7d"}},
    ]
    names = ("mae", "rmse") if pair.task == "regression" else ("accuracy", "f1", "roc_auc")
    limits = {"warn": 5, "critical": 10} if pair.task == "regression" else {"warn": 0.05, "critical": 0.1}
    for name in names:
        measure = f"performance.{name}"
        watched += [
            {"monitor": name, "measure": measure, "baseline": "reference", **limits},
            {"monitor": f"{name}-week", "measure": measure, "baseline": "previous", "target": {"window": "7d"}, **limits},
        ]
    return [{**shared, **monitor} for monitor in watched]


def define(client: Client, pair: flights.Pair) -> None:
    """Give the model its reference and its monitors."""
    client.reference(pair.model, pair.reference.read_bytes(), task=pair.task, segments=list(SEGMENTS), features=list(flights.FEATURES))
    client.apply(yaml.safe_dump(monitors(pair)))


def replay(client: Client, pair: flights.Pair, stream: Path | None = None) -> None:
    """Send a stream file, and see that nothing was rejected."""
    contract = document.read(client.contract(pair.model))
    receipt = send(client, Recording(stream or pair.stream, contract))
    assert (receipt.rejected, receipt.predictions.errors, receipt.labels.errors) == (0, [], [])


def ruler(pair: flights.Pair, stream: pd.DataFrame) -> pd.DataFrame:
    """The readings that must be there."""
    spec = Spec(task=pair.task, monitors=monitors(pair), features=flights.FEATURES, segments=SEGMENTS)
    return expected(pd.read_parquet(pair.reference), stream, spec)


def readings(client: Client, pair: flights.Pair) -> list[dict[str, Any]]:
    """All readings of the watched monitors."""
    return [item for monitor in monitors(pair) for item in client.readings(model=pair.model, monitor=monitor["monitor"], limit=10_000)]
