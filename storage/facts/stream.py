"""Counts how events came: late, again, not to be used, and labels without a prediction."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from core.block import Ints
from core.segment import ALL
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.raw import Ranges, within
from storage.facts.slot_condition import COUNTS, IN_SLOTS, SLOT, flat, slots

_START = "toUnixTimestamp64Micro({ts}) - positiveModulo(toUnixTimestamp64Micro({ts}) - {{phase:Int64}}, {{length:Int64}})"
_BOUNDED = "roundDown(toUnixTimestamp64Micro({ts}), {{bounds:Array(Int64)}})"
_WITHIN = "ts >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"

_LOGGED_WITHIN = "logged >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND logged < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"


class Stream:
    """Queries of raw events. Answers have one row a cell of `length` microseconds that begins at `phase` modulo `length`, or at one of `bounds` if these are given, in a half-open span of event time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def late(
        self, model: str, after: tuple[int, ...], length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None
    ) -> pa.Table:
        """How many predictions count (n), and how many of them the log took more than each of `after` microseconds after their time (late0, late1 and so on)."""
        waited = "toUnixTimestamp64Micro(logged) - toUnixTimestamp64Micro(ts)"
        late = ", ".join(f"countIf({waited} > {int(limit)}) AS late{index}" for index, limit in enumerate(after))
        sql = (
            f"SELECT {_start('ts', bounds)} AS start, '{ALL}' AS segment, count() AS n, {late} FROM predictions"
            f" WHERE model = {{model:String}} AND {IN_SLOTS} AND {COUNTS} GROUP BY start"
        )
        asked = self._parameters(model, length, span, phase, bounds)
        return self._engine.query(flat(sql, asked), asked)

    def unknown(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """How many predictions have a column that the contract does not have (n), by the column's `name`."""
        sql = (
            f"SELECT {_start('ts', bounds)} AS start, '{ALL}' AS segment, name, count() AS n FROM ("
            "SELECT ts, arrayJoin(JSONExtract(extra, 'unknown', 'Array(String)')) AS name FROM predictions"
            f" WHERE model = {{model:String}} AND {IN_SLOTS} AND extra LIKE '%\"unknown\":%' AND {COUNTS}) GROUP BY start, name"
        )
        asked = self._parameters(model, length, span, phase, bounds)
        return self._engine.query(flat(sql, asked), asked)

    def orphans(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """How many predictions have a label that holds and whose time is in the cell (n), also those that never came, and how many never came (orphans)."""
        ids = f"SELECT prediction_id FROM labels WHERE model = {{model:String}} AND {_WITHIN}"
        known = f"SELECT prediction_id FROM predictions WHERE model = {{model:String}} AND prediction_id IN ({ids})"
        held = (
            "SELECT prediction_id, argMax((ts, deleted), (ts, partition, position, place)) AS last FROM labels"
            f" WHERE model = {{model:String}} AND prediction_id IN ({ids}) GROUP BY prediction_id"
        )
        sql = (
            f"SELECT {_start('ts', bounds)} AS start, '{ALL}' AS segment, count() AS n, countIf(prediction_id NOT IN ({known})) AS orphans"
            f" FROM (SELECT prediction_id, last.1 AS ts FROM ({held}) WHERE last.2 = 0) WHERE {_WITHIN} GROUP BY start"
        )
        return self._engine.query(sql, self._parameters(model, length, span, phase, bounds))

    def copies(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """How many predictions whose time is in the cell came again (n): those that ingest dropped, and those that are in raw events and do not count."""
        dropped = (
            "SELECT fromUnixTimestamp64Micro(slot, 'UTC') AS ts, copies FROM (SELECT copy_slot, copy_count FROM batches FINAL"
            " WHERE model = {model:String} AND topic = 'predictions') ARRAY JOIN copy_slot AS slot, copy_count AS copies"
        )
        kept = (
            "SELECT ts, 1 AS copies FROM (SELECT DISTINCT ts, prediction_id, partition, position, place FROM contested"
            " WHERE model = {model:String})"
        )
        sql = (
            f"SELECT {_start('ts', bounds)} AS start, '{ALL}' AS segment, sum(copies) AS n"
            f" FROM ({dropped} UNION ALL {kept}) WHERE {_WITHIN} GROUP BY start"
        )
        return self._engine.query(sql, self._parameters(model, length, span, phase, bounds))

    def copy_slots(self, model: str, positions: Ranges | None) -> Ints:
        """The slots of the times of the copies that ingest dropped in the batches that end at these positions; None: in all batches."""
        if positions is not None and not positions:
            return np.zeros(0, np.int64)
        which = "" if positions is None else f" AND ({within(positions, 'last')})"
        sql = f"SELECT DISTINCT arrayJoin(copy_slot) AS slot FROM batches WHERE model = {{model:String}} AND topic = 'predictions'{which} ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": model})["slot"])

    def rejects(self, model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None = None) -> pa.Table:
        """How many rows the log took in the cell, without copies that ingest dropped (n), and how many of them could not be used (rejected)."""
        parts = " UNION ALL ".join(
            f"SELECT logged, {bad} AS bad FROM {table} WHERE model = {{model:String}} AND {_LOGGED_WITHIN}"
            for table, bad in (("predictions", 0), ("labels", 0), ("dead_letters FINAL", 1))
        )
        sql = f"SELECT {_start('logged', bounds)} AS start, '{ALL}' AS segment, count() AS n, sum(bad) AS rejected FROM ({parts}) GROUP BY start"
        return self._engine.query(sql, self._parameters(model, length, span, phase, bounds))

    def arrival_slots(self, model: str, predictions: Ranges | None, labels: Ranges | None, pane: int) -> Ints:
        """The slots of the log's time of the rows at these positions, also of those that could not be used; None: of all."""
        parts = []
        for topic, positions in (("predictions", predictions), ("labels", labels)):
            if positions is None or positions:
                at = "" if positions is None else f" AND ({within(positions)})"
                parts.append(f"SELECT logged FROM {topic} WHERE model = {{model:String}}{at}")
                parts.append(f"SELECT logged FROM dead_letters WHERE model = {{model:String}} AND topic = '{topic}'{at}")
        if not parts:
            return np.zeros(0, np.int64)
        sql = f"SELECT DISTINCT {SLOT.format(ts='logged')} AS slot FROM ({' UNION ALL '.join(parts)}) ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": model, "pane": pane})["slot"])

    def latest(self, model: str, values: Ints, pane: int) -> dict[int, int]:
        """The time of the last event that counts in each of these slots, in microseconds; slots without any are left out."""
        sql = (
            f"SELECT {SLOT.format(ts='ts')} AS slot, toUnixTimestamp64Micro(max(ts)) AS last FROM predictions"
            f" WHERE model = {{model:String}} AND {IN_SLOTS} AND {COUNTS} GROUP BY slot"
        )
        asked = {"model": model, **slots(values, pane)}
        table = self._engine.query(flat(sql, asked), asked) if len(values) else None
        return {} if table is None else dict(zip(table["slot"].to_pylist(), table["last"].to_pylist(), strict=True))

    def label_slots(self, model: str, predictions: Ranges, labels: Ranges, pane: int) -> Ints:
        """The slots of the times of all labels of the ids that came at these positions."""
        came = {"predictions": predictions, "labels": labels}
        ids = [f"SELECT prediction_id FROM {table} WHERE model = {{model:String}} AND ({within(at)})" for table, at in came.items() if at]
        return self._slots(f"AND prediction_id IN ({' UNION DISTINCT '.join(ids)})", model, pane) if ids else np.zeros(0, np.int64)

    def every_label_slot(self, model: str, pane: int) -> Ints:
        """The slots of the times of all labels."""
        return self._slots("", model, pane)

    def _slots(self, which: str, model: str, pane: int) -> Ints:
        sql = f"SELECT DISTINCT {SLOT.format(ts='ts')} AS slot FROM labels WHERE model = {{model:String}} {which} ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": model, "pane": pane})["slot"])

    @staticmethod
    def _parameters(model: str, length: int, span: tuple[int, int], phase: int, bounds: Ints | None) -> dict[str, object]:
        low, high = span
        own: dict[str, object] = {} if bounds is None else {"bounds": bounds.tolist()}
        return {
            "model": model,
            "length": length,
            "phase": phase,
            "low": low,
            "high": high,
            "slots": "[]",
            "pane": length,
            **own,
        }


def _start(ts: str, bounds: Ints | None) -> str:
    """The start of the cell of a time."""
    return (_START if bounds is None else _BOUNDED).format(ts=ts)
