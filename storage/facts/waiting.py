"""Events of models without a contract, which wait until there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from core.block import Ints
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.raw import Ranges, within

Topic = Literal["predictions", "labels"]

_STILL = "model = {model:String} AND until > now()"


class WaitingBodies(NamedTuple):
    """Events that wait, of one partition in the order of the log: their places, when the log took them, and their JSON."""

    position: Ints
    place: Ints
    logged: Ints
    body: list[bytes]


class WaitingStore:
    """Queries of events that wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self, model: str = "") -> dict[str, dict[str, int]]:
        """By model and topic, how many events wait; of one model, or of all."""
        of = " AND model = {model:String}" if model else ""
        sql = f"SELECT model, topic, uniqExact(partition, position, place) AS n FROM waiting WHERE until > now(){of} GROUP BY model, topic ORDER BY model, topic"
        found: dict[str, dict[str, int]] = {}
        for row in self._engine.query(sql, {"model": model}).to_pylist():
            found.setdefault(row["model"], {})[row["topic"]] = row["n"]
        return found

    def held(self, topic: Topic, partition: int) -> dict[str, int]:
        """How many events of each model wait in a partition of the log."""
        sql = (
            "SELECT model, uniqExact(position, place) AS n FROM waiting WHERE topic = {topic:String} AND partition = {partition:UInt32}"
            " AND until > now() GROUP BY model"
        )
        return {row["model"]: row["n"] for row in self._engine.query(sql, {"topic": topic, "partition": partition}).to_pylist()}

    def portion(self, model: str, committed: Mapping[Topic, Mapping[int, int]], most: int) -> dict[Topic, dict[int, tuple[int, int]]]:
        """By topic and partition the first and last position of the model's first events that wait: whole batches that are committed, of about `most` events together."""
        ends = f"SELECT topic, partition, last, min(position) AS first, uniqExact(position, place) AS n FROM waiting WHERE {_STILL} GROUP BY topic, partition, last"
        before = "sum(n) OVER (PARTITION BY topic, partition ORDER BY last ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - n"
        done = " OR ".join(
            f"(topic = '{topic}' AND partition = {int(part)} AND last <= {int(last)})"
            for topic, at in committed.items()
            for part, last in at.items()
        )
        sql = (
            f"SELECT topic, partition, min(w.first) AS first, max(w.last) AS last FROM (SELECT *, {before} AS earlier FROM ({ends}) WHERE {done or '0'}) AS w"
            " WHERE w.earlier < {most:UInt64} GROUP BY topic, partition"
        )
        found: dict[Topic, dict[int, tuple[int, int]]] = {}
        for row in self._engine.query(sql, {"model": model, "most": most}).to_pylist():
            found.setdefault(row["topic"], {})[row["partition"]] = (row["first"], row["last"])
        return found

    def bodies(self, model: str, topic: Topic, partition: int, last: int) -> WaitingBodies:
        """The events of a model that wait in a partition, of batches that end at `last` or before."""
        sql = (
            f"SELECT position, place, body, logged FROM waiting WHERE {_STILL} AND topic = {{topic:String}} AND partition = {{partition:UInt32}}"
            " AND last <= {last:UInt64} ORDER BY position, place LIMIT 1 BY position, place"
        )
        table = self._engine.query(sql, {"model": model, "topic": topic, "partition": partition, "last": last})
        position, place, logged = (col.ints(table[name]) for name in ("position", "place", "logged"))
        return WaitingBodies(position, place, logged, [one.encode() for one in table["body"].to_pylist()])

    def first(self, model: str, topic: Topic, most: int) -> list[tuple[int, int, int, int, bytes]]:
        """The first `most` events of a model that wait, in the order in which the log took them: when, partition, position, row, and their JSON."""
        sql = (
            f"SELECT toUnixTimestamp64Micro(logged) AS at, partition, position, place, body FROM waiting WHERE {_STILL} AND topic = {{topic:String}}"
            " ORDER BY at, partition, position, place LIMIT 1 BY partition, position, place LIMIT {most:UInt64}"
        )
        table = self._engine.query(sql, {"model": model, "topic": topic, "most": most})
        columns = [table[name].to_pylist() for name in ("at", "partition", "position", "place", "body")]
        return [(at, part, position, place, body.encode()) for at, part, position, place, body in zip(*columns, strict=True)]

    def forget(self, model: str, portion: Mapping[Topic, Ranges]) -> None:
        """Remove the events of a model at these positions, by topic."""
        at = " OR ".join(f"(topic = '{topic}' AND ({within(ranges)}))" for topic, ranges in portion.items() if ranges)
        if at:
            self._engine.command(
                f"ALTER TABLE waiting DELETE WHERE model = {{model:String}} AND ({at}) SETTINGS mutations_sync = 1", {"model": model}
            )
