"""Reads single events back, with the labels that hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec
import pyarrow as pa

from core.classes import Classes
from core.contract import PREDICTION, Contract, Task
from core.event_query import EventQuery, Order
from core.moment import EARLIEST, LATEST
from core.text import INVALID, NULL
from storage.facts.engine import Engine
from storage.facts.event_condition import Conditions
from storage.facts.page_cursor import decode, encode

SPAN = "ts >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
# Other events of the same id do not count.
COUNTS = f"(prediction_id, partition, position, place) NOT IN (SELECT prediction_id, partition, position, place FROM contested WHERE model = {{model:String}} AND {SPAN})"
BY_THEN = "logged <= fromUnixTimestamp64Micro({as_of:Int64}, 'UTC')"
_EVENT = (
    "prediction_id, toUnixTimestamp64Micro(ts) AS at, version, role, toString(class) AS class, number, score, probabilities, numbers, texts, vectors, extra, contract,"
    " partition, position, place, toUnixTimestamp64Micro(logged) AS logged_at"
)
TRUTH = "argMax((text, number, weight, ts, deleted), (ts, partition, position, place))"  # the label that holds
_LABEL = "toString(text) AS text, number, weight, toUnixTimestamp64Micro(ts) AS at, deleted, toUnixTimestamp64Micro(logged) AS logged_at"


class _Key(NamedTuple):
    """A column by which events are sorted: its name, its expression, and its type in SQL and in a cursor."""

    name: str
    sql: str
    kind: str
    type: type


_ID, _AT, _LOSS = (
    _Key("prediction_id", "prediction_id", "String", str),
    _Key("at", "toUnixTimestamp64Micro(ts)", "Int64", int),
    _Key("loss", "loss", "Float64", float),
)
_ORDERS: dict[Order, tuple[tuple[_Key, ...], str]] = {
    "newest": ((_AT, _ID), "DESC"),
    "oldest": ((_AT, _ID), "ASC"),
    "worst": ((_LOSS, _AT, _ID), "DESC"),
}
_KEPT = {"known": "labelled", "unknown": "NOT labelled", "wrong": "isFinite(loss) AND loss > 0"}


class _Filtered(NamedTuple):
    """Events that fit: their SQL, further conditions on what it gives, the conditions within it, and its parameters; whether labels are joined."""

    sql: str
    kept: list[str]
    where: Conditions
    parameters: dict[str, Any]
    joined: bool


class EventStore:
    """Queries of events. `contracts` are all versions of the model's contract, the newest last. Times are microseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(self, contracts: Sequence[Contract], asked: EventQuery) -> tuple[pa.Table, str | None]:
        """Raw events, each id once, and the cursor of the next page or None.

        Without a filter or an order by label only as many events are read as the page needs; else all labels of the span are joined. The loss that counts is 0 or 1 for classes
        and the absolute error for numbers. Wide columns are read for the events of the page only.
        """
        page, after = self.places(contracts, asked)
        return self._whole(asked.model, page), after

    def places(self, contracts: Sequence[Contract], asked: EventQuery) -> tuple[list[dict[str, Any]], str | None]:
        """Where the events of a page are, in order: prediction_id, at, partition, position and place; and the cursor of the next page or None."""
        keys, direction = _ORDERS[asked.order]
        page = self._keys(contracts, asked, keys, direction)
        more = len(page) > asked.limit
        page = page[: asked.limit]
        return page, encode([page[-1][key.name] for key in keys]) if more else None

    def _keys(self, contracts: Sequence[Contract], asked: EventQuery, keys: Sequence[_Key], direction: str) -> list[dict[str, Any]]:
        """Where the events of the page are, in order, and one more if there are more: prediction_id, at, partition, position, place and, if labels are joined, loss."""
        places = None if asked.after is None else decode(asked.after, [key.type for key in keys])
        low, high = _span(asked)
        if places is not None and asked.order != "worst":  # by the order of the table, so that pages before are not read again
            at = cast("int", places[0])
            low, high = (low, min(high, at + 1)) if direction == "DESC" else (max(low, at), high)
        found = self._filtered(contracts, asked, low, high)
        kept = [*found.kept, *(["isFinite(loss)"] if asked.order == "worst" else [])]
        if places is not None:
            bound = ", ".join(found.where.bind(value, key.kind) for key, value in zip(keys, places, strict=True))
            kept.append(f"({', '.join(key.sql for key in keys)}) {'<' if direction == 'DESC' else '>'} ({bound})")
        order = ", ".join(f"{'ts' if key is _AT else key.sql} {direction}" for key in keys)
        loss = ", loss" if found.joined else ""
        sql = (
            f"SELECT prediction_id, {_AT.sql} AS at, partition, position, place{loss} FROM ({found.sql}) WHERE {' AND '.join(kept) or 'true'}"
            f" ORDER BY {order} LIMIT 1 BY prediction_id LIMIT {{limit:UInt64}}"
        )
        return list(self._engine.query(sql, found.parameters | found.where.parameters | {"limit": asked.limit + 1}).to_pylist())

    def counts(self, contracts: Sequence[Contract], asked: EventQuery, step: int) -> dict[int, int]:
        """How many events there are in each slot of `step` microseconds, by the start of the slot; slots without any are left out. Order, limit and cursor do not matter.

        An event that came twice is counted twice until the owner has found that one of them does not count.
        """
        asked = msgspec.structs.replace(asked, order="newest")
        found = self._filtered(contracts, asked, *_span(asked))
        slot = "intDiv(toUnixTimestamp64Micro(ts), {step:Int64}) * {step:Int64}"
        sql = (
            f"SELECT {slot} AS slot, count() AS n FROM ({found.sql}) WHERE {' AND '.join(found.kept) or 'true'} GROUP BY slot ORDER BY slot"
        )
        rows = self._engine.query(sql, found.parameters | found.where.parameters | {"step": step}).to_pylist()
        return {int(row["slot"]): int(row["n"]) for row in rows}

    def beside(self, contracts: Sequence[Contract], asked: EventQuery, place: Sequence[Any]) -> tuple[str | None, str | None]:
        """The ids of the events before and after a place in the list; None at its ends. `place` is what the order compares: the time and the id, of `worst` before them the loss."""
        keys, direction = _ORDERS[asked.order]
        asked = msgspec.structs.replace(asked, after=encode(list(place)), limit=1)
        sides = (self._keys(contracts, asked, keys, way) for way in ("ASC" if direction == "DESC" else "DESC", direction))
        before, after = (found[0]["prediction_id"] if found else None for found in sides)
        return before, after

    def _filtered(self, contracts: Sequence[Contract], asked: EventQuery, low: int, high: int) -> _Filtered:
        """The events in `[low, high)` that are asked for; labels are joined where a filter or the order needs them."""
        by_label = asked.label is not None or asked.order == "worst"
        parameters: dict[str, Any] = {"model": asked.model, "low": low, "high": high, "as_of": asked.as_of or 0}
        compared = asked.label == "wrong" or asked.order == "worst" or asked.column == PREDICTION
        classes = self._classes(contracts[-1], parameters) if compared else None
        where = Conditions(contracts, _meant("class", classes))
        where.equal({"version": asked.version, "role": asked.role})
        where.segment(asked.segment)
        if asked.column is not None and asked.values is not None:
            where.holds(asked.column, asked.values)
        then = [] if asked.as_of is None else [BY_THEN]
        held = " AND ".join(["model = {model:String}", SPAN, COUNTS, *then, *where.sql])
        events = f"SELECT prediction_id, ts, class, number, partition, position, place FROM predictions WHERE {held}"
        if not by_label:
            return _Filtered(events, [], where, parameters, joined=False)
        number = contracts[-1].task is Task.REGRESSION
        unequal = f"toFloat64({_meant('class', classes)} != {_meant('truth.1', classes)})"
        loss = "abs(number - truth.2)" if number else f"if(class IN ('{NULL}', '{INVALID}'), nan, {unequal})"
        ids = f"prediction_id IN (SELECT prediction_id FROM predictions WHERE model = {{model:String}} AND {SPAN})"
        truths = f"SELECT prediction_id AS labelled_id, {TRUTH} AS truth FROM labels WHERE {' AND '.join(['model = {model:String}', ids, *then])} GROUP BY prediction_id"
        truths = f"SELECT labelled_id, truth, 1 AS known FROM ({truths}) WHERE truth.5 = 0"
        joined = f"SELECT p.*, o.truth AS truth, o.known = 1 AS labelled FROM ({events}) AS p LEFT JOIN ({truths}) AS o ON o.labelled_id = p.prediction_id"
        kept = [_KEPT[asked.label]] if asked.label else []
        return _Filtered(f"SELECT *, if(labelled, {loss}, nan) AS loss FROM ({joined})", kept, where, parameters, joined=True)

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

    def _classes(self, contract: Contract, parameters: dict[str, Any]) -> tuple[list[str], list[str]] | None:
        """The texts that were sent for classes, and the class that each means; None for a regression."""
        if contract.task is Task.REGRESSION:
            return None
        known = Classes.of(contract)
        sql = (
            f"SELECT DISTINCT toString(class) AS sent FROM predictions WHERE model = {{model:String}} AND {SPAN}"
            " UNION DISTINCT SELECT DISTINCT toString(text) FROM labels WHERE model = {model:String}"
        )
        sent = self._engine.query(sql, parameters)["sent"].to_pylist()
        changed = [(one, meant) for one in sorted(sent) if (meant := known.name(one)) != one]
        parameters |= {"sent": [one for one, _ in changed], "meant": [meant for _, meant in changed]}
        return (parameters["sent"], parameters["meant"]) if changed else None


def _span(asked: EventQuery) -> tuple[int, int]:
    return EARLIEST if asked.start is None else asked.start, LATEST if asked.end is None else asked.end


def _meant(of: str, classes: tuple[list[str], list[str]] | None) -> str:
    """A text as the class that it means."""
    return (
        f"toString({of})"
        if classes is None
        else f"transform(toString({of}), {{sent:Array(String)}}, {{meant:Array(String)}}, toString({of}))"
    )
