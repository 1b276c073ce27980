"""Joins labels with predictions into outcomes, in sets, whichever came first."""

from __future__ import annotations

from collections.abc import Mapping

from core.block import Ints
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.raw import SLOT

# Positions first..last of a partition.
Ranges = Mapping[int, tuple[int, int]]


class Truth:
    """The outcomes: what is known now of each labelled prediction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def join(self, model: str, predictions: Ranges, labels: Ranges, generation: int) -> None:
        """Write the outcomes of what is new in the given ranges: labels whose prediction is there, predictions whose label is there.

        Of an id's labels the highest (ts, partition, position, place) holds; of its predictions the first in the log.
        """
        new = []
        if labels:
            new.append(f"SELECT prediction_id FROM labels WHERE model = {{model:String}} AND ({_within(labels)})")
        if predictions:
            fresh = f"SELECT prediction_id FROM predictions WHERE model = {{model:String}} AND ({_within(predictions)})"
            new.append(f"SELECT prediction_id FROM labels WHERE model = {{model:String}} AND prediction_id IN ({fresh})")
        if not new:
            return
        ids = " UNION DISTINCT ".join(new)
        self._engine.command(
            "INSERT INTO outcomes SELECT {model:String}, p.ts, p.prediction_id, l.truth.1, l.truth.2, l.truth.3, l.truth.4, {generation:UInt64}, l.truth.5"
            " FROM (SELECT prediction_id, argMax((text, number, weight, ts, deleted), (ts, partition, position, place)) AS truth"
            f" FROM labels WHERE model = {{model:String}} AND prediction_id IN ({ids}) GROUP BY prediction_id) AS l"
            " INNER JOIN (SELECT prediction_id, argMin(ts, (logged, partition, position, place)) AS ts"
            f" FROM predictions WHERE model = {{model:String}} AND prediction_id IN ({ids}) GROUP BY prediction_id) AS p"
            " ON p.prediction_id = l.prediction_id",
            {"model": model, "generation": generation},
        )

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

    def counts(self, model: str) -> tuple[int, int]:
        """How many predictions of the model have a label now, and how many labels ever came."""
        row = self._engine.query(
            "SELECT (SELECT count() FROM outcomes FINAL WHERE model = {model:String}) AS labelled, count() AS labels FROM labels WHERE model = {model:String}",
            {"model": model},
        ).to_pylist()[0]
        return row["labelled"], row["labels"]


def _within(ranges: Ranges) -> str:
    return " OR ".join(f"(partition = {int(p)} AND position BETWEEN {int(first)} AND {int(last)})" for p, (first, last) in ranges.items())
