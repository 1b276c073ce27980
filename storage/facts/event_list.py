"""Which events a list holds, in which order: their ids and places in the log.

A filter by label, or the order by loss, takes labels from the outcomes, as the owner of the model has joined them last. They are taken from all labels that came if a list is as of a time, or
if some outcomes of its span are not filled, because an earlier version wrote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from core.classes import Classes
from core.contract import PREDICTION, Contract, Task
from core.event_query import EventCounts, EventQuery
from core.moment import EARLIEST, LATEST
from core.text import INVALID, NULL
from storage.facts.drawn import Drawn, drawn
from storage.facts.engine import Engine
from storage.facts.event_condition import Conditions
from storage.facts.event_key import AT, ORDERS, Key
from storage.facts.page_cursor import decode, encode

SPAN = "ts >= fromUnixTimestamp64Micro({low:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({high:Int64}, 'UTC')"
# Other events of the same id do not count.
COUNTS = f"(prediction_id, partition, position, place) NOT IN (SELECT prediction_id, partition, position, place FROM contested WHERE model = {{model:String}} AND {SPAN})"
BY_THEN = "logged <= fromUnixTimestamp64Micro({as_of:Int64}, 'UTC')"
TRUTH = "argMax((text, number, weight, ts, deleted), (ts, partition, position, place))"  # the label that holds
EXACT, DRAWN = 500_000, 200_000  # events of a period that are all counted at most, and how many are looked at if there are more
_IDS = 10_000_000  # events of which all ids are read in less time than parts of them are found, if their columns are not read, too
_WORST = 40_000  # events with the largest errors among which those that fit are sought first,
_FURTHER = 2_000_000  # and at most; if more are needed, all events are looked at, a stretch of time after the other
_AGAIN = 20  # events by time that are read beyond those of a page, since some may have come twice
_FIRST, _NEXT, _MOST = 20_000, 1_000_000, 5_000_000  # events by time that are joined with their labels first, then, and at a time


_SHOWN = f"prediction_id, {AT.sql} AS at, partition, position, place"
_KEPT = {"known": "labelled", "unknown": "NOT labelled", "wrong": "isFinite(loss) AND loss > 0"}


class _Reach(NamedTuple):
    """The outcomes that the order `worst` looks at: from the place of a cursor up to a loss and time. `whole`: no others come after that place."""

    bounds: tuple[str, ...]
    parameters: dict[str, Any]
    whole: bool

    def holds(self, loss: str, ts: str) -> str:
        """Whether an outcome is one of them, in SQL."""
        return " AND ".join([f"isFinite({loss})", *(f"({loss}, toUnixTimestamp64Micro({ts})) {bound}" for bound in self.bounds)])


class _Known(NamedTuple):
    """What all queries of a list know of the model: its contracts, and the texts that were sent for classes with the class that each means, None if all are as they were sent."""

    contracts: Sequence[Contract]
    classes: tuple[list[str], list[str]] | None

    @property
    def number(self) -> bool:
        """Whether predictions are numbers."""
        return self.contracts[-1].task is Task.REGRESSION

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the SQL that `meant` gives."""
        return {} if self.classes is None else {"sent": self.classes[0], "meant": self.classes[1]}

    def meant(self, of: str) -> str:
        """A text as the class that it means, in SQL."""
        if self.classes is None:
            return f"toString({of})"
        return f"transform(toString({of}), {{sent:Array(String)}}, {{meant:Array(String)}}, toString({of}))"

    def loss(self, label: str, error: str) -> str:
        """The loss in SQL: 0 or 1 for classes, `error` for numbers."""
        unequal = f"toFloat64({self.meant('class')} != {self.meant(label)})"
        return error if self.number else f"if(class IN ('{NULL}', '{INVALID}'), nan, {unequal})"


class _Filtered(NamedTuple):
    """Events that fit: their SQL, further conditions on what it gives, the conditions within it, and its parameters."""

    sql: str
    kept: list[str]
    where: Conditions
    parameters: dict[str, Any]


class _Page(NamedTuple):
    """What a page is of: a list, its order, and the place after which the page begins, None for the first."""

    known: _Known
    asked: EventQuery
    keys: Sequence[Key]
    direction: str
    after: Sequence[Any] | None

    @property
    def down(self) -> bool:
        """Whether the largest comes first."""
        return self.direction == "DESC"

    @property
    def order(self) -> str:
        """The order in SQL."""
        return "ORDER BY " + ", ".join(f"{'ts' if key is AT else key.sql} {self.direction}" for key in self.keys)

    @property
    def first(self) -> str:
        """The events of the page and one more, each id once, in SQL."""
        return f"{self.order} LIMIT 1 BY prediction_id LIMIT {{limit:UInt64}}"

    def behind(self, where: Conditions) -> list[str]:
        """The condition that an event comes after the place, whose parameters are those of `where`; none for the first page."""
        if self.after is None:
            return []
        bound = ", ".join(where.bind(value, key.kind) for key, value in zip(self.keys, self.after, strict=True))
        return [f"({', '.join(key.sql for key in self.keys)}) {'<' if self.down else '>'} ({bound})"]

    def later(self, span: tuple[int, int], at: int) -> tuple[int, int]:
        """The part of a span that comes at a time or after it in the list: what is on pages before is not read again."""
        low, high = span
        return (low, min(high, at + 1)) if self.down else (max(low, at), high)


class EventList:
    """Queries of lists. `contracts` are all versions of the model's contract, the newest last. Times are microseconds."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def places(self, contracts: Sequence[Contract], asked: EventQuery) -> tuple[list[dict[str, Any]], str | None]:
        """Where the events of a page are, in order: prediction_id, at, partition, position and place; and the cursor of the next page or None."""
        keys, direction = ORDERS[asked.order]
        page = self._keys(self._known(contracts, asked), asked, keys, direction)
        more = len(page) > asked.limit
        page = page[: asked.limit]
        return page, encode([page[-1][key.name] for key in keys]) if more else None

    def beside(self, contracts: Sequence[Contract], asked: EventQuery, place: Sequence[Any]) -> tuple[str | None, str | None]:
        """The ids of the events before and after a place in the list; None at its ends. `place` is what the order compares: the time and the id, of `worst` before them the loss."""
        keys, direction = ORDERS[asked.order]
        known = self._known(contracts, asked)
        asked = msgspec.structs.replace(asked, after=encode(list(place)), limit=1)
        sides = (self._keys(known, asked, keys, way) for way in ("ASC" if direction == "DESC" else "DESC", direction))
        before, after = (found[0]["prediction_id"] if found else None for found in sides)
        return before, after

    def counts(self, contracts: Sequence[Contract], asked: EventQuery, step: int) -> EventCounts:
        """How many events there are in each slot of `step` microseconds. Order, limit and cursor do not matter.

        Of a period with more than `EXACT` events they are estimated from some of them. An event that came twice is counted twice until the owner has found that one of them does
        not count.
        """
        asked = msgspec.structs.replace(asked, order="newest", after=None)
        known, (low, high) = self._known(contracts, asked), _span(asked)
        joined = self._by_outcomes(asked, low, high)
        drawn = self._drawn(asked, low, high, step)
        spans = self._stretches(asked.model, low, high, "ASC") if joined and drawn is None else [(low, high)]
        found = dict[int, int]()
        for part in spans:
            fit = self._filtered(known, asked, *part, within=[] if drawn is None else [drawn.sql], joined=joined)
            rows = f"FROM ({fit.sql}) WHERE {' AND '.join(fit.kept) or 'true'}"
            for slot, n in self._by_slot(rows, fit.parameters | fit.where.parameters, step).items():
                found[slot] = found.get(slot, 0) + n
        return EventCounts(found) if drawn is None else EventCounts(drawn.estimated(found), estimated=True)

    def _drawn(self, asked: EventQuery, low: int, high: int, step: int) -> Drawn | None:
        """The events of a period that are counted in place of all; None if all are counted."""
        given: dict[str, Any] = {"model": asked.model, "low": low, "high": high}
        held = f"FROM predictions WHERE model = {{model:String}} AND {SPAN}"
        if int(self._engine.query(f"SELECT count() AS n {held}", given)["n"][0].as_py()) <= EXACT:
            return None
        ids = _IDS if asked.column is None else 0
        return drawn(low, high, step, DRAWN, lambda sql: self._by_slot(f"{held} AND {sql}", given, step), ids)

    def _by_slot(self, rows: str, given: dict[str, Any], step: int) -> dict[int, int]:
        """How many rows there are in each slot of `step` microseconds."""
        slot = "intDiv(toUnixTimestamp64Micro(ts), {step:Int64}) * {step:Int64}"
        found = self._engine.query(f"SELECT {slot} AS slot, count() AS n {rows} GROUP BY slot ORDER BY slot", given | {"step": step})
        return dict(zip(map(int, found["slot"].to_pylist()), map(int, found["n"].to_pylist()), strict=True))

    def _keys(self, known: _Known, asked: EventQuery, keys: Sequence[Key], direction: str) -> list[dict[str, Any]]:
        """Where the events of the page are, in order, and one more if there are more: prediction_id, at, partition, position, place and, if labels are joined, loss."""
        page = _Page(known, asked, keys, direction, None if asked.after is None else decode(asked.after, [key.type for key in keys]))
        span = _span(asked)
        if asked.order == "worst" and asked.label == "unknown":
            _fitting(known, asked)  # what is not there is refused all the same
            return []  # without a label there is no loss
        if page.after is not None and asked.order != "worst":
            span = page.later(span, page.after[0])
        if not _by_label(asked) and (soon := self._soon(page, span)) is not None:
            return soon
        if not self._by_outcomes(asked, *span):
            return self._read(self._filtered(known, asked, *span, joined=False), page)
        if asked.order != "worst":
            return self._in_time(page, span)
        return self._largest(page, span) if known.number else self._wrong_first(page, span)

    def _soon(self, page: _Page, span: tuple[int, int]) -> list[dict[str, Any]] | None:
        """The page by time, sought among the first events of the span, at which ClickHouse stops reading: it does not for a `LIMIT BY`. None if these may be too few."""
        asked, where = page.asked, _fitting(page.known, page.asked)
        fits = [*where.sql, *([] if asked.as_of is None else [BY_THEN])]
        many = _FIRST if fits else asked.limit + _AGAIN
        held = " AND ".join(["model = {model:String}", SPAN, COUNTS, *page.behind(where)])
        first = f"SELECT *, count() OVER () AS looked FROM (SELECT * FROM predictions WHERE {held} {page.order} LIMIT {{first:UInt64}})"
        sql = f"SELECT {_SHOWN}, looked FROM ({first}) WHERE {' AND '.join(fits) or 'true'} {page.first}"
        given = {"model": asked.model, "low": span[0], "high": span[1], "as_of": asked.as_of or 0, "first": many, "limit": asked.limit + 1}
        found = self._engine.query(sql, given | page.known.parameters | where.parameters)
        looked = found["looked"][0].as_py() if found.num_rows else many * bool(fits)
        return list(found.drop_columns(["looked"]).to_pylist()) if found.num_rows > asked.limit or looked < many else None

    def _in_time(self, page: _Page, span: tuple[int, int], loss: float | None = None) -> list[dict[str, Any]]:
        """The page by the order of the table, so that it is there before all is read; with `loss` of events that have this one."""
        found: list[dict[str, Any]] = []
        for part in self._stretches(page.asked.model, *span, page.direction):
            found += self._read(self._filtered(page.known, page.asked, *part, loss=loss, joined=True), page)
            if len(found) > page.asked.limit:
                break
        return found[: page.asked.limit + 1]

    def _wrong_first(self, page: _Page, span: tuple[int, int]) -> list[dict[str, Any]]:
        """The page by loss of classes, which is 0 or 1: those of one loss in time, and then those of the other."""
        found: list[dict[str, Any]] = []
        losses = (1.0,) if page.asked.label == "wrong" else (1.0, 0.0)
        for loss in losses if page.down else losses[::-1]:
            last, at = (loss, None) if page.after is None else page.after[:2]
            if len(found) <= page.asked.limit and (loss <= last if page.down else loss >= last):
                found += self._in_time(page, page.later(span, at) if at is not None and loss == last else span, loss)
        return found[: page.asked.limit + 1]

    def _largest(self, page: _Page, span: tuple[int, int]) -> list[dict[str, Any]]:
        """The page by the error of numbers, sought among as many of the largest as should hold it, to judge by those that fit so far."""
        most = _WORST
        while most <= _FURTHER:
            reach = self._reach(page, most)
            found = self._read(self._filtered(page.known, page.asked, *span, reach, joined=True), page)
            if len(found) > page.asked.limit or reach.whole:
                return found
            most = 2 * most * (page.asked.limit + 1) // max(1, len(found))
        found = []
        for part in self._stretches(page.asked.model, *span, page.direction):  # of all that fit, those of a stretch are held at a time
            found += self._read(self._filtered(page.known, page.asked, *part, joined=True), page)
            found = sorted(found, key=lambda one: [one[key.name] for key in page.keys], reverse=page.down)[: page.asked.limit + 1]
        return found

    def _read(self, found: _Filtered, page: _Page) -> list[dict[str, Any]]:
        """The first events that fit, and one more than the page has."""
        asked = page.asked
        kept = [*found.kept, *(["isFinite(loss)"] if asked.order == "worst" else []), *page.behind(found.where)]
        loss = ", loss" if _by_label(asked) else ""
        sql = f"SELECT {_SHOWN}{loss} FROM ({found.sql}) WHERE {' AND '.join(kept) or 'true'} {page.first}"
        return list(self._engine.query(sql, found.parameters | found.where.parameters | {"limit": asked.limit + 1}).to_pylist())

    def _filtered(
        self,
        known: _Known,
        asked: EventQuery,
        low: int,
        high: int,
        reach: _Reach | None = None,
        *,
        within: Sequence[str] = (),
        loss: float | None = None,
        joined: bool,
    ) -> _Filtered:
        """The events in `[low, high)` that are asked for, of the order `worst` those within a reach or of one loss. Labels are there where a filter or the order needs them: of outcomes, or of all that came if these are not `joined`. `within`: conditions on `ts` and `prediction_id`."""
        parameters: dict[str, Any] = {"model": asked.model, "low": low, "high": high, "as_of": asked.as_of or 0, **known.parameters}
        where = _fitting(known, asked)
        then = [] if asked.as_of is None else [BY_THEN]
        parameters |= {} if reach is None else reach.parameters
        near = [_within(reach, known.loss("text", "loss"))] if reach is not None and (reach.bounds or where.sql) else []
        held = " AND ".join(["model = {model:String}", SPAN, *within, COUNTS, *near, *then, *where.sql])
        events = f"SELECT prediction_id, ts, class, number, partition, position, place FROM predictions WHERE {held}"
        if not _by_label(asked):
            return _Filtered(events, [], where, parameters)
        kept = [_KEPT[asked.label]] if asked.label else []
        if not joined:
            lost = known.loss("truth.1", "abs(number - truth.2)")
            ids = (
                f"prediction_id IN (SELECT prediction_id FROM predictions WHERE {' AND '.join(['model = {model:String}', SPAN, *within])})"
            )
            truths = f"SELECT prediction_id AS labelled_id, {TRUTH} AS truth FROM labels WHERE {' AND '.join(['model = {model:String}', ids, *then])} GROUP BY prediction_id"
            truths = f"SELECT labelled_id, truth, 1 AS known FROM ({truths}) WHERE truth.5 = 0"
            every = f"SELECT p.*, o.truth AS truth, o.known = 1 AS labelled FROM ({events}) AS p LEFT JOIN ({truths}) AS o ON o.labelled_id = p.prediction_id"
            return _Filtered(f"SELECT *, if(labelled, {lost}, nan) AS loss FROM ({every})", kept, where, parameters)
        truths = (
            f"SELECT prediction_id AS labelled_id, ts AS labelled_ts, {known.loss('text', 'loss')} AS found, 1 AS known"
            f" FROM outcomes FINAL WHERE {' AND '.join(['model = {model:String}', SPAN, *within, *near])}"
        )
        if reach is not None and reach.bounds:  # an outcome whose label did reach so far, and was corrected, has another place
            truths = f"SELECT * FROM ({truths}) WHERE {reach.holds('found', 'labelled_ts')}"
        if loss is not None:
            truths = f"SELECT * FROM ({truths}) WHERE found = {loss}"
        elif asked.label == "wrong":
            truths = f"SELECT * FROM ({truths}) WHERE isFinite(found) AND found > 0"
        sides = f"({events}) AS p {'LEFT' if asked.label == 'unknown' else 'INNER'} JOIN ({truths}) AS o"
        if where.sql and asked.label != "unknown":  # few events fit, and the right side is the one that is held in memory
            sides = f"({truths}) AS o INNER JOIN ({events}) AS p"
        on = "o.labelled_id = p.prediction_id AND o.labelled_ts = p.ts"
        every = f"SELECT p.*, if(o.known = 1, o.found, nan) AS loss, o.known = 1 AS labelled FROM {sides} ON {on}"
        return _Filtered(every, kept, where, parameters)

    def _by_outcomes(self, asked: EventQuery, low: int, high: int) -> bool:
        """Whether labels are needed, and the outcomes of a span can give them: those that hold now, all of them filled."""
        if not _by_label(asked) or asked.as_of is not None:
            return False
        given = {"model": asked.model, "low": low, "high": high}
        old = f"WHERE model = {{model:String}} AND {SPAN} AND filled = 0 AND deleted = 0"
        if not self._engine.query(f"SELECT 1 AS one FROM outcomes {old} LIMIT 1", given).num_rows:
            return True
        # Rows that were filled stay until parts are merged; those of events that were removed are never filled, and no list has such an event.
        first = "SELECT ts FROM predictions WHERE model = {model:String} ORDER BY ts LIMIT 1"
        return not self._engine.query(f"SELECT 1 AS one FROM outcomes FINAL {old} AND ts >= ({first}) LIMIT 1", given).num_rows

    def _reach(self, page: _Page, most: int) -> _Reach:
        """The `most` worst outcomes after the page's place, and all others of the last one's loss and time. Labels that do not hold any more count, too."""
        known, asked, direction = page.known, page.asked, page.direction
        low, high = _span(asked)
        given: dict[str, Any] = {"model": asked.model, "low": low, "high": high, "most": most, **known.parameters}
        after, upto = ("<=", ">=") if page.down else (">=", "<=")
        bounds, ends = list[str](), dict[str, Any]()
        if page.after is not None:
            bounds.append(f"{after} ({{after_loss:Float64}}, {{after_at:Int64}})")
            ends |= {"after_loss": page.after[0], "after_at": page.after[1]}
        rows = f"SELECT {known.loss('text', 'loss')} AS found, ts FROM outcomes WHERE model = {{model:String}} AND {SPAN} AND deleted = 0"
        holds = _Reach(tuple(bounds), ends, whole=False).holds("found", "ts")
        sql = f"SELECT found, {AT.sql} AS at FROM ({rows}) WHERE {holds} ORDER BY found {direction}, at {direction} LIMIT 1 OFFSET {{most:UInt64}}"
        last = self._engine.query(sql, given | ends).to_pylist()
        if last:
            bounds.append(f"{upto} ({{last_loss:Float64}}, {{last_at:Int64}})")
            ends |= {"last_loss": last[0]["found"], "last_at": last[0]["at"]}
        return _Reach(tuple(bounds), ends, whole=not last)

    def _stretches(self, model: str, low: int, high: int, direction: str) -> Iterator[tuple[int, int]]:
        """A span in parts that follow each other in the direction of a list, the first of few events, so that a page is there soon, and all of so many that they can be joined at a time."""
        most = _FIRST
        while low < high:
            sql = f"SELECT {AT.sql} AS at FROM predictions WHERE model = {{model:String}} AND {SPAN} ORDER BY ts {direction} LIMIT 1 OFFSET {{most:UInt64}}"
            found = self._engine.query(sql, {"model": model, "low": low, "high": high, "most": most})["at"].to_pylist()
            if direction == "DESC":
                start = found[0] if found else low
                yield start, high
                high = start if found else low
            else:
                end = found[0] + 1 if found else high
                yield low, end
                low = end
            most = min(most * _NEXT // _FIRST, _MOST)

    def _known(self, contracts: Sequence[Contract], asked: EventQuery) -> _Known:
        """Ask once a list which texts were sent for classes, where it compares classes."""
        compared = asked.label == "wrong" or asked.order == "worst" or asked.column == PREDICTION
        if not compared or contracts[-1].task is Task.REGRESSION:
            return _Known(contracts, None)
        known, (low, high) = Classes.of(contracts[-1]), _span(asked)
        sql = (
            f"SELECT DISTINCT toString(class) AS sent FROM predictions WHERE model = {{model:String}} AND {SPAN}"
            " UNION DISTINCT SELECT DISTINCT toString(text) FROM labels WHERE model = {model:String}"
        )
        sent = self._engine.query(sql, {"model": asked.model, "low": low, "high": high})["sent"].to_pylist()
        changed = [(one, meant) for one in sorted(sent) if (meant := known.name(one)) != one]
        return _Known(contracts, ([one for one, _ in changed], [meant for _, meant in changed]) if changed else None)


def _fitting(known: _Known, asked: EventQuery) -> Conditions:
    """The conditions on events, but that on their label. Raises ConfigError for a segment that is not there."""
    where = Conditions(known.contracts, known.meant("class"))
    where.equal({"version": asked.version, "role": asked.role})
    where.segment(asked.segment)
    if asked.column is not None and asked.values is not None:
        where.holds(asked.column, asked.values)
    return where


def _by_label(asked: EventQuery) -> bool:
    return asked.label is not None or asked.order == "worst"


def _within(reach: _Reach, loss: str) -> str:
    """The event has an outcome within a reach, or had one. A condition on the key of the table, so that few of its rows are read."""
    rows = f"SELECT ts, prediction_id, {loss} AS found FROM outcomes WHERE model = {{model:String}} AND {SPAN} AND deleted = 0"
    return f"(ts, prediction_id) IN (SELECT ts, prediction_id FROM ({rows}) WHERE {reach.holds('found', 'ts')})"


def _span(asked: EventQuery) -> tuple[int, int]:
    return EARLIEST if asked.start is None else asked.start, LATEST if asked.end is None else asked.end
