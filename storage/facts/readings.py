"""Reads readings: for people page by page, for the owner a block at a time."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pyarrow as pa

from core.block import Ints
from core.error import ConfigError
from core.reading import WITHDRAWN, Query
from storage.facts import column as col
from storage.facts.engine import Engine

# The order of answers, and of cursors.
_ORDER = ("model", "monitor", "window_start", "column", "segment", "revision")
_FIELDS = (
    "monitor, model, version, measure, params, baseline, column, segment, toUnixTimestamp64Micro(window_start) AS window_start,"
    " toUnixTimestamp64Micro(window_end) AS window_end, value, lower, upper, baseline_value, n_target, n_baseline, n_effective,"
    " threshold, verdict, reason, revision, evidence, monitor_version, contract"
)
_HOLDS = "generation DESC, revision DESC"  # first comes the reading that holds, also when one who was replaced has written late


# The versions of the definition and of the contract that hold, by (model, monitor).
Current = Mapping[tuple[str, str], tuple[int, int]]


class Readings:
    """Questions about readings."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, query: Query, current: Current) -> tuple[pa.Table, str | None]:
        """The readings asked for, and the cursor of the next page or None.

        `current` tells of each (model, monitor) the versions of the monitor and of the contract that hold: other readings are not shown.
        """
        conditions, parameters = _conditions(query, current)
        shown = f"verdict != '{WITHDRAWN}'"
        if query.after is not None:
            places = _decode(query.after)
            parameters |= {f"a{place}": value for place, value in enumerate(places)}
            first = "(model, monitor, toUnixTimestamp64Micro(window_start), column, segment"
            place = "({a0:String}, {a1:String}, {a2:Int64}, {a3:String}, {a4:String}"
            conditions.append(f"{first}) >= {place})")
            shown += f" AND {first.replace('toUnixTimestamp64Micro(window_start)', 'window_start')}, revision) > {place}, {{a5:UInt32}})"
        of_each = (
            "model, monitor, column, segment, window_start" if query.newest else "model, monitor, column, segment, window_start, revision"
        )
        where = " AND ".join(f"({condition})" for condition in conditions)
        sql = (
            f"SELECT * FROM (SELECT {_FIELDS} FROM (SELECT * FROM readings WHERE {where} ORDER BY {_HOLDS} LIMIT 1 BY {of_each}))"
            f" WHERE {shown} ORDER BY model, monitor, window_start, column, segment, revision LIMIT {{limit:UInt64}}"
        )
        table = self._engine.query(sql, parameters | {"limit": query.limit + 1})
        if table.num_rows <= query.limit:
            return table, None
        table = table.slice(0, query.limit)
        last = table.slice(query.limit - 1, 1).to_pylist()[0]
        return table, _encode([last[name] for name in _ORDER])

    def newest(self, model: str, monitor: str, version: int, span: tuple[int, int]) -> pa.Table:
        """The readings of a monitor that hold, withdrawn ones too, whatever the contract, with `span[0] <= window_start < span[1]`."""
        sql = (
            f"SELECT {_FIELDS} FROM (SELECT * FROM readings WHERE model = {{model:String}} AND monitor = {{monitor:String}}"
            " AND monitor_version = {version:UInt32} AND window_start >= fromUnixTimestamp64Micro({low:Int64}, 'UTC')"
            " AND window_start < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
            f" ORDER BY {_HOLDS} LIMIT 1 BY column, segment, window_start)"
        )
        return self._engine.query(sql, {"model": model, "monitor": monitor, "version": version, "low": span[0], "high": span[1]})

    def evaluated(self, model: str, monitor: str, version: int, contract: int) -> tuple[Ints, Ints]:
        """Starts of the windows with readings of this definition under this contract, and how many readings (columns x segments) each has."""
        held = (
            "FROM readings WHERE model = {model:String} AND monitor = {monitor:String} AND monitor_version = {version:UInt32}"
            " AND contract = {contract:UInt32}"
        )
        place = "(column, segment, window_start)"
        gone = (
            f"SELECT column, segment, window_start {held} AND {place} IN (SELECT column, segment, window_start {held} AND verdict = '{WITHDRAWN}')"
            f" GROUP BY column, segment, window_start HAVING argMax(verdict, (generation, revision)) = '{WITHDRAWN}'"
        )
        sql = f"SELECT toUnixTimestamp64Micro(window_start) AS start, uniqExact(column, segment) AS n {held} AND {place} NOT IN ({gone}) GROUP BY start ORDER BY start"
        table = self._engine.query(sql, {"model": model, "monitor": monitor, "version": version, "contract": contract})
        return col.ints(table["start"]), col.ints(table["n"])

    def below(self, model: str, generation: int) -> int:
        """How many readings of a model there are below a generation; the number only changes when one is written."""
        sql = "SELECT count() AS n FROM readings WHERE model = {model:String} AND generation < {generation:UInt64}"
        return int(self._engine.query(sql, {"model": model, "generation": generation})["n"][0].as_py())


def _conditions(query: Query, current: Current) -> tuple[list[str], dict[str, object]]:
    pairs = [(model, monitor, *versions) for (model, monitor), versions in current.items()]
    shown = "arrayZip({ms:Array(String)}, {ns:Array(String)}, {vs:Array(UInt32)}, {cs:Array(UInt32)})"
    conditions = [f"has({shown}, (model::String, monitor::String, monitor_version, contract))"]
    parameters: dict[str, object] = {
        "ms": [p[0] for p in pairs],
        "ns": [p[1] for p in pairs],
        "vs": [p[2] for p in pairs],
        "cs": [p[3] for p in pairs],
    }
    for name in ("model", "monitor", "measure", "column"):
        if (value := getattr(query, name)) is not None:
            conditions.append(f"{name} = {{{name}:String}}")
            parameters[name] = value
    if query.segment is not None:
        conditions.append("segment = {segment:String}" if query.segment == "all" or "=" in query.segment else "grouping = {segment:String}")
        parameters["segment"] = query.segment
    for name, sign in (("start", ">="), ("end", "<")):
        if (value := getattr(query, name)) is not None:
            conditions.append(f"window_start {sign} fromUnixTimestamp64Micro({{{name}:Int64}}, 'UTC')")
            parameters[name] = value
    return conditions, parameters


def _encode(places: list[object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[object]:
    try:
        places = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if [type(place) for place in places] == [str, str, int, str, str, int]:
            return list(places)
    except (ValueError, TypeError):
        pass
    raise ConfigError("the cursor is not one that an answer gave", remedy="leave `cursor` out to start from the beginning")
