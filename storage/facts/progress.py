"""What ingest has committed: how far each partition is, and how far event time is."""

from __future__ import annotations

from dataclasses import dataclass, field

from core import moment
from storage.facts.engine import Engine

NEVER = moment.EARLIEST


@dataclass
class Progress:
    """Of one model: the last committed position of each partition by topic, and times in microseconds (`NEVER`: no prediction yet).

    `watermark` is the latest event time, never later than the log took it; `logged` when the log took the last one. Of slots up to `frozen`
    raw events may be gone by retention.
    """

    predictions: dict[int, int] = field(default_factory=dict)
    labels: dict[int, int] = field(default_factory=dict)
    watermark: int = NEVER
    first_ts: int = NEVER
    last_ts: int = NEVER
    logged: int = NEVER
    frozen: int = NEVER


class Batches:
    """Questions about committed batches. `retention` is how long raw events are kept (microseconds), None for ever."""

    def __init__(self, engine: Engine, retention: int | None = None) -> None:
        self._engine = engine
        self._retention = retention

    def progress(self, now: int) -> dict[str, Progress]:
        """The progress of every model that has events."""
        gone = "logged < fromUnixTimestamp64Micro({gone:Int64}, 'UTC')"
        spans = {"watermark": "max(b.watermark)", "first_ts": "min(b.first_ts)", "last_ts": "max(b.last_ts)", "logged": "max(b.logged)"}
        spans["frozen"] = f"if(countIf(b.{gone}) = 0, toDateTime64('1900-01-01', 6, 'UTC'), maxIf(b.last_ts, b.{gone}))"
        selected = ", ".join(f"toUnixTimestamp64Micro({span}) AS {name}" for name, span in spans.items())
        times = f"SELECT model, {selected} FROM batches AS b WHERE b.topic = 'predictions' AND b.rows > 0 GROUP BY model"
        # Times first: of what is committed meanwhile no watermark may be ahead of the positions.
        known = self._engine.query(times, {"gone": NEVER if self._retention is None else now - self._retention}).to_pylist()
        found = {row.pop("model"): Progress(**row) for row in known}
        positions = "SELECT model, topic, partition, max(last) AS last FROM batches GROUP BY model, topic, partition"
        for row in self._engine.query(positions).to_pylist():
            held = found.setdefault(row["model"], Progress())
            (held.labels if row["topic"] == "labels" else held.predictions)[row["partition"]] = row["last"]
        return found

    def totals(self) -> dict[str, dict[str, int]]:
        """Rows, duplicates and rejected rows by topic, over all models."""
        sql = "SELECT topic, sum(rows) AS rows, sum(duplicates) AS duplicates, sum(rejected) AS rejected FROM batches FINAL GROUP BY topic"
        return {row.pop("topic"): row for row in self._engine.query(sql).to_pylist()}
