"""Reads panes, composed into windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core import moment
from core.block import Ints
from core.contract import Contract
from storage.facts import column as col
from storage.facts.engine import Engine

_WINDOW = "toUnixTimestamp64Micro(slot) - positiveModulo(toUnixTimestamp64Micro(slot), {length:Int64})"
_HELD = (
    "model = {model:String} AND contract = {contract:UInt32} AND pane = {pane:UInt64}"
    " AND slot >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND slot < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
)
# Of a slot that was made again from raw, only what was made last.
_REBUILDS = "FROM rebuilds WHERE model = {model:String} AND contract = {contract:UInt32}"
_CURRENT = f"((generation = 0 AND slot NOT IN (SELECT slot {_REBUILDS})) OR (slot, generation) IN (SELECT slot, max(generation) {_REBUILDS} GROUP BY slot))"
_NEWEST = f"(slot, generation) IN (SELECT slot, max(generation) FROM performance_panes WHERE {_HELD} GROUP BY slot)"
_SUMS = ("n", "scored", "error_sum", "absolute_sum", "square_sum")


class Panes:
    """Questions about panes. Ranges are half-open, in microseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(
        self,
        contract: Contract,
        columns: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
    ) -> pa.Table:
        """Counts by bin: start (int64), column, segment, bin (list), count (list), one row a window, column and segment with rows."""
        sql = (
            "SELECT start, column, segment, mapKeys(counts) AS bin, mapValues(counts) AS count FROM ("
            f"SELECT {_WINDOW} AS start, column, segment, sumMap(count) AS counts FROM panes"
            f" WHERE {_HELD} AND {_CURRENT} AND column IN {{columns:Array(String)}} AND grouping IN {{groupings:Array(String)}}"
            f"{' AND version = {version:String}' if version else ''} GROUP BY start, column, segment)"
        )
        parameters = {"columns": list(columns), "groupings": list(groupings), "version": version or ""}
        return self._engine.query(sql, self._parameters(contract, length, span) | parameters)

    def performance(
        self,
        contract: Contract,
        columns: Sequence[str],
        groupings: Sequence[str],
        length: int,
        span: tuple[int, int],
        version: str | None = None,
    ) -> pa.Table:
        """Sums of performance panes, one row a window and segment with rows: start, segment, and those of the columns that are asked for.

        Numbers are n, scored, error_sum, absolute_sum and square_sum; the other columns of the table are lists, here one after the other.
        """
        # The aliases differ from the columns, else ClickHouse takes them for one another.
        inner = ", ".join(f"{'sum' if name in _SUMS else 'groupArrayArray'}({name}) AS s_{name}" for name in columns)
        outer = ", ".join(f"s_{name} AS {name}" for name in columns)
        sql = (
            f"SELECT start, segment, {outer} FROM (SELECT {_WINDOW} AS start, segment, {inner} FROM performance_panes FINAL"
            f" WHERE {_HELD} AND {_NEWEST} AND grouping IN {{groupings:Array(String)}}"
            f"{' AND version = {version:String}' if version else ''} AND n > 0 GROUP BY start, segment)"
        )
        return self._engine.query(sql, self._parameters(contract, length, span) | {"groupings": list(groupings), "version": version or ""})

    def slots(self, contract: Contract) -> tuple[Ints, Ints]:
        """Slots with predictions, ascending, and how many predictions each holds."""
        sql = f"SELECT toUnixTimestamp64Micro(slot) AS start, sum(n) AS rows FROM panes WHERE {_HELD} AND {_CURRENT} AND column = '@prediction' AND grouping = '' GROUP BY slot ORDER BY slot"
        table = self._engine.query(sql, self._parameters(contract, contract.pane, _ALWAYS))
        return col.ints(table["start"]), col.ints(table["rows"])

    def rebuilds(self, contract: Contract, era: int) -> tuple[int, int]:
        """What owners before this era have rebuilt, as two numbers that change when one of them writes late."""
        sql = "SELECT count() AS n, sum(generation % 4294967296) AS steps FROM rebuilds FINAL WHERE model = {model:String} AND contract = {contract:UInt32} AND era < {era:UInt32}"
        row = self._engine.query(sql, {"model": contract.model, "contract": contract.version, "era": era}).to_pylist()[0]
        return row["n"], row["steps"]

    def rebuilt(self, contract: Contract, era: int) -> Ints:
        """The slots whose panes are as an owner before this era has rebuilt them."""
        sql = f"SELECT toUnixTimestamp64Micro(slot) AS start {_REBUILDS} GROUP BY slot HAVING max(era) < {{era:UInt32}} ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": contract.model, "contract": contract.version, "era": era})["start"])

    def segments(self, contract: Contract) -> list[str]:
        """Segments that hold predictions."""
        sql = f"SELECT DISTINCT segment FROM panes WHERE {_HELD} AND {_CURRENT} AND column = '@prediction' ORDER BY segment"
        return [row["segment"] for row in self._engine.query(sql, self._parameters(contract, contract.pane, _ALWAYS)).to_pylist()]

    def traffic(self, contract: Contract, segment: str, step: int, span: tuple[int, int] | None = None) -> tuple[Ints, Ints]:
        """Starts of steps with predictions of a segment, and how many."""
        sql = f"SELECT {_WINDOW} AS start, sum(n) AS rows FROM panes WHERE {_HELD} AND {_CURRENT} AND column = '@prediction' AND segment = {{segment:String}} GROUP BY start ORDER BY start"
        table = self._engine.query(sql, self._parameters(contract, step, span or _ALWAYS) | {"segment": segment})
        return col.ints(table["start"]), col.ints(table["rows"])

    def histogram(self, contract: Contract, column: str, segment: str, span: tuple[int, int]) -> Ints:
        """Counts of all bins of a column over a span."""
        sql = (
            f"SELECT mapKeys(counts) AS bin, mapValues(counts) AS count FROM (SELECT sumMap(count) AS counts FROM panes"
            f" WHERE {_HELD} AND {_CURRENT} AND column = {{column:String}} AND segment = {{segment:String}})"
        )
        row = self._engine.query(sql, self._parameters(contract, contract.pane, span) | {"column": column, "segment": segment}).to_pylist()[
            0
        ]
        counts = np.zeros(contract.column(column).bins, np.int64)
        counts[row["bin"]] = row["count"]
        return counts

    def labels(self, contract: Contract, segment: str, span: tuple[int, int]) -> Ints:
        """Counts of all bins of `@label` over a span, of labelled predictions."""
        sql = (
            f"SELECT bin, sum(rows) AS count FROM (SELECT label_bin, label_count FROM performance_panes FINAL WHERE {_HELD} AND {_NEWEST}"
            " AND segment = {segment:String}) ARRAY JOIN label_bin AS bin, label_count AS rows GROUP BY bin"
        )
        table = self._engine.query(sql, self._parameters(contract, contract.pane, span) | {"segment": segment})
        counts = np.zeros(contract.column("@label").bins, np.int64)
        counts[col.ints(table["bin"])] = col.ints(table["count"])
        return counts

    @staticmethod
    def _parameters(contract: Contract, length: int, span: tuple[int, int]) -> dict[str, object]:
        return {
            "model": contract.model,
            "contract": contract.version,
            "pane": contract.pane,
            "length": length,
            "low": span[0],
            "high": span[1],
        }


_ALWAYS = (moment.EARLIEST, moment.LATEST)
