"""Joins predictions with labels into outcomes, whichever came first, many at a time; and finds contested events, which do not count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.block import Ints
from core.text import NULL
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.raw import Ranges, within
from storage.facts.slot_condition import IN_SLOTS, SLOT, flat
from storage.facts.slot_condition import slots as slots_of

_COLUMNS = "model, ts, prediction_id, text, number, weight, label_ts, generation, deleted, class, loss, filled"


def _counting(ids: str) -> str:
    """The event of each id that counts, as `find_contested` finds it: `prediction_id`, `ts`, and `event`, which is its time, class and number."""
    first = (
        "SELECT prediction_id, partition, argMin((logged, (ts, toString(class), number)), (position, place)) AS first"
        f" FROM predictions WHERE model = {{model:String}} AND prediction_id IN ({ids}) GROUP BY prediction_id, partition"
    )
    return f"SELECT prediction_id, argMin(first.2, (first.1, partition)) AS event, event.1 AS ts FROM ({first}) GROUP BY prediction_id"


class OutcomeStore:
    """The outcomes: each labelled prediction with its current label, its predicted class and its loss."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def join(self, model: str, predictions: Ranges, labels: Ranges, generation: int) -> None:
        """Write the outcomes of new events in the given ranges: of labels whose prediction is there, and of predictions whose label is there.

        Of an id's labels the highest (ts, partition, position, place) holds; of its predictions the one that `find_contested` leaves.
        """
        new = []
        if labels:
            new.append(f"SELECT prediction_id FROM labels WHERE model = {{model:String}} AND ({within(labels)})")
        if predictions:
            fresh = f"SELECT prediction_id FROM predictions WHERE model = {{model:String}} AND ({within(predictions)})"
            new.append(f"SELECT prediction_id FROM labels WHERE model = {{model:String}} AND prediction_id IN ({fresh})")
        if not new:
            return
        ids = " UNION DISTINCT ".join(new)
        self._engine.command(
            f"INSERT INTO outcomes ({_COLUMNS}) SELECT {{model:String}}, p.ts, p.prediction_id, l.truth.1, l.truth.2, l.truth.3, l.truth.4, {{generation:UInt64}}, l.truth.5,"
            " p.event.2, abs(p.event.3 - l.truth.2), 1"
            " FROM (SELECT prediction_id, argMax((text, number, weight, ts, deleted), (ts, partition, position, place)) AS truth"
            f" FROM labels WHERE model = {{model:String}} AND prediction_id IN ({ids}) GROUP BY prediction_id) AS l"
            f" INNER JOIN ({_counting(ids)}) AS p ON p.prediction_id = l.prediction_id",
            {"model": model, "generation": generation},
        )

    def fill(self, model: str, slots: Sequence[int] | Ints, pane: int) -> None:
        """Write what was predicted beside the outcomes of these slots that an earlier version wrote. They stay of their generation."""
        old = f"SELECT * FROM outcomes FINAL WHERE model = {{model:String}} AND {IN_SLOTS} AND filled = 0"
        asked = {"model": model, **slots_of(slots, pane)}
        sql = (
            f"INSERT INTO outcomes ({_COLUMNS}) SELECT o.model, o.ts, o.prediction_id, o.text, o.number, o.weight, o.label_ts, o.generation, o.deleted,"
            f" if(p.found = 1, p.event.2, '{NULL}'), if(p.found = 1, abs(p.event.3 - o.number), nan), 1 FROM ({old}) AS o"
            f" LEFT JOIN (SELECT prediction_id, event, 1 AS found FROM ({_counting(f'SELECT prediction_id FROM ({old})')})) AS p ON p.prediction_id = o.prediction_id"
        )
        self._engine.command(flat(sql, asked), asked)

    def find_contested(self, model: str, predictions: Ranges, generation: int) -> Ints:
        """Find the events that do not count, of ids that came in the given ranges and are in the log more than once. Returns their event times.

        In a partition only the first event of an id by (position, place) can count, as if ingest remembered all ids. Of the first events of several partitions
        the one with the lowest (logged, partition) counts, whichever was read first. The outcome of an event that does not count is withdrawn, unless the
        event that counts has the same time.
        """
        fresh = f"SELECT prediction_id FROM predictions WHERE model = {{model:String}} AND ({within(predictions)})"
        twice = (
            f"SELECT prediction_id FROM predictions WHERE model = {{model:String}} AND prediction_id IN ({fresh}) GROUP BY prediction_id"
            " HAVING min(partition) < max(partition) OR min(position) < max(position) OR min(place) < max(place)"
        )
        parameters = {"model": model, "generation": generation}
        if not self._engine.query(f"SELECT prediction_id FROM ({twice}) LIMIT 1", parameters).num_rows:
            return np.zeros(0, np.int64)
        entered = (
            "SELECT *, first_value(logged) OVER (PARTITION BY prediction_id, partition ORDER BY position, place) AS entered"
            " FROM (SELECT prediction_id, partition, position, place, ts, logged FROM predictions"
            f" WHERE model = {{model:String}} AND prediction_id IN ({twice}))"
        )
        events = "arraySort(groupUniqArray((entered, partition, position, place, ts)))"
        self._engine.command(
            "INSERT INTO contested (model, ts, prediction_id, partition, position, place, winner, generation)"
            " SELECT {model:String}, superseded.5, prediction_id, superseded.2, superseded.3, superseded.4, events[1].5, {generation:UInt64}"
            f" FROM (SELECT prediction_id, {events} AS events FROM ({entered}) GROUP BY prediction_id) ARRAY JOIN arrayPopFront(events) AS superseded",
            parameters,
        )
        found = "FROM contested WHERE model = {model:String} AND generation = {generation:UInt64}"
        self._engine.command(
            "INSERT INTO outcomes (model, ts, prediction_id, generation, deleted)"
            f" SELECT DISTINCT model, ts, prediction_id, generation, 1 {found} AND ts != winner",
            parameters,
        )
        return col.ints(self._engine.query(f"SELECT DISTINCT toUnixTimestamp64Micro(ts) AS at {found} ORDER BY at", parameters)["at"])

    def highest(self, model: str) -> int:
        """The highest generation under which an owner has written anything about the model, 0 if none has."""
        tables = ("outcomes", "panes", "performance_panes", "rebuilds", "readings", "contested")
        each = " UNION ALL ".join(f"SELECT max(generation) AS highest FROM {table} WHERE model = {{model:String}}" for table in tables)
        return int(self._engine.query(f"SELECT max(highest) AS highest FROM ({each})", {"model": model})["highest"][0].as_py())

    def joined(self, model: str, generation: int, pane: int) -> Ints:
        """Slots of the outcomes that `join` wrote under this generation, retracted ones too."""
        sql = (
            f"SELECT DISTINCT {SLOT.format(ts='ts')} AS slot FROM outcomes"
            " WHERE model = {model:String} AND generation = {generation:UInt64} ORDER BY slot"
        )
        return col.ints(self._engine.query(sql, {"model": model, "generation": generation, "pane": pane})["slot"])

    def slots(self, model: str, pane: int) -> Ints:
        """All slots that hold outcomes of the model."""
        sql = f"SELECT DISTINCT {SLOT.format(ts='ts')} AS slot FROM outcomes WHERE model = {{model:String}} ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": model, "pane": pane})["slot"])

    def labels(self, model: str, low: int, high: int) -> dict[str, tuple[str, float, int]]:
        """By id the label that holds of the events with `low <= ts < high`: its text, its number, and its time in microseconds."""
        sql = (
            "SELECT prediction_id, toString(text) AS text, number, toUnixTimestamp64Micro(label_ts) AS at FROM outcomes FINAL WHERE model = {model:String}"
            " AND ts >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
        )
        table = self._engine.query(sql, {"model": model, "low": low, "high": high})
        held = (table[name].to_pylist() for name in ("prediction_id", "text", "number", "at"))
        return {one: (text, number, at) for one, text, number, at in zip(*held, strict=True)}

    def labelled(self, model: str, low: int, high: int) -> int:
        """How many events with `low <= ts < high` have a label now."""
        sql = (
            "SELECT count() AS n FROM outcomes FINAL WHERE model = {model:String}"
            " AND ts >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
        )
        return int(self._engine.query(sql, {"model": model, "low": low, "high": high}).to_pylist()[0]["n"])

    def came(self, models: Sequence[str]) -> dict[str, int]:
        """How many labels of each model ever came; models without any are left out."""
        sql = "SELECT model, count() AS n FROM labels WHERE model IN {models:Array(String)} GROUP BY model"
        return {row["model"]: row["n"] for row in self._engine.query(sql, {"models": list(models)}).to_pylist()}
