"""Reads single events, as they were sent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from core import moment, text
from core.classes import Classes
from core.contract import LABEL, Contract, Kind, Task
from core.error import ConfigError
from core.event_query import EventQuery, Outside, Range, Texts, Values
from core.extra import WRONG, read
from core.text import INVALID, NULL, OTHER
from detectors.contribution import UNSEEN, bin_names
from watchkeeper.reader.event_counts import EventCountReader

Event = dict[str, Any]
OUTSIDE = "out of range"  # beside the names of bins
_VALUES = 2_000_000  # of all events of a page: a page of wide events has fewer than asked for, and a cursor


class EventReader(EventCountReader):
    """Reads raw events with their labels. An event has the fields that the API gives."""

    def events(self, asked: EventQuery) -> tuple[list[Event], str | None]:
        """A page of events, and the cursor of the next. Raises ConfigError for an unknown model, segment or column."""
        contracts = self._versions(asked.model)
        width = max(len(one.kept) + sum(column.embedding.size for column in one.columns if column.embedding) for one in contracts)
        asked = msgspec.structs.replace(asked, limit=max(1, min(asked.limit, _VALUES // max(width, 1))))
        table, after = self._stores.events.page(contracts, asked)
        rows = table.to_pylist()
        labels = self._stores.events.labels(asked.model, [row["prediction_id"] for row in rows], asked.as_of)
        by_version = {contract.version: contract for contract in contracts}
        newest = contracts[-1]
        return [_event(by_version[row["contract"]], newest, row, labels.get(row["prediction_id"], [])) for row in rows], after

    def event(self, model: str, prediction_id: str) -> Event | None:
        """The event with this id that counts, with all labels that came for it and where its numbers stand in the reference; None if there is none."""
        contracts = self._versions(model)
        rows = self._stores.events.one(model, prediction_id).to_pylist()
        if not rows:
            return None
        contract = next(one for one in contracts if one.version == rows[0]["contract"])
        labels = self._stores.events.labels(model, [prediction_id]).get(prediction_id, [])
        event = _event(contract, contracts[-1], rows[0], labels)
        shown = [_label(contracts[-1], one) for one in labels]
        extra = read([rows[0]["extra"]])[0]
        sent = {name: value for name, value in (extra.attributions or {}).items() if value is not None and value is not WRONG}
        return event | {"labels": shown, "percentiles": self._percentiles(contract, rows[0]["numbers"]), "attributions": sent or None}

    def beside(self, asked: EventQuery, event: Mapping[str, Any]) -> tuple[str | None, str | None]:
        """The ids of the events before and after one in the list that is asked for; None at its ends, and where the event has no place in the list."""
        place: list[Any] = [moment.parse(event["ts"]), event["prediction_id"]]
        if asked.order == "worst":
            if event["loss"] is None:
                return None, None
            place.insert(0, float(event["loss"]))
        return self._stores.events.list.beside(self._versions(asked.model), asked, place)

    def values(self, model: str, column: str, name: str) -> Values:
        """The values that a bin of a column holds, by the bin's text; of numbers also those of another interval `[a,b)`, and `out of range`. Raises ConfigError for a column or a bin that the newest contract does not have."""
        contract = self._known(model)
        if column == LABEL:
            raise ConfigError("events cannot be asked for by a bin of `@label`", remedy="use label=known, label=unknown or label=wrong")
        try:
            held = contract.column(column)
        except KeyError:
            own = ", ".join(one.name for one in contract.own[:20])
            raise ConfigError(f"`{model}` has no column {column[:80]!r}", remedy=f"use one of: {own}") from None
        names = bin_names(held)
        if name == OUTSIDE and held.range is not None:
            return Outside(*held.range)
        if name not in names and held.numeric and (between := _between(name)) is not None:
            return between
        if name not in names:
            raise ConfigError(f"`{column}` has no bin {name[:80]!r}", remedy=f"use one of: {'; '.join(names[:50])}")
        if name in (NULL, INVALID):
            return "null" if name == NULL else "invalid"
        if held.numeric:
            cuts = (None, *held.edges, None)
            return Range(*cuts[names.index(name) :][:2])
        if name == OTHER:
            return Texts(held.others)
        return Texts((*held.categories, *held.others), others=True) if name == UNSEEN else Texts((name,))

    def _percentiles(self, contract: Contract, numbers: Sequence[float]) -> dict[str, float]:
        if not contract.facts:
            return {}
        shares = self._stores.events.shares_below(contract, numbers)
        numeric = [column for column in contract.kept if column.numeric]
        held = zip(numeric, numbers, shares, strict=False)
        return {column.name: share for column, number, share in held if math.isfinite(number) and math.isfinite(share)}


def _between(name: str) -> Range | None:
    """The interval that a text such as `[1.5,2)` names; None if it names none."""
    low, comma, high = name.removeprefix("[").removesuffix(")").partition(",")
    if not (name.startswith("[") and name.endswith(")") and comma):
        return None
    try:
        ends = [float(end) for end in (low, high)]
    except ValueError:
        return None
    if math.isnan(ends[0]) or math.isnan(ends[1]) or ends[0] >= ends[1]:
        return None
    return Range(*(end if math.isfinite(end) else None for end in ends))


def _event(contract: Contract, newest: Contract, row: Mapping[str, Any], labels: Sequence[Mapping[str, Any]]) -> Event:
    """An event as the API gives it. `invalid` names what was sent and could not be used; those values are null, as missing ones."""
    values, invalid = _columns(contract, row)
    features, tags = ({one.name: values[one.name] for one in columns} for columns in (contract.features, contract.tags))
    extra = read([row["extra"]])[0]
    number = contract.task is Task.REGRESSION
    prediction = row["number"] if number else _plain(row["class"])
    truth = labels[-1] if labels and not labels[-1]["deleted"] else None
    return {
        "prediction_id": row["prediction_id"],
        "model": contract.model,
        "ts": moment.text(row["at"]),
        "version": row["version"],
        "role": row["role"],
        "features": features,
        "tags": tags | (extra.tags or {}),
        "prediction": _finite(prediction),
        "score": _finite(row["score"]),
        "probabilities": dict(zip(contract.classes, map(_finite, row["probabilities"]), strict=False)) or None,
        "label": None if truth is None else _label(newest, truth)["label"],
        "label_ts": None if truth is None else moment.text(truth["at"]),
        "loss": None if truth is None else _loss(newest, row, truth),
        "latency_ms": None if extra.latency_ms is WRONG else extra.latency_ms,
        "invalid": invalid,
        "origin": {"partition": row["partition"], "position": row["position"], "row": row["place"]},
    }


def _columns(contract: Contract, row: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The values of the columns that the event sent by name, and which of them are invalid. Of a text only its state is kept, and of a vector its numbers."""
    numbers, texts, vectors = iter(row["numbers"]), iter(row["texts"]), iter(row["vectors"])
    found: dict[str, Any] = {}
    invalid = []
    for column in contract.columns:  # the first of those that are kept; signals follow
        value = next(numbers, math.nan) if column.numeric else next(texts, NULL)
        found[column.name] = next(vectors, None) or None if column.kind is Kind.VECTOR else _finite(_plain(value))
        if value in (math.inf, INVALID):
            invalid.append(column.name)
    return found, invalid


def _label(contract: Contract, row: Mapping[str, Any]) -> dict[str, Any]:
    """A label as the API gives it."""
    value = row["number"] if contract.task is Task.REGRESSION else _plain(row["text"])
    weight = row["weight"]
    return {
        "label": None if row["deleted"] else _finite(value),
        "ts": moment.text(row["at"]),
        "weight": _finite(weight),
        "deleted": bool(row["deleted"]),
        "logged": moment.text(row["logged_at"]),
    }


def _loss(contract: Contract, row: Mapping[str, Any], truth: Mapping[str, Any]) -> float | None:
    """0 or 1 for classes, the absolute error for numbers; None without a usable prediction."""
    if contract.task is Task.REGRESSION:
        error = abs(float(row["number"]) - float(truth["number"]))
        return error if math.isfinite(error) else None
    if row["class"] in (NULL, INVALID):
        return None
    known = Classes.of(contract)
    return float(known.name(row["class"]) != known.name(truth["text"]))


def _plain(value: Any) -> Any:
    """A stored text as it was sent; null and invalid ones are None."""
    if not isinstance(value, str):
        return value
    return None if value in (NULL, INVALID) else text.unquote(value)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
