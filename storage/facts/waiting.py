"""Events of models without a contract, which wait until there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

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
        sql = f"SELECT model, topic, count() AS n FROM waiting FINAL WHERE until > now(){of} GROUP BY model, topic ORDER BY model, topic"
        found: dict[str, dict[str, int]] = {}
        for row in self._engine.query(sql, {"model": model}).to_pylist():
            found.setdefault(row["model"], {})[row["topic"]] = row["n"]
        return found

    def held(self, topic: Topic, partition: int) -> dict[str, tuple[int, int]]:
        """How many events of each model wait in a partition of the log, and the bytes of their JSON."""
        sql = (
            "SELECT model, count() AS n, sum(length(body)) AS size FROM waiting FINAL WHERE topic = {topic:String} AND partition = {partition:UInt32}"
            " AND until > now() GROUP BY model"
        )
        rows = self._engine.query(sql, {"topic": topic, "partition": partition}).to_pylist()
        return {row["model"]: (row["n"], row["size"]) for row in rows}

    def portion(
        self, model: str, committed: Mapping[Topic, Mapping[int, int]], most: int, size: int
    ) -> dict[Topic, dict[int, tuple[int, int]]]:
        """By topic and partition the first and last position of the model's first events that wait: whole batches that are committed, in each partition of about `most` events or `size` bytes together."""
        share = "greatest(uniqExact(position, place) / {most:UInt64}, sum(length(body)) / {size:UInt64})"
        ends = f"SELECT topic, partition, last, min(position) AS first, {share} AS n FROM waiting WHERE {_STILL} GROUP BY topic, partition, last"
        before = "sum(n) OVER (PARTITION BY topic, partition ORDER BY last ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - n"
        done = " OR ".join(
            f"(topic = '{topic}' AND partition = {int(part)} AND last <= {int(last)})"
            for topic, at in committed.items()
            for part, last in at.items()
        )
        sql = (
            f"SELECT topic, partition, min(w.first) AS first, max(w.last) AS last FROM (SELECT *, {before} AS earlier FROM ({ends}) WHERE {done or '0'}) AS w"
            " WHERE w.earlier < 1 GROUP BY topic, partition"
        )
        found: dict[Topic, dict[int, tuple[int, int]]] = {}
        for row in self._engine.query(sql, {"model": model, "most": most, "size": size}).to_pylist():
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

    def first(self, model: str, topic: Topic, most: int, size: int) -> list[tuple[int, int, int, int, bytes]]:
        """The first events of a model that wait, in the order in which the log took them: when, partition, position, row, and their JSON; at most `most`, and of `size` bytes together, but one at least."""
        asked = {"model": model, "topic": topic, "most": most}
        at = f"waiting FINAL WHERE {_STILL} AND topic = {{topic:String}}"
        key = "toUnixTimestamp64Micro(logged) AS at, partition, position, place"
        ordered = "ORDER BY at, partition, position, place LIMIT {most:UInt64}"
        sizes = self._engine.query(f"SELECT {key}, length(body) AS size FROM {at} {ordered}", asked)
        if not sizes.num_rows:
            return []
        count = max(1, int(np.searchsorted(np.cumsum(col.ints(sizes["size"])), size, side="right")))
        end = dict(
            zip(
                ("e0", "e1", "e2", "e3"), (sizes[name][count - 1].as_py() for name in ("at", "partition", "position", "place")), strict=True
            )
        )
        upto = "(at, partition, position, place) <= ({e0:Int64}, {e1:UInt32}, {e2:UInt64}, {e3:UInt32})"  # so that no more texts are sorted
        table = self._engine.query(f"SELECT {key}, body FROM {at} AND {upto} {ordered}", {**asked, "most": count, **end})
        columns = [table[name].to_pylist() for name in ("at", "partition", "position", "place", "body")]
        return [(when, part, position, place, body.encode()) for when, part, position, place, body in zip(*columns, strict=True)]

    def forget(self, model: str, portion: Mapping[Topic, Ranges]) -> None:
        """Remove the events of a model at these positions, by topic."""
        at = " OR ".join(f"(topic = '{topic}' AND ({within(ranges)}))" for topic, ranges in portion.items() if ranges)
        if at:
            # What is left of a part is not written again, as `ALTER TABLE ... DELETE` would for each portion.
            self._engine.command(
                f"DELETE FROM waiting WHERE model = {{model:String}} AND ({at}) SETTINGS lightweight_deletes_sync = 1", {"model": model}
            )
