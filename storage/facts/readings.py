"""Reads readings: page by page for people, in blocks for owners."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.block import Ints
from core.moment import EARLIEST, LATEST
from core.reading import FIELDS, JUDGED, TIMES, WITHDRAWN, Query
from core.span import Spans
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.page_cursor import decode, encode

# The order of answers, and of cursors.
_ORDER = ("model", "monitor", "window_start", "window_end", "column", "segment", "revision")
_STORED = "model, monitor, monitor_version, contract, column, segment, window_start, window_end"  # a reading's key
_FIELDS = ", ".join(f"toUnixTimestamp64Micro({name}) AS {name}" if name in TIMES else name for name in FIELDS)
_MONITORS = (
    "model = {model:String} AND (monitor, monitor_version) IN (SELECT arrayJoin(arrayZip({names:Array(String)}, {versions:Array(UInt32)})))"
)
_DEFINED = "model = {model:String} AND monitor = {monitor:String} AND monitor_version = {version:UInt32} AND contract = {contract:UInt32}"
_HOLDS = "generation DESC, revision DESC"  # the reading that holds comes first, also if a former owner has written late

# In one pass over wide rows, which takes two thirds of the CPU of two. It holds `most` of them at most, and tells by `rows` whether these are all.
_CHART = (
    f"SELECT {_FIELDS}, rows FROM (SELECT *, count() OVER () AS rows FROM (SELECT * FROM readings WHERE {{where}} LIMIT {{{{most:UInt64}}}})"
    f" ORDER BY {_HOLDS}, verdict DESC LIMIT 1 BY {_STORED}) WHERE verdict != '{WITHDRAWN}'"
    " ORDER BY model, monitor, window_start, window_end, column, segment"
)
# Of several lines of charts at once: where each is, in parameters; and the values of its readings that hold. Keys come first, so that no other rows are read.
_LINE = {
    **dict.fromkeys(("models", "monitors", "columns", "segments", "measures"), "String"),
    **dict.fromkeys(("versions", "contracts"), "UInt32"),
    **dict.fromkeys(("starts", "ends"), "Int64"),
}
_ASKED = (
    f"SELECT arrayJoin(arrayZip({{places:Array(UInt32)}}, {', '.join(f'{{{name}:Array({kind})}}' for name, kind in _LINE.items())})) AS one"
)
_LINES = (
    "SELECT place, value FROM (SELECT a.one.1 AS place, start, window_end, value, verdict FROM (SELECT model, monitor, column, segment, measure, monitor_version, contract,"
    " toUnixTimestamp64Micro(window_start) AS start, window_end, generation, revision, verdict, value FROM readings"
    f" WHERE (model, monitor, column, segment, monitor_version, contract) IN (SELECT one.2, one.3, one.4, one.5, one.7, one.8 FROM ({_ASKED}))"
    " AND window_start >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND window_start < fromUnixTimestamp64Micro({high:Int64}, 'UTC')) AS r"
    f" INNER JOIN ({_ASKED}) AS a ON (r.model, r.monitor, r.column, r.segment, r.measure) = (a.one.2, a.one.3, a.one.4, a.one.5, a.one.6)"
    " AND (r.monitor_version, r.contract) = (a.one.7, a.one.8) WHERE r.start >= a.one.9 AND r.start < a.one.10"
    f" ORDER BY {_HOLDS}, verdict DESC LIMIT 1 BY place, start, window_end) WHERE verdict != '{WITHDRAWN}'"
    " ORDER BY place, start, window_end LIMIT {most:UInt64} BY place"
)
_OF_CHARTS = (
    "(model, monitor, column, segment, monitor_version, contract) IN (SELECT arrayJoin(arrayZip({models:Array(String)}, {monitors:Array(String)},"
    " {columns:Array(String)}, {segments:Array(String)}, {versions:Array(UInt32)}, {contracts:Array(UInt32)})))"
    " AND window_start >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND window_start < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
)
_REVISIONS = 4  # stored rows of a reading, on average, up to which a chart is read in one pass

# The versions of the definition and of the contract that hold, by (model, monitor).
Current = Mapping[tuple[str, str], tuple[int, int]]


class Readings:
    """Queries of readings."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, query: Query, current: Current) -> tuple[pa.Table, str | None]:
        """The readings asked for, and the cursor of the next page or None.

        `current` gives by (model, monitor) the current versions of the monitor and of the contract; readings of other versions are not shown.
        """
        conditions, parameters = _conditions(query, current)
        if _of_a_chart(query):
            most = _REVISIONS * query.limit
            found = self._engine.query(_CHART.format(where=" AND ".join(conditions)), parameters | {"most": most})
            if 0 < found.num_rows <= query.limit and found["rows"][0].as_py() < most:
                return found.drop_columns(["rows"]), None
        shown = f"tupleElement(held, 3) != '{WITHDRAWN}'"
        if query.after is not None:
            parameters |= {f"a{place}": value for place, value in enumerate(decode(query.after, [str, str, int, int, str, str, int]))}
            # Whole keys only: the order begins with these. Pages before are not grouped again.
            conditions += [
                "model >= {a0:String}",
                "(model, monitor, window_start) >= ({a0:String}, {a1:String}, fromUnixTimestamp64Micro({a2:Int64}, 'UTC'))",
            ]
            shown += (
                " AND (model, monitor, window_start, window_end, column, segment, tupleElement(held, 2))"
                " > ({a0:String}, {a1:String}, fromUnixTimestamp64Micro({a2:Int64}, 'UTC'), fromUnixTimestamp64Micro({a3:Int64}, 'UTC'),"
                " {a4:String}, {a5:String}, {a6:UInt32})"
            )
        each = _STORED if query.newest else f"{_STORED}, revision"
        where = " AND ".join(f"({condition})" for condition in conditions)
        # First the keys of the page, in the order in which they are stored, so that few are held at a time. The wide columns are then read for these only.
        page = (
            f"SELECT {_STORED}, tupleElement(held, 2), tupleElement(held, 1) FROM (SELECT {each}, max((generation, revision, verdict)) AS held FROM readings"
            f" WHERE {where} GROUP BY {each}) WHERE {shown}"
            " ORDER BY model, monitor, window_start, window_end, column, segment, tupleElement(held, 2) LIMIT {limit:UInt64}"
        )
        sql = (
            f"SELECT {_FIELDS} FROM (SELECT * FROM readings WHERE ({_STORED}, revision, generation) IN ({page}) LIMIT 1 BY {_STORED}, revision)"
            " ORDER BY model, monitor, window_start, window_end, column, segment, revision SETTINGS optimize_aggregation_in_order = 1"
        )
        table = self._engine.query(sql, parameters | {"limit": query.limit + 1})
        if table.num_rows <= query.limit:
            return table, None
        table = table.slice(0, query.limit)
        last = table.slice(query.limit - 1, 1).to_pylist()[0]
        return table, encode([last[name] for name in _ORDER])

    def charts(self, asked: Sequence[Query], current: Current) -> list[pa.Table] | None:
        """The readings of lines of charts, as `read` would give them for each query of a line from a start to an end, of now. One query for all; None if they are too many for that.

        `current` as for `read`; it has the definitions of all that is asked for.
        """
        most = _REVISIONS * max(one.limit for one in asked)
        found = self._engine.query(_CHART.format(where=_OF_CHARTS), _lists(asked, current) | {"most": most})
        if found.num_rows and found["rows"][0].as_py() >= most:
            return None
        found, starts = found.drop_columns(["rows"]), found["window_start"]
        names = {name: found[name].cast(pa.string()) for name in ("model", "monitor", "column", "segment", "measure")}
        tables = []
        for one in asked:
            own = (pc.equal(texts, getattr(one, name)) for name, texts in names.items() if getattr(one, name) is not None)
            within = pc.and_(pc.greater_equal(starts, one.start), pc.less(starts, one.end))
            tables.append(found.filter(reduce(pc.and_, own, within)))
        return tables if all(table.num_rows <= one.limit for one, table in zip(asked, tables, strict=True)) else None

    def lines(self, asked: Sequence[Query], current: Current) -> list[list[float | None]]:
        """The values of lines of charts in the order of their windows, as `read` would give them for each query of a line from a start to an end. One query for all, which reads no other values.

        `current` as for `read`.
        """
        known = {place: one for place, one in enumerate(asked) if _of(one) in current}
        found: list[list[float | None]] = [[] for _ in asked]
        if not known:
            return found
        parameters = _lists(list(known.values()), current) | {"places": list(known), "most": max(one.limit for one in known.values())}
        rows = self._engine.query(_LINES, parameters)
        for place, value in zip(rows["place"].to_pylist(), rows["value"].to_pylist(), strict=True):
            found[place].append(value)
        return [values[: one.limit] for one, values in zip(asked, found, strict=True)]

    def newest(self, model: str, monitors: Mapping[str, int], span: tuple[int, int]) -> dict[str, pa.Table]:
        """By monitor the readings that hold, withdrawn ones too, whatever the contract, with `span[0] <= window_start < span[1]`.

        `monitors` gives the version of each one's definition.
        """
        sql = (
            f"SELECT {_FIELDS} FROM (SELECT * FROM readings WHERE {_MONITORS} AND window_start >= fromUnixTimestamp64Micro({{low:Int64}}, 'UTC')"
            " AND window_start < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
            f" ORDER BY {_HOLDS} LIMIT 1 BY monitor, column, segment, window_start, window_end)"
        )
        return _by_monitor(self._engine.query(sql, _monitors(model, monitors) | {"low": span[0], "high": span[1]}), monitors)

    def evaluated(self, model: str, monitors: Mapping[str, int], contract: int) -> dict[str, tuple[Spans, Ints]]:
        """By monitor its windows with readings under this contract, and how many readings (columns x segments) each has.

        `monitors` gives the version of each one's definition.
        """
        held = f"FROM readings WHERE {_MONITORS} AND contract = {{contract:UInt32}}"
        place = "monitor, column, segment, window_start, window_end"
        gone = (
            f"SELECT {place} {held} AND ({place}) IN (SELECT {place} {held} AND verdict = '{WITHDRAWN}')"
            f" GROUP BY {place} HAVING argMax(verdict, (generation, revision)) = '{WITHDRAWN}'"
        )
        sql = (
            "SELECT monitor, toUnixTimestamp64Micro(window_start) AS start, toUnixTimestamp64Micro(window_end) AS end,"
            f" uniqExact(column, segment) AS n {held} AND ({place}) NOT IN ({gone}) GROUP BY monitor, start, end ORDER BY start, end"
        )
        found = _by_monitor(self._engine.query(sql, _monitors(model, monitors) | {"contract": contract}), monitors)
        return {name: (Spans(col.ints(rows["start"]), col.ints(rows["end"])), col.ints(rows["n"])) for name, rows in found.items()}

    def last(self, model: str, monitor: str, definition: tuple[int, int]) -> int | None:
        """The end of the newest window with a reading of a monitor under these versions of its definition and of the contract; None without any."""
        sql = f"SELECT count() AS n, toUnixTimestamp64Micro(max(window_end)) AS newest FROM readings WHERE {_DEFINED}"
        row = self._engine.query(sql, _defined(model, monitor, definition)).to_pylist()[0]
        return int(row["newest"]) if row["n"] else None

    def standings(self, current: Current, since: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], tuple[int, int, int]]:
        """By (model, monitor) the end of its newest window, when a reading was last written, and how many of its windows that end after `since` reached a threshold.

        `current` as for `read`; monitors without readings are left out. One query for all, and another one if budgets are counted.
        """
        conditions, parameters = _conditions(Query(), current)
        # In the order of the table, and compared here: a set of tuples would be asked for each row, which takes ten times as long.
        found = self._engine.query(
            "SELECT model, monitor, monitor_version, contract, toUnixTimestamp64Micro(max(window_end)) AS last, toUnixTimestamp64Micro(max(evaluated)) AS at"
            f" FROM readings WHERE indexHint({conditions[0]}) AND model IN {{models:Array(String)}} GROUP BY model, monitor, monitor_version, contract"
            " SETTINGS optimize_aggregation_in_order = 1",
            parameters | {"models": sorted({model for model, _ in current})},
        )
        used = self._used(conditions[0], parameters, since) if since else {}
        standings = {}
        for row in found.to_pylist():
            name = row["model"], row["monitor"]
            if current.get(name) == (row["monitor_version"], row["contract"]):
                standings[name] = row["last"], row["at"], used.get(name, 0)
        return standings

    def _used(self, shown: str, parameters: Mapping[str, object], since: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
        """By (model, monitor), how many windows that end after `since` reached a threshold, of the readings that are `shown`."""
        given = {**parameters, "sm": [model for model, _ in since], "sn": [name for _, name in since], "se": list(since.values())}
        counted = "SELECT one.1 AS model, one.2 AS monitor, one.3 AS since FROM (SELECT arrayJoin(arrayZip({sm:Array(String)}, {sn:Array(String)}, {se:Array(Int64)})) AS one)"
        key = "model, monitor, column, segment, window_start, window_end"
        recent = f"{shown} AND monitor IN {{sn:Array(String)}} AND window_end > fromUnixTimestamp64Micro({{low:Int64}}, 'UTC')"
        held = f"SELECT {key}, argMax(verdict, (generation, revision)) AS held FROM readings WHERE {recent} GROUP BY {key}"
        sql = (
            f"SELECT h.model AS model, h.monitor AS monitor, uniqExact(h.window_start, h.window_end) AS n FROM ({held}) AS h INNER JOIN ({counted}) AS s"
            " ON s.model = h.model AND s.monitor = h.monitor WHERE h.held IN ('warn', 'critical') AND toUnixTimestamp64Micro(h.window_end) > s.since GROUP BY model, monitor"
        )
        rows = self._engine.query(sql, given | {"low": min(since.values())}).to_pylist()
        return {(row["model"], row["monitor"]): row["n"] for row in rows}

    def judged(self, model: str, monitor: str, definition: tuple[int, int], after: int, most: int, column: str | None) -> pa.Table:
        """The newest `most` readings of each column and segment of windows that end after a time; those with a judged value come before others. `column`: only that one."""
        where = f"{_DEFINED} AND window_end > fromUnixTimestamp64Micro({{after:Int64}}, 'UTC')"
        where += "" if column is None else " AND column = {column:String}"
        verdict = "tupleElement(held, 3)"
        page = (
            f"SELECT {_STORED}, tupleElement(held, 2), tupleElement(held, 1) FROM (SELECT {_STORED}, max((generation, revision, verdict)) AS held FROM readings"
            f" WHERE {where} GROUP BY {_STORED}) WHERE {verdict} != '{WITHDRAWN}'"
            f" ORDER BY column, segment, {verdict} IN {JUDGED} DESC, window_end DESC, window_start DESC LIMIT {{most:UInt64}} BY column, segment"
        )
        sql = f"SELECT {_FIELDS} FROM (SELECT * FROM readings WHERE {where} AND ({_STORED}, revision, generation) IN ({page}) LIMIT 1 BY {_STORED}, revision)"
        return self._engine.query(sql, _defined(model, monitor, definition) | {"after": after, "most": most, "column": column or ""})

    def below(self, model: str, generation: int) -> int:
        """How many readings of a model there are below a generation; the number changes only when such a reading is written."""
        sql = "SELECT count() AS n FROM readings WHERE model = {model:String} AND generation < {generation:UInt64}"
        return int(self._engine.query(sql, {"model": model, "generation": generation})["n"][0].as_py())


def _of(query: Query) -> tuple[str, str]:
    """Model and monitor of a query for a line."""
    return query.model or "", query.monitor or ""


def _lists(asked: Sequence[Query], current: Current) -> dict[str, Any]:
    """The parameters of queries for lines, each with the versions that hold, and the span of all."""
    texts = {f"{name}s": [getattr(one, name) for one in asked] for name in ("model", "monitor", "column", "segment", "measure")}
    versions = [current[_of(one)] for one in asked]
    starts = [EARLIEST if one.start is None else one.start for one in asked]
    ends = [LATEST if one.end is None else one.end for one in asked]
    numbers = {"versions": [version for version, _ in versions], "contracts": [contract for _, contract in versions]}
    return {**texts, **numbers, "starts": starts, "ends": ends, "low": min(starts), "high": max(ends)}


def _of_a_chart(query: Query) -> bool:
    """Whether these are the readings of one line of a chart, which are few: of one monitor, column and segment, from a time on."""
    one = query.monitor is not None and query.column is not None and query.segment is not None
    return one and (query.segment == "all" or "=" in (query.segment or "")) and query.newest and query.start is not None and not query.after


def _defined(model: str, monitor: str, definition: tuple[int, int]) -> dict[str, object]:
    return {"model": model, "monitor": monitor, "version": definition[0], "contract": definition[1]}


def _monitors(model: str, monitors: Mapping[str, int]) -> dict[str, object]:
    return {"model": model, "names": list(monitors), "versions": list(monitors.values())}


def _by_monitor(table: pa.Table, monitors: Iterable[str]) -> dict[str, pa.Table]:
    names = table["monitor"].cast(pa.string())
    return {name: table.filter(pc.equal(names, name)) for name in monitors}


def _conditions(query: Query, current: Current) -> tuple[list[str], dict[str, object]]:
    pairs = [(model, monitor, *versions) for (model, monitor), versions in current.items()]
    shown = "SELECT pair.1, pair.2, pair.3, pair.4 FROM (SELECT arrayJoin(arrayZip({ms:Array(String)}, {ns:Array(String)}, {vs:Array(UInt32)}, {cs:Array(UInt32)})) AS pair)"
    conditions = [f"(model, monitor, monitor_version, contract) IN ({shown})"]
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
    if query.columns:
        conditions.append("column IN {columns:Array(String)}")
        parameters["columns"] = list(query.columns)
    if query.segment is not None:
        conditions.append("segment = {segment:String}" if query.segment == "all" or "=" in query.segment else "grouping = {segment:String}")
        parameters["segment"] = query.segment
    if query.closes is not None:
        conditions.append("window_end = fromUnixTimestamp64Micro({closes:Int64}, 'UTC')")
        parameters["closes"] = query.closes
    for name, sign in (("start", ">="), ("end", "<")):
        if (value := getattr(query, name)) is not None:
            conditions.append(f"window_start {sign} fromUnixTimestamp64Micro({{{name}:Int64}}, 'UTC')")
            parameters[name] = value
    if query.as_of is not None:
        conditions.append("evaluated <= fromUnixTimestamp64Micro({as_of:Int64}, 'UTC')")
        parameters["as_of"] = query.as_of
    return conditions, parameters
