"""The recent flow of events: rows that were written lately, and dead letters."""

from __future__ import annotations

from core.dead_letter_count import DeadLetterCount
from storage.facts.engine import Engine


class RecentFlow:
    """Queries about the recent flow of events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def rows(self, since: int) -> dict[str, int]:
        """By topic, how many rows were written of those that the log took since a time in microseconds."""
        sql = "SELECT topic, sum(b.rows) AS rows FROM batches AS b FINAL WHERE b.logged >= fromUnixTimestamp64Micro({since:Int64}, 'UTC') GROUP BY topic"
        return {row["topic"]: row["rows"] for row in self._engine.query(sql, {"since": since}).to_pylist()}

    def refused(self, most: int) -> list[DeadLetterCount]:
        """The kinds of dead letters, the newest first, at most `most`."""
        place = "argMax((partition, position, place), (logged, position, place))"
        sql = (
            "SELECT topic, model, field, reason, count() AS letters, toUnixTimestamp64Micro(max(d.logged)) AS newest,"
            f" tupleElement({place}, 1) AS partition, tupleElement({place}, 2) AS position, tupleElement({place}, 3) AS row"
            " FROM dead_letters AS d FINAL GROUP BY topic, model, field, reason ORDER BY newest DESC, letters DESC, reason LIMIT {most:UInt64}"
        )
        # The aliases are those of columns; within the aggregates the columns are meant.
        return [
            DeadLetterCount(**row)
            for row in self._engine.query(sql + " SETTINGS prefer_column_name_to_alias = 1", {"most": most}).to_pylist()
        ]
