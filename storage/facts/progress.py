"""What ingest has committed: the position of each partition, and the watermark of each model."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core import moment
from storage.facts.engine import Engine

NEVER = moment.EARLIEST

_SUMS = ("rows", "duplicates", "rejected")
_ADMITTED = f"SELECT topic, {', '.join(f'sum(b.{name}) AS {name}' for name in _SUMS)} FROM (SELECT DISTINCT * FROM batches WHERE admitted = 1) AS b GROUP BY topic"


@dataclass
class Progress:
    """The progress of one model: by topic the last committed position of each partition, and times in microseconds (`NEVER`: no prediction yet).

    `watermark` is the latest event time, where an event counts as no later than when the log took it. `logged` is when the log took the last prediction.
    Retention may have removed raw events of slots up to `frozen`.
    """

    predictions: dict[int, int] = field(default_factory=dict)
    labels: dict[int, int] = field(default_factory=dict)
    watermark: int = NEVER
    first_ts: int = NEVER
    last_ts: int = NEVER
    logged: int = NEVER
    frozen: int = NEVER


class Batches:
    """Queries of committed batches; threads share it. `retention` is how long raw events are kept (microseconds), None for ever."""

    def __init__(self, engine: Engine, retention: int | None = None) -> None:
        self._engine = engine
        self._retention = retention
        self._lock = threading.Lock()  # sums by topic of all batches up to the last known one of each partition
        self._sums: dict[str, dict[str, int]] = {}
        self._known: dict[tuple[str, int], int] = {}

    def mark(self) -> frozenset[tuple[object, ...]]:
        """A value that changes when a batch of any model is committed: the position of each partition, and the number of batches."""
        sql = "SELECT topic, partition, max(b.last) AS last, countIf(b.rows > 0) AS batches FROM batches AS b GROUP BY topic, partition"
        return frozenset(tuple(row.values()) for row in self._engine.query(sql).to_pylist())

    def newest(self) -> int | None:
        """The latest event time of all predictions in microseconds; None if there are none."""
        sql = (
            "SELECT topic, toUnixTimestamp64Micro(maxIf(b.last_ts, b.rows > 0)) AS last, countIf(b.rows > 0) AS events FROM batches AS b"
            " WHERE model != '' AND NOT endsWith(model, '/purged/reference') GROUP BY topic"
        )
        rows = self._engine.query(sql).to_pylist()
        return max((row["last"] for row in rows if row["topic"] == "predictions" and row["events"]), default=None)

    def progress(self, now: int, models: Collection[str] | None = None) -> dict[str, Progress]:
        """The progress of these models, or of all that have events. It is read from sums that the table keeps for each of its parts (migration 0004)."""
        spans = {"first_ts": "min", "last_ts": "max", "watermark": "max", "logged": "max"}
        times = ", ".join(f"toUnixTimestamp64Micro({span}If(b.{name}, b.rows > 0)) AS {name}" for name, span in spans.items())
        of, asked = ("", {}) if models is None else (" WHERE model IN {models:Array(String)}", {"models": sorted(models)})
        # One query, so that the watermark cannot be ahead of the positions when a batch is committed meanwhile.
        sql = f"SELECT model, topic, partition, max(b.last) AS last, countIf(b.rows > 0) AS events, {times} FROM batches AS b{of} GROUP BY model, topic, partition"
        found: dict[str, Progress] = {}
        for row in self._engine.query(sql, asked).to_pylist():
            one = found.setdefault(row["model"], Progress())
            (one.labels if row["topic"] == "labels" else one.predictions)[row["partition"]] = row["last"]
            if row["topic"] == "predictions" and row["events"]:
                one.first_ts = row["first_ts"] if one.first_ts == NEVER else min(one.first_ts, row["first_ts"])
                one.last_ts = max(one.last_ts, row["last_ts"])
                one.watermark = max(one.watermark, row["watermark"])
                one.logged = max(one.logged, row["logged"])
        found.pop("", None)  # batches of which no row could be used
        if self._retention is not None:
            self._freeze(found, now - self._retention)
        return found

    def totals(self) -> dict[str, dict[str, int]]:
        """Rows, duplicates and rejected rows by topic, over all models.

        The store cannot keep these sums, because a batch may be there twice until its rows are merged. So they are kept here, and only later batches are
        queried. No new batch comes before these: a partition's batches are written in the order of their positions, and a process that has lost the partition
        can only write the batch of its intent, which the next process finds and writes with the same rows and keys. If the last known batch is gone, the
        tables come from a backup, and everything is queried again.
        """
        with self._lock:
            rows = self._behind()
            if self._known.keys() - {(row["topic"], row["partition"]) for row in rows if row["known"]}:
                self._sums, self._known = {}, {}
                rows = self._behind()
            for row in rows:
                sums = self._sums.setdefault(row["topic"], dict.fromkeys(_SUMS, 0))
                self._known[row["topic"], row["partition"]] = row["last"]
                for name in _SUMS:
                    sums[name] += row[name]
            found = {topic: {**sums} for topic, sums in self._sums.items()}
        for row in self._engine.query(_ADMITTED).to_pylist():  # they are older than the last known batch
            sums = found.setdefault(row["topic"], dict.fromkeys(_SUMS, 0))
            for name in _SUMS:
                sums[name] += row[name]
        return found

    def outside(self, model: str) -> dict[str, int]:
        """By topic, how many rows of a model had a prediction or label that was none of its classes."""
        sql = "SELECT topic, sum(b.outside) AS rows FROM batches AS b FINAL WHERE model = {model:String} AND b.outside > 0 GROUP BY topic"
        return {row["topic"]: row["rows"] for row in self._engine.query(sql, {"model": model}).to_pylist()}

    def _behind(self) -> list[dict[str, Any]]:
        """For each partition the sums of the batches after the last known one, the last position, and as `known` whether the known batch is there."""

        def after(sign: str) -> str:
            places = (
                f"(b.topic = '{topic}' AND b.partition = {part} AND b.last {sign} {last})" for (topic, part), last in self._known.items()
            )
            return f"NOT ({' OR '.join(places) or '0'})"

        sums = ", ".join(f"sumIf(b.{name}, {after('<=')}) AS {name}" for name in _SUMS)
        rows: list[dict[str, Any]] = self._engine.query(
            f"SELECT topic, partition, max(b.last) AS last, countIf(NOT {after('<=')}) > 0 AS known, {sums}"
            f" FROM batches AS b FINAL WHERE b.admitted = 0 AND {after('<')} GROUP BY topic, partition"
        ).to_pylist()
        return rows

    def _freeze(self, found: Mapping[str, Progress], gone: int) -> None:
        """Set `frozen`: the latest event time that was logged before `gone`. Whole hours of the log are counted, also the one that holds `gone`."""
        sql = (
            "SELECT model, topic, toUnixTimestamp64Micro(maxIf(b.last_ts, b.rows > 0)) AS last, countIf(b.rows > 0) AS events FROM batches AS b"
            " WHERE toStartOfHour(b.logged) < fromUnixTimestamp64Micro({gone:Int64}, 'UTC') GROUP BY model, topic"
        )
        for row in self._engine.query(sql, {"gone": gone}).to_pylist():
            if row["topic"] == "predictions" and row["events"] and row["model"] in found:
                found[row["model"]].frozen = row["last"]
