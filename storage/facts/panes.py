"""Reads panes, summed over windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Ints
from core.contract import Contract
from core.pane import HeldPanes
from core.segment import ALL
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.pane_condition import CURRENT, HELD, NEWEST, REBUILDS, WINDOW, parameters_of
from storage.facts.raw import narrowed

# Cells that have no one length begin at bounds.
_BOUNDED = "roundDown(toUnixTimestamp64Micro(slot), {bounds:Array(Int64)})"
# The predictions of several models, each under its contract.
_ALL_REBUILDS = "FROM rebuilds WHERE model IN {ms:Array(String)}"
# Whether a row is of one of several models, each under its contract: the numbers that belong to a model's name are looked up once a name. The hint is for the index only: for each row a set of tuples takes ten times as long.
_OF_MODEL = "transform(model, {ms:Array(LowCardinality(String))}, {%s:Array(%s)}, to%s(0))"
_EACH_MODEL = (
    "indexHint((model, contract, pane) IN (SELECT arrayJoin(arrayZip({ms:Array(String)}, {cs:Array(UInt32)}, {ps:Array(UInt64)}))))"
    f" AND model IN {{ms:Array(String)}} AND contract = {_OF_MODEL % ('cs', 'UInt32', 'UInt32')} AND pane = {_OF_MODEL % ('ps', 'UInt64', 'UInt64')}"
)
_PREDICTIONS = (
    f"{_EACH_MODEL} AND column = '@prediction'"
    f" AND ((model, contract, slot, generation) IN (SELECT model, contract, slot, arrayJoin([max(generation), 0]) {_ALL_REBUILDS} GROUP BY model, contract, slot))"
    " != (generation = 0)"
)
_EACH = f"{_PREDICTIONS} AND grouping = ''"
# What can be read from performance panes, as one number: its sum or maximum, or how many panes there are. All else is in lists.
_TOTALS = {
    "n": "sum(n)",
    "scored": "sum(scored)",
    "largest": "max(largest)",
    "panes": "count()",
    "delays": "sum(arraySum(delay_count))",
    "delayed": "sum(arraySum(delay_sum))",
}
# Texts in lists, which come as codes with a dictionary: `groupArrayArray` gives each one in full.
_TEXTS = frozenset({"cell_prediction", "cell_label", "score_class", "loss"})
_AS_CODES = "CAST(s_{0}, 'Array(LowCardinality(String))') AS {0}"
# What can be read from input panes: the sum over panes, its name, and the columns that are answered.
_INPUTS = {
    **{name: (f"sum({name})", f"s_{name}", f"s_{name}") for name in ("n", "below", "above", "measured", "square", "absolute", "outside")},
    "low": ("min(low)", "s_low", "s_low"),
    "high": ("max(high)", "s_high", "s_high"),
    "bin": ("{count}", "counts", "{keys_of_counts}"),
    "count": ("{count}", "counts", "{values_of_counts}"),
    "sum_bin": ("{sum}", "sums", "{keys_of_sums}"),
    "sum": ("{sum}", "sums", "{values_of_sums}"),
    "total": ("{sum}", "sums", "arraySum({values_of_sums})"),
    "register": ("maxMap(sketch)", "sketches", "mapKeys(sketches)"),
    "rank": ("maxMap(sketch)", "sketches", "mapValues(sketches)"),
    "term": ("sumMap(joint)", "joints", "mapKeys(joints)"),
    "joint": ("sumMap(joint)", "joints", "mapValues(joints)"),
    "code": ("groupArrayArray(code)", "codes", "codes"),
}
_BINNED = frozenset({"bin", "count", "sum_bin", "sum", "total"})
_IN_BIN = "count[transform(column, {names:Array(LowCardinality(String))}, {bins:Array(UInt16)}, toUInt16(65535))]"  # rows in one bin of each column
_SEGMENTS = " AND segment IN {segments:Array(String)}"
_NARROW = 128  # bins: columns with so many at most are summed by place


class Panes:
    """Queries of panes. Ranges are half-open, in microseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def inputs(
        self,
        contract: Contract,
        columns: Sequence[str],
        names: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
        phase: int = 0,
        *,
        bounds: Ints | None = None,
        role: str | None = None,
        segments: Sequence[str] = (),
    ) -> pa.Table:
        """Input panes, merged over windows: start (int64), column, segment, and the fields that `names` lists; one row a window, column and segment with rows, the rows of a column together.

        Names are those of `_INPUTS`; those of lists come in pairs, without most bins whose sum is 0. Windows begin at `phase` modulo `length`, or at `bounds` if these are given.
        Predictions are those of one version of the model, or of all, and of one role, or of all. With `segments` only these of the groupings are read.
        """
        parts = _by_width(contract, columns) if _BINNED.intersection(names) else {None: list(columns)}
        asked = _asked(version, role, phase, bounds, segments)
        parameters = parameters_of(contract, length, span) | {"groupings": list(groupings), **asked}
        start = WINDOW if bounds is None else _BOUNDED
        found = []
        for width, some in parts.items():
            inner, outer = _summed(names, width)
            sql = (
                f"SELECT start, column, segment, {outer} FROM (SELECT {start} AS start, column, segment, {inner} FROM panes"
                f" WHERE {HELD} AND {CURRENT} AND column IN {{columns:Array(String)}} AND grouping IN {{groupings:Array(String)}}"
                f"{_SEGMENTS if segments else ''}{narrowed(version, role)} GROUP BY start, column, segment) ORDER BY column"
            )
            found.append(self._engine.query(sql, parameters | {"columns": some}))
        return found[0] if len(found) == 1 else pa.concat_tables(found)

    def performance(
        self,
        contract: Contract,
        columns: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
        phase: int = 0,
        *,
        bounds: Ints | None = None,
        role: str | None = None,
        segments: Sequence[str] = (),
    ) -> pa.Table:
        """Sums of performance panes, one row a window and segment with rows: start, segment, and the fields that `columns` lists.

        Numbers are n, scored, the `largest` error, how many `panes` there are, how many known `delays` of labels and their sum (`delayed`, in seconds); the other columns of the table are lists, here one after the other. With `segments` only these of the groupings are read.
        """
        # The aliases differ from the columns, because ClickHouse would confuse them.
        inner = ", ".join(f"{_TOTALS.get(name, f'groupArrayArray({name})')} AS s_{name}" for name in columns)
        outer = ", ".join((_AS_CODES if name in _TEXTS else "s_{0} AS {0}").format(name) for name in columns)
        sql = (
            f"SELECT start, segment, {outer} FROM (SELECT {WINDOW if bounds is None else _BOUNDED} AS start, segment, {inner} FROM performance_panes FINAL"
            f" WHERE {HELD} AND {NEWEST} AND grouping IN {{groupings:Array(String)}}"
            f"{_SEGMENTS if segments else ''}{narrowed(version, role)} AND n > 0 GROUP BY start, segment)"
        )
        parameters = {"groupings": list(groupings), **_asked(version, role, phase, bounds, segments)}
        return self._engine.query(sql, parameters_of(contract, length, span) | parameters)

    def held(self, contract: Contract) -> HeldPanes:
        """Slots, segments and versions with predictions, in one query: an owner asks in each step."""
        where = f"WHERE {HELD} AND {CURRENT} AND column = '@prediction'"
        sql = (
            f"SELECT 0 AS of, toUnixTimestamp64Micro(slot) AS start, version AS name, sum(n) AS rows FROM panes {where} AND grouping = '' GROUP BY slot, version"
            f" UNION ALL SELECT DISTINCT 1, toInt64(0), segment, toUInt64(0) FROM panes {where}"
        )
        found = self._engine.query(sql, parameters_of(contract, contract.pane, _ALWAYS))
        # There may be a row for each minute of years: texts are told apart by their codes.
        whole, names = col.ints(found["of"]) == 0, col.categories(found["name"])
        starts, rows, versions = col.ints(found["start"])[whole], col.ints(found["rows"])[whole], names.codes[whole]
        slots, places = np.unique(starts, return_inverse=True)
        sums, first = np.zeros(len(slots), np.int64), np.full(len(names.texts), moment.LATEST)
        np.add.at(sums, places, rows)
        np.minimum.at(first, versions[rows > 0], starts[rows > 0])
        came = [(names.texts[code], int(first[code])) for code in np.unique(versions[rows > 0])]
        segments = sorted(names.texts[code] for code in np.unique(names.codes[~whole]))
        return HeldPanes(slots, sums, segments, sorted(came, key=lambda one: (one[1], one[0])))

    def slots(self, contract: Contract, version: str | None = None) -> tuple[Ints, Ints]:
        """Slots with predictions (of one version of the model, or of all), ascending, and how many predictions each holds."""
        held = f"{HELD} AND {CURRENT} AND column = '@prediction' AND grouping = ''" + (" AND version = {version:String}" if version else "")
        sql = f"SELECT toUnixTimestamp64Micro(slot) AS start, sum(n) AS rows FROM panes WHERE {held} GROUP BY slot ORDER BY slot"
        table = self._engine.query(sql, {**parameters_of(contract, contract.pane, _ALWAYS), "version": version or ""})
        return col.ints(table["start"]), col.ints(table["rows"])

    def versions(self, contract: Contract, span: tuple[int, int] | None = None) -> list[tuple[str, int, int]]:
        """The versions of the model that have predictions in a span, each with its first slot and how many there are; the one that came last is behind."""
        sql = (
            f"SELECT version, toUnixTimestamp64Micro(min(slot)) AS first, sum(n) AS rows FROM panes WHERE {HELD} AND {CURRENT}"
            " AND column = '@prediction' AND grouping = '' GROUP BY version HAVING rows > 0 ORDER BY first, version"
        )
        found = self._engine.query(sql, parameters_of(contract, contract.pane, span or _ALWAYS)).to_pylist()
        return [(row["version"], row["first"], row["rows"]) for row in found]

    def rebuilds(self, contract: Contract, before: int) -> tuple[int, int]:
        """What was rebuilt below a generation, as two numbers that change when an earlier owner writes late."""
        sql = (
            "SELECT count() AS n, sum(generation % 4294967296) AS steps FROM rebuilds FINAL"
            " WHERE model = {model:String} AND contract = {contract:UInt32} AND generation < {before:UInt64}"
        )
        row = self._engine.query(sql, {"model": contract.model, "contract": contract.version, "before": before}).to_pylist()[0]
        return row["n"], row["steps"]

    def rebuilt(self, contract: Contract, before: int) -> Ints:
        """The slots whose newest rebuild is below a generation."""
        sql = f"SELECT toUnixTimestamp64Micro(slot) AS start {REBUILDS} GROUP BY slot HAVING max(generation) < {{before:UInt64}} ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": contract.model, "contract": contract.version, "before": before})["start"])

    def segments(self, contract: Contract) -> list[str]:
        """Segments that hold predictions."""
        sql = f"SELECT DISTINCT segment FROM panes WHERE {HELD} AND {CURRENT} AND column = '@prediction' ORDER BY segment"
        return [row["segment"] for row in self._engine.query(sql, parameters_of(contract, contract.pane, _ALWAYS)).to_pylist()]

    def valueless(self, contract: Contract, span: tuple[int, int], least: int) -> dict[str, frozenset[str]]:
        """By version of the model that has `least` predictions or more in a span, the features of which none of its predictions has a value."""
        sql = (
            "SELECT version, groupArrayIf(column, nulls = rows) AS columns FROM (SELECT version, column, sum(n) AS rows,"
            f" sum({_IN_BIN}) AS nulls"
            f" FROM panes WHERE {HELD} AND {CURRENT} AND grouping = '' AND column IN {{names:Array(String)}} GROUP BY version, column HAVING rows >= {{least:UInt64}})"
            " GROUP BY version"
        )
        features = {"names": [one.name for one in contract.features], "bins": [one.null for one in contract.features], "least": least}
        found = self._engine.query(sql, parameters_of(contract, contract.pane, span) | features).to_pylist()
        return {row["version"]: frozenset(row["columns"]) for row in found}

    def held_by(self, contract: Contract, bins: Mapping[str, int], span: tuple[int, int]) -> dict[str, int]:
        """How many predictions of a span of whole panes have a value in one bin of each of some columns; columns without any are left out."""
        sql = (
            f"SELECT column, sum({_IN_BIN}) AS rows FROM panes WHERE {HELD} AND {CURRENT} AND grouping = ''"
            " AND column IN {names:Array(String)} GROUP BY column HAVING rows > 0"
        )
        asked = {"names": list(bins), "bins": list(bins.values())}
        found = self._engine.query(sql, parameters_of(contract, contract.pane, span) | asked).to_pylist()
        return {row["column"]: row["rows"] for row in found}

    def use(self, contract: Contract, span: tuple[int, int] | None = None) -> list[tuple[str, str, int]]:
        """Versions and roles of the model, in this order, each with how many predictions it has in a span of whole panes, or ever."""
        sql = (
            f"SELECT version, role, sum(n) AS rows FROM panes WHERE {HELD} AND {CURRENT} AND column = '@prediction' AND grouping = ''"
            " GROUP BY version, role HAVING rows > 0 ORDER BY version, role"
        )
        found = self._engine.query(sql, parameters_of(contract, contract.pane, span or _ALWAYS)).to_pylist()
        return [(row["version"], row["role"], row["rows"]) for row in found]

    def traffic(self, contract: Contract, segment: str, step: int, span: tuple[int, int] | None = None) -> tuple[Ints, Ints]:
        """Starts of steps with predictions of a segment, and how many."""
        sql = f"SELECT {WINDOW} AS start, sum(n) AS rows FROM panes WHERE {HELD} AND {CURRENT} AND column = '@prediction' AND segment = {{segment:String}} GROUP BY start ORDER BY start"
        table = self._engine.query(sql, parameters_of(contract, step, span or _ALWAYS) | {"segment": segment})
        return col.ints(table["start"]), col.ints(table["rows"])

    def counts(self, asked: Sequence[tuple[Contract, str, tuple[int, int]]]) -> list[int]:
        """How many predictions of a segment came under a contract in a span of whole panes, for each that is asked for. One query for all."""
        if not asked:
            return []
        spans = "arrayJoin(arrayZip({places:Array(UInt32)}, {models:Array(String)}, {segments:Array(String)}, {lows:Array(Int64)}, {highs:Array(Int64)}))"
        within = "slot >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND slot < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
        sql = (
            f"SELECT one.1 AS place, sum(n) AS rows FROM (SELECT model, segment, toUnixTimestamp64Micro(slot) AS at, n FROM panes WHERE {_PREDICTIONS}"
            f" AND segment IN {{segments:Array(String)}} AND {within}) AS p INNER JOIN (SELECT {spans} AS one) AS a"
            " ON a.one.2 = p.model AND a.one.3 = p.segment WHERE p.at >= a.one.4 AND p.at < a.one.5 GROUP BY place"
        )
        lows, highs = ([span[end] for _, _, span in asked] for end in (0, 1))
        parameters: dict[str, object] = {
            "places": list(range(len(asked))),
            "models": [contract.model for contract, _, _ in asked],
            "segments": [segment for _, segment, _ in asked],
            "lows": lows,
            "highs": highs,
            "low": min(lows),
            "high": max(highs),
        }
        contracts = {contract.model: contract for contract, _, _ in asked}
        rows = self._engine.query(sql, parameters | self._each(list(contracts.values()))).to_pylist()
        found = {row["place"]: int(row["rows"]) for row in rows}
        return [found.get(place, 0) for place in range(len(asked))]

    def totals(self, contracts: Sequence[Contract]) -> dict[str, int]:
        """How many predictions each model has under its contract; models without any are left out. One query for all models."""
        sql = f"SELECT model, sum(n) AS rows FROM panes WHERE {_EACH} AND segment = {{segment:String}} GROUP BY model"
        return {row["model"]: row["rows"] for row in self._engine.query(sql, self._each(contracts) | {"segment": ALL}).to_pylist()}

    def labelled(self, contracts: Sequence[Contract]) -> dict[str, int]:
        """How many predictions of each model have a label, as its performance panes count them; models without any are left out. One query for all models."""
        # Each generation of a slot has a pane of all its rows, so the newest is found among these.
        newest = "max(generation) OVER (PARTITION BY model, slot) AS newest"
        rows = f"SELECT model, arraySum(label_count) AS labels, generation, {newest} FROM performance_panes FINAL WHERE {_EACH_MODEL} AND grouping = ''"
        sql = f"SELECT model, sum(labels) AS rows FROM ({rows}) WHERE generation = newest GROUP BY model HAVING rows > 0"
        return {row["model"]: row["rows"] for row in self._engine.query(sql, self._each(contracts)).to_pylist()}

    def recent(self, contracts: Sequence[Contract], step: int, spans: Mapping[str, tuple[int, int]]) -> dict[str, dict[int, int]]:
        """By model, how many predictions came in each step of its span, by the step's start; empty steps are left out. One query for all models."""
        asked = [contract for contract in contracts if contract.model in spans]
        bounds = "transform(model, {ms:Array(LowCardinality(String))}, {%s:Array(Int64)}, toInt64(0))"
        sql = (
            f"SELECT model, {WINDOW} AS start, sum(n) AS rows FROM panes WHERE {_EACH} AND segment = {{segment:String}}"
            f" AND toUnixTimestamp64Micro(slot) >= {bounds % 'lows'} AND toUnixTimestamp64Micro(slot) < {bounds % 'highs'} GROUP BY model, start"
        )
        lows, highs = ([spans[contract.model][end] for contract in asked] for end in (0, 1))
        found: dict[str, dict[int, int]] = {}
        parameters = self._each(asked) | {"segment": ALL, "length": step, "phase": 0, "lows": lows, "highs": highs}
        for row in self._engine.query(sql, parameters).to_pylist() if asked else ():
            found.setdefault(row["model"], {})[row["start"]] = row["rows"]
        return found

    def histogram(self, contract: Contract, column: str, segment: str, span: tuple[int, int]) -> Ints:
        """Counts of all bins of a column over a span."""
        sql = (
            f"SELECT mapKeys(counts) AS bin, mapValues(counts) AS count FROM (SELECT sumMap(count) AS counts FROM panes"
            f" WHERE {HELD} AND {CURRENT} AND column = {{column:String}} AND segment = {{segment:String}})"
        )
        row = self._engine.query(sql, parameters_of(contract, contract.pane, span) | {"column": column, "segment": segment}).to_pylist()[0]
        counts = np.zeros(contract.column(column).bins, np.int64)
        counts[row["bin"]] = row["count"]
        return counts

    def labels(self, contract: Contract, segment: str, span: tuple[int, int]) -> Ints:
        """Counts of all bins of `@label` over a span, of labelled predictions."""
        sql = (
            f"SELECT bin, sum(rows) AS count FROM (SELECT label_bin, label_count FROM performance_panes FINAL WHERE {HELD} AND {NEWEST}"
            " AND segment = {segment:String}) ARRAY JOIN label_bin AS bin, label_count AS rows GROUP BY bin"
        )
        table = self._engine.query(sql, parameters_of(contract, contract.pane, span) | {"segment": segment})
        counts = np.zeros(contract.column("@label").bins, np.int64)
        counts[col.ints(table["bin"])] = col.ints(table["count"])
        return counts

    @staticmethod
    def _each(contracts: Sequence[Contract]) -> dict[str, object]:
        return {
            "ms": [contract.model for contract in contracts],
            "cs": [contract.version for contract in contracts],
            "ps": [contract.pane for contract in contracts],
        }


def _by_width(contract: Contract, columns: Sequence[str]) -> dict[int | None, list[str]]:
    """The columns that are read together: those of few bins by how many the widest of them has, all others under None."""
    widths = {column.name: column.bins for column in contract.summarised}
    narrow = {name: widths[name] for name in columns if widths.get(name, _NARROW + 1) <= _NARROW}
    wide = [name for name in columns if name not in narrow]
    parts: dict[int | None, list[str]] = {max(narrow.values()): list(narrow)} if narrow else {}
    return parts | ({None: wide} if wide or not narrow else {})


def _summed(names: Sequence[str], width: int | None) -> tuple[str, str]:
    """The sums over panes that fields need, and the fields made of them. Of columns with `width` bins at most."""
    if width is None:
        forms = {name: f"sumMap({name})" for name in ("count", "sum")}
        forms |= {f"{part}_of_{name}": f"map{part.title()}({name})" for part in ("keys", "values") for name in ("counts", "sums")}
    else:
        # `sumMap` holds a tree for each cell: sums by place take a third of the time.
        forms = {name: f"sumResampleArray(0, {width}, 1)(mapValues({name}), mapKeys({name}))" for name in ("count", "sum")}
        places = f"range(toUInt16({width}))"
        forms |= {f"keys_of_{name}": f"arrayFilter((place, held) -> held != 0, {places}, {name})" for name in ("counts", "sums")}
        forms |= {f"values_of_{name}": f"arrayFilter(held -> held != 0, {name})" for name in ("counts", "sums")}
    asked = [tuple(text.format_map(forms) for text in _INPUTS[name]) for name in names]
    inner = ", ".join(dict.fromkeys(f"{expression} AS {alias}" for expression, alias, _ in asked))
    return inner, ", ".join(f"{answer} AS {name}" for name, (_, _, answer) in zip(names, asked, strict=True))


def _asked(version: str | None, role: str | None, phase: int, bounds: Ints | None, segments: Sequence[str]) -> dict[str, object]:
    own: dict[str, object] = {} if bounds is None else {"bounds": bounds.tolist()}
    return {"version": version or "", "role": role or "", "phase": phase, "segments": list(segments), **own}


_ALWAYS = (moment.EARLIEST, moment.LATEST)
