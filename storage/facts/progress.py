"""What ingest has committed: how far each partition is, and how far event time is."""

from __future__ import annotations

from typing import NamedTuple

from storage.facts.engine import Engine


class Progress(NamedTuple):
    """Of one model: the last committed position of each partition by topic, and its times in microseconds (0: no prediction yet).

    `watermark` is the latest event time, never later than the log took it. `live` tells whether the latest event was new when it came.
    """

    predictions: dict[int, int]
    labels: dict[int, int]
    watermark: int
    first_ts: int
    last_ts: int
    last_logged: int


class Batches:
    """Questions about committed batches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def progress(self) -> dict[str, Progress]:
        """The progress of every model that has events."""
        sql = (
            "SELECT model, topic, partition, max(last) AS last, toUnixTimestamp64Micro(max(watermark)) AS watermark, toUnixTimestamp64Micro(min(first_ts)) AS first_ts,"
            " toUnixTimestamp64Micro(max(last_ts)) AS last_ts, toUnixTimestamp64Micro(max(logged)) AS logged FROM batches GROUP BY model, topic, partition"
        )
        found: dict[str, Progress] = {}
        for row in self._engine.query(sql).to_pylist():
            old = found.get(row["model"], Progress({}, {}, 0, 0, 0, 0))
            positions = {row["partition"]: row["last"]}
            if row["topic"] == "labels":
                found[row["model"]] = old._replace(labels=old.labels | positions)
                continue
            found[row["model"]] = Progress(
                old.predictions | positions,
                old.labels,
                max(old.watermark, row["watermark"]) if old.predictions else row["watermark"],
                min(old.first_ts, row["first_ts"]) if old.predictions else row["first_ts"],
                max(old.last_ts, row["last_ts"]) if old.predictions else row["last_ts"],
                max(old.last_logged, row["logged"]),
            )
        return found

    def totals(self) -> dict[str, dict[str, int]]:
        """Rows, duplicates and rejected rows by topic, over all models."""
        sql = "SELECT topic, sum(rows) AS rows, sum(duplicates) AS duplicates, sum(rejected) AS rejected FROM batches FINAL GROUP BY topic"
        return {row.pop("topic"): row for row in self._engine.query(sql).to_pylist()}
