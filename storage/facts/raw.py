"""Reads raw events back as blocks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.block import Categories, Floats, Ints, Outcomes, Predictions
from core.contract import Contract, Task
from core.extra import fields_of, read
from core.region import regions
from core.text import INVALID, NULL
from storage.facts import column as col
from storage.facts.engine import Engine
from storage.facts.picked import Picked
from storage.facts.slot_condition import COUNTS, IN_SLOTS, SLOT, flat, slots

# The labels of events in `slots`: those that hold now, and those that held when they were due.
_CURRENT = f"SELECT prediction_id, ts, text, number, label_ts, weight FROM outcomes FINAL WHERE model = {{model:String}} AND {IN_SLOTS}"
_EVENTS = f"FROM predictions WHERE model = {{model:String}} AND {IN_SLOTS}"
_DUE = (
    "SELECT prediction_id, ts, truth.1 AS text, truth.2 AS number, truth.3 AS weight, truth.4 AS label_ts FROM"
    " (SELECT prediction_id, e.at AS ts, argMax((l.text, l.number, l.weight, l.ts, l.deleted), (l.ts, l.partition, l.position, l.place)) AS truth"
    f" FROM (SELECT * FROM labels WHERE model = {{model:String}} AND prediction_id IN (SELECT prediction_id {_EVENTS})) AS l"
    f" INNER JOIN (SELECT DISTINCT prediction_id, ts AS at {_EVENTS}) AS e ON l.prediction_id = e.prediction_id"
    f" WHERE toUnixTimestamp64Micro(l.ts) <= {SLOT.format(ts='e.at')} + {{pane:Int64}} + {{due:Int64}} GROUP BY prediction_id, e.at)"
    " WHERE truth.5 = 0"
)

_SPARE = 6  # standard deviations of the number of ids below a cut
_HASH = "reinterpretAsUInt64(reverse(substring(MD5(prediction_id), 1, 8)))"  # of an id, whose order is that of the whole hash unless two are equal
_BELOW = " AND MD5(prediction_id) <= toFixedString(unhex({cut:String}), 16)"

# Positions first..last of partitions.
Ranges = Mapping[int, tuple[int, int]]


def within(ranges: Ranges, position: str = "position") -> str:
    """The condition that an event is at one of these positions."""
    return " OR ".join(f"(partition = {int(p)} AND {position} BETWEEN {int(first)} AND {int(last)})" for p, (first, last) in ranges.items())


class Raw:
    """Queries of raw prediction events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def known(self, model: str, partition: int, since: int, before: int, ids: Sequence[str]) -> set[str]:
        """Which of `ids` are in this partition at a position from `since` on that is lower than `before`."""
        sql = (
            "SELECT DISTINCT prediction_id FROM predictions WHERE model = {model:String} AND partition = {partition:UInt32}"
            " AND position >= {since:UInt64} AND position < {before:UInt64} AND prediction_id IN (SELECT arrayJoin({ids:Array(String)}))"
        )
        parameters = {"model": model, "partition": partition, "since": since, "before": before, "ids": list(ids)}
        table = self._engine.query(sql, parameters)
        return set(table["prediction_id"].to_pylist())

    def rows_at(
        self, topic: Literal["predictions", "labels"], partition: int, first: int, last: int, model: str | None = None
    ) -> set[tuple[int, int]]:
        """Position and row of the rows at positions first..last of a partition that are there, of one model, or of all."""
        of = "" if model is None else " AND model = {model:String}"
        sql = f"SELECT position, place FROM {topic} WHERE partition = {{partition:UInt32}} AND position BETWEEN {{first:UInt64}} AND {{last:UInt64}}{of}"
        table = self._engine.query(sql, {"partition": partition, "first": first, "last": last, "model": model or ""})
        return set(zip(table["position"].to_pylist(), table["place"].to_pylist(), strict=True))

    def finished(self, topic: Literal["predictions", "labels"], partition: int, last: int) -> bool:
        """Whether the batch that ends at this position of a partition is written in whole: its row in `batches` is written last."""
        sql = "SELECT count() AS n FROM batches WHERE topic = {topic:String} AND partition = {partition:UInt32} AND last = {last:UInt64}"
        return bool(self._engine.query(sql, {"topic": topic, "partition": partition, "last": last})["n"][0].as_py())

    def batches(self, partition: int, before: int, most: int = 100_000) -> Iterator[tuple[int, int]]:
        """The batches of predictions of a partition below a position, the newest first: where each begins, and how many rows it has, none without any.

        Events that had waited for a contract are not among them: their ids are not remembered.

        `most` is how many rows of the table are held at a time; a batch must have fewer.
        """
        newest = (
            "SELECT model, first, last, rows FROM batches WHERE topic = 'predictions' AND partition = {partition:UInt32}"
            " AND last < {before:UInt64} AND rows > 0 AND admitted = 0 ORDER BY last DESC LIMIT {most:UInt64}"
        )
        sql = f"SELECT last, min(first) AS start, sum(rows) AS n FROM (SELECT DISTINCT * FROM ({newest})) GROUP BY last ORDER BY last DESC"

        def page(before: int) -> list[tuple[int, int, int]]:
            table = self._engine.query(sql, {"partition": partition, "before": before, "most": most})
            return list(zip(*(table[name].to_pylist() for name in ("last", "start", "n")), strict=True))

        while len(found := page(before)) > 1:
            yield from ((start, rows) for _, start, rows in found[:-1])
            before = found[-1][0] + 1  # the oldest batch may lack the rows of some models
        yield from ((start, rows) for _, start, rows in found)

    def ids(self, partition: int, first: int, last: int) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """The ids at positions first..last of a partition, by model; an id may come twice."""
        sql = (
            "SELECT model, prediction_id FROM predictions WHERE partition = {partition:UInt32}"
            " AND position BETWEEN {first:UInt64} AND {last:UInt64}"
        )
        table = self._engine.query(sql, {"partition": partition, "first": first, "last": last})
        models, ids = col.categories(table["model"]), col.objects(table["prediction_id"])
        for code in np.unique(models.codes).tolist():
            yield models.texts[code], ids[models.codes == code]

    def touched(self, model: str, positions: Ranges, pane: int) -> Ints:
        """Slots of the events at these positions."""
        if not positions:
            return np.zeros(0, np.int64)
        sql = f"SELECT DISTINCT {SLOT.format(ts='ts')} AS slot FROM predictions WHERE model = {{model:String}} AND ({within(positions)}) ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": model, "pane": pane})["slot"])

    def slots(self, model: str, pane: int) -> Ints:
        """All slots that hold events of the model."""
        sql = f"SELECT DISTINCT {SLOT.format(ts='ts')} AS slot FROM predictions WHERE model = {{model:String}} ORDER BY slot"
        return col.ints(self._engine.query(sql, {"model": model, "pane": pane})["slot"])

    def distinct(self, model: str, values: Ints, pane: int) -> dict[int, tuple[int, dict[int, int]]]:
        """For each slot with events: how many distinct ids count there, and the highest position by partition."""
        each = (
            f"SELECT {SLOT.format(ts='ts')} AS slot, partition, uniqExactIfState(prediction_id, {COUNTS}) AS ids, max(position) AS last"
            f" FROM predictions WHERE model = {{model:String}} AND {IN_SLOTS} GROUP BY slot, partition"
        )
        sql = f"SELECT slot, uniqExactIfMerge(ids) AS n, groupArray(partition) AS parts, groupArray(last) AS lasts FROM ({each}) GROUP BY slot"
        rows = self._in_slots(sql, {"model": model, **slots(values, pane)}).to_pylist()
        return {row["slot"]: (row["n"], dict(zip(row["parts"], row["lasts"], strict=True))) for row in rows}

    def traces(self, model: str, pane: int) -> tuple[Ints, Ints]:
        """The slots that hold events of the model, ascending, and numbers of each (slots, 3), of which one changes whenever its labelled rows may have: how many rows of events it has, and the newest generation of its outcomes and of its contested events."""
        each = " UNION ALL ".join(
            f"SELECT {SLOT.format(ts='ts')} AS slot, {'count()' if place == 0 else '0'} AS n, {'max(generation)' if place == 1 else '0'} AS joined,"
            f" {'max(generation)' if place == 2 else '0'} AS contested FROM {table} WHERE model = {{model:String}} GROUP BY slot"
            for place, table in enumerate(("predictions", "outcomes", "contested"))
        )
        sql = f"SELECT slot, toInt64(sum(n)) AS n, toInt64(max(joined)) AS joined, toInt64(max(contested)) AS contested FROM ({each}) GROUP BY slot ORDER BY slot"
        table = self._engine.query(sql, {"model": model, "pane": pane})
        return col.ints(table["slot"]), np.stack([col.ints(table[name]) for name in ("n", "joined", "contested")], axis=1)

    def portion(self, model: str, positions: Ranges, most: int) -> dict[int, int]:
        """For each partition the position up to which its batches hold about `most` events of the model; one batch at least."""
        held = "sum(rows) OVER (PARTITION BY partition ORDER BY last ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - rows"
        batches = (
            f"SELECT partition, last, {held} AS earlier FROM batches"
            f" WHERE model = {{model:String}} AND topic = 'predictions' AND ({within(positions, 'last')})"
        )
        sql = f"SELECT partition, max(last) AS upto FROM ({batches}) WHERE earlier < {{most:UInt64}} GROUP BY partition"
        table = self._engine.query(sql, {"model": model, "most": most})
        return dict(zip(table["partition"].to_pylist(), table["upto"].to_pylist(), strict=True))

    def contracts(self, model: str, values: Ints, pane: int) -> list[int]:
        """The contract versions under which the events of these slots were taken."""
        sql = f"SELECT DISTINCT contract FROM predictions WHERE model = {{model:String}} AND {IN_SLOTS} ORDER BY contract"
        return [row["contract"] for row in self._in_slots(sql, {"model": model, **slots(values, pane)}).to_pylist()]

    def predictions(
        self,
        contract: Contract,
        values: Ints,
        pane: int,
        *,
        most: int | None = None,
        version: str | None = None,
        role: str | None = None,
        vectors: bool = True,
        only: Collection[str] | None = None,
    ) -> Predictions:
        """The distinct events of these slots that were taken under `contract`, in its layout; of one version of the model, or of all, and of one role, or of all.

        With `most`, only so many, which a hash of their ids draws, in its order (`core.draw`). Without `vectors` the block has none. With `only`, other columns are null
        in each row, and there are no probabilities and optional fields: they are neither read nor held.
        """
        sizes = [column.embedding.size for column in contract.columns if column.embedding is not None and vectors]
        picked = Picked.of(contract, only)
        selected = f"SELECT prediction_id, ts, version, role, class, number, score, position, place, logged, {picked.select}{', vectors' if sizes else ''}"
        held = f" FROM predictions WHERE model = {{model:String}} AND contract = {{contract:UInt32}} AND {IN_SLOTS} AND {COUNTS}{narrowed(version, role)}"
        sql = (
            f"{selected}{held}%s"
            f" ORDER BY {'' if most is None else 'MD5(prediction_id), prediction_id, '}logged, partition, position, place LIMIT 1 BY prediction_id"
            f"{'' if most is None else ' LIMIT {most:UInt64}'}"
        )
        asked = {"model": contract.model, "contract": contract.version, "version": version or "", "role": role or "", "most": most or 0}
        asked |= slots(values, pane)
        if most is None:
            return block_of(contract, self._in_slots(sql % "", asked), picked, sizes)
        cut = self._cut(asked, most, narrowed(version, role))
        below = "" if cut is None else _BELOW
        # Sorted here: to sort wide rows and to look for ids that came twice takes the store several times as long as to read them.
        table = self._in_slots(f"{selected}, {_HASH} AS hash{held}{below}", asked | {"cut": cut or ""})
        hashes = table["hash"].to_numpy().astype(np.uint64)
        order = np.argsort(hashes, kind="stable")
        if np.all(np.diff(hashes[order]) > 0) and (cut is None or len(order) >= most):
            return block_of(contract, table.take(order[:most]), picked, sizes)
        table = self._in_slots(sql % below, asked | {"cut": cut or ""})
        if cut is not None and table.num_rows < most:  # rows came twice or do not count: fewer ids than rows are below the cut
            table = self._in_slots(sql % "", asked)
        return block_of(contract, table, picked, sizes)

    def _cut(self, asked: Mapping[str, object], most: int, narrowed: str) -> str | None:
        """The hash of an id, in hexadecimal digits, below which there are most likely `most` of the rows, and not many more: so few rows are sorted. None where all rows are to be sorted."""
        sql = f"SELECT count() AS n FROM predictions WHERE model = {{model:String}} AND contract = {{contract:UInt32}} AND {IN_SLOTS}{narrowed}"
        (rows,) = self._in_slots(sql, asked)["n"].to_pylist()
        wanted = 1.05 * (most + _SPARE * most**0.5 + 100)
        return None if wanted >= rows else f"{int(wanted / rows * 2**64):016x}{'f' * 16}"

    def unseen(
        self,
        contract: Contract,
        columns: Sequence[str],
        values: Ints,
        most: int,
        *,
        version: str | None = None,
        role: str | None = None,
        sources: Sequence[Contract] = (),
    ) -> dict[str, list[tuple[str, int]]]:
        """Of categorical columns in these slots the values that the reference of `contract` does not have, and how many distinct events have each; of each column the most frequent first, `most` of them, an empty list if there are none. `sources` are the contracts under which the events came, by default `contract`."""
        texts = [name for name in columns if not contract.column(name).numeric]
        known = [(at, value) for at, name in enumerate(texts) for value in _known(contract, name)]
        asked: dict[str, object] = {"model": contract.model, "version": version or "", "role": role or "", "most": most}
        asked |= {"at": [at for at, _ in known], "known": [value for _, value in known]} | slots(values, contract.pane)
        each, found = list[str](), {name: list[tuple[str, int]]() for name in columns}
        for own, source in enumerate(sources or (contract,)):
            kept = {name: place for place, name in enumerate((one.name for one in source.kept if not one.numeric), 1)}
            there = [at for at, name in enumerate(texts) if name in kept]
            if there:
                asked |= {f"c{own}": source.version, f"at{own}": there, f"places{own}": [kept[texts[at]] for at in there]}
                pairs = f"arrayMap((at, place) -> (at, toString(texts[place])), {{at{own}:Array(UInt32)}}, {{places{own}:Array(UInt32)}})"
                each.append(
                    f"SELECT prediction_id, arrayJoin({pairs}) AS pair FROM predictions"
                    f" WHERE model = {{model:String}} AND contract = {{c{own}:UInt32}} AND {IN_SLOTS} AND {COUNTS}{narrowed(version, role)}"
                )
        sql = (
            f"SELECT pair.1 AS at, pair.2 AS value, uniqExact(prediction_id) AS n FROM ({' UNION ALL '.join(each)})"
            " WHERE pair NOT IN (SELECT arrayJoin(arrayZip({at:Array(UInt32)}, {known:Array(String)})))"
            " GROUP BY at, value ORDER BY at, n DESC, value LIMIT {most:UInt64} BY at"
        )
        for row in self._in_slots(sql, asked).to_pylist() if each else ():
            found[texts[row["at"]]].append((row["value"], row["n"]))
        return found

    def outcomes(
        self,
        contract: Contract,
        dimensions: Sequence[str],
        values: Ints,
        pane: int,
        *,
        version: str | None = None,
        role: str | None = None,
        regions_of: Contract | None = None,
        columns: Sequence[str] = (),
        weights: bool = False,
        keys: bool = False,
        due: int | None = None,
    ) -> Outcomes:
        """The labelled events of these slots that were taken under `contract`; `dimensions` as texts, null where the contract has none of the name.

        With `due` their labels are those that held at that time after the end of their slot, by the labels' own times, in microseconds: later ones do not count.

        `regions_of`: with their prediction intervals, ensembles or sets, read from what was sent by the classes of this contract, whatever `contract` knew. With the features and tags
        `columns` as the contract keeps them, without those that it does not have, with the labels' weights, and with the events' ids and requests (`keys`).
        """
        numbers, texts = ([column.name for column in contract.kept if column.numeric is numeric] for numeric in (True, False))
        stored = {name: f"p.numbers[{index}]" for index, name in enumerate(numbers, 1)}
        stored |= {name: f"p.texts[{index}]" for index, name in enumerate(texts, 1)}
        fields = {name: name[1:] for name in dimensions if name[0] == "@" and name not in stored}  # from before the contract had the signal
        picked = {name: "p.extra" if name in fields else stored.get(name, "toLowCardinality('null')") for name in dimensions}
        held = {name: stored[name] for name in columns if name in stored}
        select = (
            _named("d", picked)
            + _named("c", held)
            + (", p.extra AS extra" if regions_of else "")
            + (", o.weight AS weight" if weights else "")
            + (", p.prediction_id AS id, JSONExtractString(p.extra, 'request_id') AS request" if keys else "")
        )
        sql = (
            f"SELECT p.ts AS ts, p.version AS version, p.role AS role, p.class AS class, p.number AS number, p.score AS score, p.probabilities AS probabilities,"
            f" o.text AS text, o.number AS truth, greatest(toUnixTimestamp64Micro(o.label_ts) - toUnixTimestamp64Micro(p.ts), 0) AS delay{select}"
            " FROM (SELECT * FROM predictions WHERE model = {model:String} AND contract = {contract:UInt32}"
            f" AND {IN_SLOTS} AND {COUNTS}{narrowed(version, role)} ORDER BY logged, partition, position, place LIMIT 1 BY prediction_id) AS p"
            f" INNER JOIN ({_CURRENT if due is None else _DUE}) AS o"
            " ON p.prediction_id = o.prediction_id AND p.ts = o.ts"
        )
        asked = {"model": contract.model, "contract": contract.version, "version": version or "", "role": role or "", "due": due or 0}
        table = self._in_slots(sql, asked | slots(values, pane))
        return Outcomes(
            ts=col.ints(table["ts"]),
            version=col.categories(table["version"]),
            role=col.categories(table["role"]),
            dimensions={name: _dimension(table[f"d{index}"], fields.get(name)) for index, name in enumerate(picked)},
            prediction=_output(contract, table, "class", "number"),
            label=_output(contract, table, "text", "truth"),
            score=col.floats(table["score"]),
            probabilities=col.matrix(table["probabilities"]),
            delay=col.ints(table["delay"]),
            weight=col.floats(table["weight"]) if weights else None,
            columns={name: _column(table[f"c{index}"]) for index, name in enumerate(held)},
            id=col.objects(table["id"]) if keys else None,
            request=col.objects(table["request"]) if keys else None,
            **(regions(regions_of, read(col.objects(table["extra"]))) if regions_of else {}),
        )

    def truths(
        self, model: str, values: Ints, pane: int, last: str, *, version: str | None = None, role: str | None = None
    ) -> tuple[npt.NDArray[np.object_], Ints, Floats, Categories]:
        """The labels of the model's events of these slots, with ids and times, as numbers and as texts: of those that a hash of their ids draws before the id `last`, and of that (`core.draw`).

        Of one version of the model, or of all.
        """
        drawn = (
            f"model = {{model:String}} AND {IN_SLOTS} AND (MD5(prediction_id), prediction_id) <= (MD5({{last:String}}), {{last:String}})"
        )
        own = (
            f" AND prediction_id IN (SELECT prediction_id FROM predictions WHERE {drawn}{narrowed(version, role)})"
            if version or role
            else ""
        )
        table = self._in_slots(
            f"SELECT prediction_id, ts, number, text FROM outcomes FINAL WHERE {drawn}{own}",
            {"model": model, "last": last, "version": version or "", "role": role or "", **slots(values, pane)},
        )
        return col.objects(table["prediction_id"]), col.ints(table["ts"]), col.floats(table["number"]), col.categories(table["text"])

    def _in_slots(self, sql: str, asked: Mapping[str, object]) -> pa.Table:
        """The answer to a query of slots."""
        return self._engine.query(flat(sql, asked), asked)


def block_of(contract: Contract, table: pa.Table, picked: Picked, sizes: Sequence[int]) -> Predictions:
    """Rows of raw events that were all taken under `contract`, with the columns that were picked; `sizes` are those of vectors that were read."""
    return Predictions(
        id=col.objects(table["prediction_id"]),
        ts=col.ints(table["ts"]),
        version=col.categories(table["version"]),
        role=col.categories(table["role"]),
        prediction=_output(contract, table, "class", "number"),
        score=col.floats(table["score"]),
        probabilities=col.matrix(table["picked_probabilities"]) if picked.all else None,
        numbers=picked.numbers(table),
        texts=picked.texts(table),
        extra=col.objects(table["picked_extra"]),
        position=col.ints(table["position"]),
        row=col.ints(table["place"]),
        logged=col.ints(table["logged"]),
        vectors=col.vectors(table["vectors"], sizes) if sizes else (),
    )


def narrowed(version: str | None, role: str | None) -> str:
    """The condition that an event is of the parameters `version` and `role`; "" for all of either."""
    return (" AND version = {version:String}" if version else "") + (" AND role = {role:String}" if role else "")


def _known(contract: Contract, column: str) -> tuple[str, ...]:
    """The texts of a categorical column that are not unseen."""
    held = contract.column(column)
    return (*held.categories, *held.others, NULL, INVALID)


def _output(contract: Contract, table: pa.Table, text: str, number: str) -> Categories | Floats:
    return col.floats(table[number]) if contract.task == Task.REGRESSION else col.categories(table[text])


def _dimension(column: pa.ChunkedArray, field: str | None) -> Categories:
    """A dimension as texts; that of a signal is read from the optional `field` of the events."""
    if field is not None:
        return fields_of({field}, read(col.objects(column))).texts[field]
    return Categories.of_numbers(col.floats(column)) if pa.types.is_floating(column.type) else col.categories(column)


def _named(prefix: str, picked: Mapping[str, str]) -> str:
    """Terms of a query, numbered."""
    return "".join(f", {sql} AS {prefix}{index}" for index, sql in enumerate(picked.values()))


def _column(column: pa.ChunkedArray) -> Categories | Floats:
    return col.floats(column) if pa.types.is_floating(column.type) else col.categories(column)
