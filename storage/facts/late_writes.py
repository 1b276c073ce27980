"""Late writes of former owners, for many models at once."""

from __future__ import annotations

from collections.abc import Mapping

from storage.facts.engine import Engine


class LateWrites:
    """Queries for rows of former owners."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def written(self, first: Mapping[str, int]) -> dict[str, tuple[int, int, int]]:
        """By model, numbers that change when an owner before generation `first[model]` writes readings or `rebuilds`, however late.

        One query for all models; those without such rows are left out.
        """
        if not first:
            return {}
        below = (
            "WHERE generation < transform(model, {models:Array(LowCardinality(String))}, {first:Array(UInt64)}, toUInt64(0)) GROUP BY model"
        )
        each = (
            f"SELECT model, count() AS readings, toUInt64(0) AS rebuilds, toUInt64(0) AS steps FROM readings {below} UNION ALL"
            f" SELECT model, toUInt64(0), count(), sum(generation % 4294967296) FROM rebuilds FINAL {below}"
        )
        sql = f"SELECT model, sum(readings) AS a, sum(rebuilds) AS b, sum(steps) AS c FROM ({each}) GROUP BY model"
        rows = self._engine.query(sql, {"models": list(first), "first": list(first.values())}).to_pylist()
        return {row["model"]: (row["a"], row["b"], row["c"]) for row in rows}
