"""Reads many events with their labels, a portion after the other, as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from core.block import Ints, Predictions
from core.contract import Contract
from core.event_query import EventQuery
from core.moment import EARLIEST, LATEST
from storage.facts.engine import Engine
from storage.facts.event_list import BY_THEN, COUNTS, SPAN, TRUTH, EventList
from storage.facts.picked import Picked
from storage.facts.raw import block_of

_ALL = Picked(None, None, (0, 0))
_NAMES = ("prediction_id", "partition", "position", "place")
_ROW = f"prediction_id, ts, version, role, class, number, score, partition, position, place, logged, contract, {_ALL.select}, vectors"


class Truth(NamedTuple):
    """The label that holds: its text, its number, its weight, and its time in microseconds."""

    text: str
    number: float
    weight: float
    at: int


class Part(NamedTuple):
    """Those events of a portion that were taken under one contract version, and the place of each in the portion."""

    contract: Contract
    events: Predictions
    places: Ints


class Portion(NamedTuple):
    """Some events in the order that was asked for, and by id the labels that hold; ids without one are left out. There is one part at least."""

    parts: Sequence[Part]
    truths: Mapping[str, Truth]


class EventExport:
    """Queries of many events. `contracts` are all versions of the model's contract, the newest last."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._list = engine, EventList(engine)

    def portions(self, contracts: Sequence[Contract], asked: EventQuery, most: int | None) -> Iterator[Portion]:
        """The events, `asked.limit` at a time, and `most` in all, None for all of them; one empty portion if there are none.

        An event is there once. Each portion is read for itself, so an event that comes meanwhile may be there; `asked.as_of` leaves it out.
        """
        left = most
        while True:
            limit = asked.limit if left is None else min(asked.limit, left)
            page, after = self._list.places(contracts, msgspec.structs.replace(asked, limit=limit))
            yield self._portion(contracts, asked, page)
            left = None if left is None else left - len(page)
            if after is None or left == 0:
                return
            asked = msgspec.structs.replace(asked, after=after)

    def _portion(self, contracts: Sequence[Contract], asked: EventQuery, page: Sequence[dict[str, Any]]) -> Portion:
        """The events at these places."""
        times = [one["at"] for one in page] or [0]
        ids = [one["prediction_id"] for one in page]
        sql = (
            f"SELECT {_ROW} FROM predictions WHERE model = {{model:String}} AND {SPAN}"
            f" AND prediction_id IN (SELECT arrayJoin({{ids:Array(String)}})) LIMIT 1 BY {', '.join(_NAMES)}"
        )
        parameters = {"model": asked.model, "low": min(times), "high": max(times) + 1, "ids": ids}
        table = self._engine.query(sql, parameters)
        found = {place: row for row, place in enumerate(zip(*(table[name].to_pylist() for name in _NAMES), strict=True))}
        table = table.take(pa.array([found[tuple(one[name] for name in _NAMES)] for one in page], pa.int64()))
        versions = table["contract"].to_numpy()
        parts = []
        for contract in contracts:
            places = np.flatnonzero(versions == contract.version)
            if len(places) or (contract is contracts[-1] and not len(versions)):
                own = table if len(places) == len(versions) else table.take(pa.array(places))
                sizes = [column.embedding.size for column in contract.columns if column.embedding is not None]
                parts.append(Part(contract, block_of(contract, own, Picked.of(contract, None), sizes), places))
        return Portion(parts, self._truths(asked.model, ids, asked.as_of) if ids else {})

    def _truths(self, model: str, ids: Sequence[str], as_of: int | None) -> dict[str, Truth]:
        """By id the labels that hold, of those that the log had taken by a time, None for all."""
        then = "" if as_of is None else f" AND {BY_THEN}"
        sql = (
            "SELECT prediction_id, toString(truth.1) AS text, truth.2 AS number, truth.3 AS weight, toUnixTimestamp64Micro(truth.4) AS at FROM ("
            f"SELECT prediction_id, {TRUTH} AS truth FROM labels WHERE model = {{model:String}}"
            f" AND prediction_id IN (SELECT arrayJoin({{ids:Array(String)}})){then} GROUP BY prediction_id) WHERE truth.5 = 0"
        )
        table = self._engine.query(sql, {"model": model, "ids": list(ids), "as_of": as_of or 0})
        held = (table[name].to_pylist() for name in ("text", "number", "weight", "at"))
        return dict(zip(table["prediction_id"].to_pylist(), map(Truth, *held), strict=True))

    def most_members(self, asked: EventQuery) -> int:
        """How many members the largest ensemble in the span of a query has."""
        sql = f"SELECT max(length(JSONExtract(extra, 'ensemble', 'Array(Float64)'))) AS n FROM predictions WHERE model = {{model:String}} AND {SPAN}"
        return int(self._engine.query(sql, {"model": asked.model, **_span(asked)})["n"][0].as_py())

    def counts(self, model: str, start: int, end: int) -> tuple[int, int]:
        """How many events `start <= ts < end` count, and how many of them have a label that holds, as the owner of the model has joined them last."""
        events = f"SELECT count() AS n, 0 AS labelled FROM predictions WHERE model = {{model:String}} AND {SPAN} AND {COUNTS}"
        labelled = f"SELECT 0, count() FROM outcomes FINAL WHERE model = {{model:String}} AND {SPAN}"
        sql = f"SELECT sum(n) AS n, sum(labelled) AS labelled FROM ({events} UNION ALL {labelled})"
        row = self._engine.query(sql, {"model": model, "low": start, "high": end}).to_pylist()[0]
        return int(row["n"]), int(row["labelled"])

    def first(self, model: str) -> int | None:
        """The time of the first event of a model; None without any."""
        sql = "SELECT toUnixTimestamp64Micro(ts) AS at FROM predictions WHERE model = {model:String} ORDER BY ts LIMIT 1"
        found = self._engine.query(sql, {"model": model})["at"].to_pylist()
        return int(found[0]) if found else None

    def main_version(self, model: str, start: int, end: int) -> str | None:
        """The version of the model that has most of the events `start <= ts < end`; None without any."""
        sql = f"SELECT toString(version) AS name FROM predictions WHERE model = {{model:String}} AND {SPAN} GROUP BY name ORDER BY count() DESC, name LIMIT 1"
        found = self._engine.query(sql, {"model": model, "low": start, "high": end})["name"].to_pylist()
        return str(found[0]) if found else None


def _span(asked: EventQuery) -> dict[str, int]:
    return {"low": EARLIEST if asked.start is None else asked.start, "high": LATEST if asked.end is None else asked.end}
