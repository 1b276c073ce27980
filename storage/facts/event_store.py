"""Reads single events back, with the labels that hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from core.contract import Contract
from core.event_query import EventQuery
from storage.facts.engine import Engine
from storage.facts.event_list import BY_THEN, SPAN, EventList

_EVENT = (
    "prediction_id, toUnixTimestamp64Micro(ts) AS at, version, role, toString(class) AS class, number, score, probabilities, numbers, texts, vectors, extra, contract,"
    " partition, position, place, toUnixTimestamp64Micro(logged) AS logged_at"
)
_LABEL = "toString(text) AS text, number, weight, toUnixTimestamp64Micro(ts) AS at, deleted, toUnixTimestamp64Micro(logged) AS logged_at"


class EventStore:
    """Queries of events. `contracts` are all versions of the model's contract, the newest last. Times are microseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.list = engine, EventList(engine)

    def page(self, contracts: Sequence[Contract], asked: EventQuery) -> tuple[pa.Table, str | None]:
        """Raw events, each id once, and the cursor of the next page or None.

        The loss that counts is 0 or 1 for classes and the absolute error for numbers. Wide columns are read for the events of the page only.
        """
        page, after = self.list.places(contracts, asked)
        return self._whole(asked.model, page), after

    def _whole(self, model: str, page: Sequence[dict[str, Any]]) -> pa.Table:
        """The events at these places, in this order."""
        times = [one["at"] for one in page] or [0]
        sql = (
            f"SELECT {_EVENT} FROM predictions WHERE model = {{model:String}} AND {SPAN}"
            " AND prediction_id IN (SELECT arrayJoin({ids:Array(String)})) LIMIT 1 BY prediction_id, partition, position, place"
        )
        parameters = {"model": model, "low": min(times), "high": max(times) + 1, "ids": [one["prediction_id"] for one in page]}
        table = self._engine.query(sql, parameters)
        names = ("prediction_id", "partition", "position", "place")
        found = {place: row for row, place in enumerate(zip(*(table[name].to_pylist() for name in names), strict=True))}
        return table.take(pa.array([found[tuple(one[name] for name in names)] for one in page], pa.int64()))

    def one(self, model: str, prediction_id: str) -> pa.Table:
        """The event with this id that counts: one row, or none."""
        sql = (
            f"SELECT {_EVENT} FROM (SELECT * FROM predictions WHERE model = {{model:String}} AND prediction_id = {{id:String}} AND (partition, position, place) NOT IN"
            " (SELECT partition, position, place FROM contested WHERE model = {model:String} AND prediction_id = {id:String}) ORDER BY logged, partition, position, place LIMIT 1)"
        )
        return self._engine.query(sql, {"model": model, "id": prediction_id})

    def labels(self, model: str, ids: Sequence[str], as_of: int | None = None) -> dict[str, list[dict[str, Any]]]:
        """By id all labels that came, up to a time or ever, the one that holds last; corrections and retractions too."""
        sql = (
            f"SELECT prediction_id, {_LABEL} FROM labels WHERE model = {{model:String}} AND prediction_id IN (SELECT arrayJoin({{ids:Array(String)}}))"
            f"{'' if as_of is None else f' AND {BY_THEN}'} ORDER BY prediction_id, ts, partition, position, place LIMIT 1 BY prediction_id, partition, position, place"
        )
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._engine.query(sql, {"model": model, "ids": list(ids), "as_of": as_of or 0}).to_pylist():
            found.setdefault(row.pop("prediction_id"), []).append(row)
        return found

    def shares_below(self, contract: Contract, numbers: Sequence[float]) -> list[float]:
        """For the numeric columns of a contract, in the order in which events keep them: which share of the reference's kept rows is at most this number. NaN without any."""
        if not numbers:
            return []
        each = ", ".join(
            f"countIf(isFinite(numbers[{at}]) AND numbers[{at}] <= {{v{at}:Float64}}) / countIf(isFinite(numbers[{at}])) AS s{at}"
            for at in range(1, len(numbers) + 1)
        )
        sql = f"SELECT {each} FROM predictions WHERE model = {{model:String}}"
        given = {f"v{at}": number for at, number in enumerate(numbers, 1)}
        row = self._engine.query(sql, given | {"model": contract.of_reference.model}).to_pylist()[0]
        return [row[f"s{at}"] for at in range(1, len(numbers) + 1)]
