"""What these tests send, and what they read back."""

from __future__ import annotations

from typing import Any

from core import moment
from tests.acceptance.backend import Backend, monitors

START = 20_000 * moment.DAY
CLOCK = START + 100 * moment.DAY  # the log's time
FEW = {"nulls", "psi", "accuracy", "auc", "coverage", "to date"}  # one monitor of each table of panes and outcomes, and of each length


def predict(
    backend: Backend, model: str, partition: int, logged: int, key: str = "a", *, day: int = 0, hour: int = 0, **changed: Any
) -> None:
    """Send a prediction; `logged` is in seconds after `CLOCK`."""
    row = {"prediction_id": key, "features": {"x": 1, "c": "a"}, "prediction": 1, "score": 0.9}
    at = {"model": model, "ts": (START + day * moment.DAY + hour * moment.HOUR) // 1_000}
    backend.append("predictions", [row | at | changed], partition, CLOCK + logged * moment.SECOND)


def watch_few(backend: Backend, model: str) -> None:
    """Give a model few monitors, where the test asks for no others."""
    backend.monitors[model] = [one for one in monitors(model) if one.name in FEW]


def label(backend: Backend, model: str, key: str = "a", value: int = 1, *, partition: int = 0) -> None:
    """Send a label."""
    backend.append("labels", [{"prediction_id": key, "model": model, "label": value, "ts": START // 1_000}], partition, CLOCK)


def settle(backend: Backend, model: str) -> None:
    """Take steps until there is nothing left to do."""
    backend.ingest(1_000_000)
    assert any(not backend.evaluate(model, silent=True) for _ in range(6))


def counts(backend: Backend, model: str, monitor: str = "nulls", column: str = "x") -> dict[tuple[int, str], int]:
    """n_target of a monitor's readings, by day and segment."""
    found = backend.readings(model)
    return {
        ((start - START) // moment.DAY, segment): dict(reading)["n_target"]
        for (name, of, segment, start, _), reading in found.items()
        if (name, of) == (monitor, column)
    }
