"""Events of the twin: one every 20 minutes over the last days of the year, with missing, new and far values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from core import moment
from core.contract import Contract, Task
from core.error import ConfigError
from core.event_query import EventCounts, EventQuery, Values
from core.segment import ALL
from tests.dashboard.year import DAYS, START

N = 250
HOSTILE = '<img src=x onerror="alert(1)">'


def made(contract: Contract) -> list[dict[str, Any]]:
    """The events, the newest first, with the fields of `GET /v1/events/{model}/{id}`."""
    random = np.random.default_rng(3)
    end = START + DAYS * moment.DAY
    return [_event(contract, place, end - (place + 1) * 20 * moment.MINUTE, random) for place in range(N)]


def _event(contract: Contract, place: int, at: int, random: np.random.Generator) -> dict[str, Any]:
    number = contract.task is Task.REGRESSION
    features: dict[str, Any] = {}
    for column in contract.features:
        if column.numeric:
            low, high = (column.edges[0], column.edges[-1]) if column.edges else (0.0, 1.0)
            features[column.name] = float(random.uniform(low, high)) + (10 * (high - low) if place % 50 == 7 else 0)
        else:
            features[column.name] = column.categories[place % len(column.categories)] if column.categories else None
    if place % 9 == 4:
        features["temp"] = None
    if place % 31 == 2:
        features["dest"] = HOSTILE
    score = float(random.uniform(0, 1))
    prediction: Any = float(random.normal(10, 30)) if number else str(int(score > 0.5))
    label: Any = None if place % 10 == 3 else prediction + float(random.normal(0, 20)) if number else str(int(random.uniform() < score))
    loss = None if label is None else abs(prediction - label) if number else float(prediction != label)
    return {
        "prediction_id": HOSTILE if place == 5 else f"flight/{place:04}",
        "model": contract.model,
        "ts": moment.text(at),
        "version": "1" if place % 4 else "2",
        "role": "champion",
        "features": features,
        "tags": {},
        "prediction": prediction,
        "score": None if number else score,
        "probabilities": None,
        "label": label,
        "label_ts": None if label is None else moment.text(at + moment.HOUR),
        "loss": loss,
        "latency_ms": 12.5,
        "invalid": ["visib"] if place % 40 == 9 else [],
        "origin": {"partition": 0, "position": N - place, "row": 0},
        "labels": [],
        "percentiles": {name: 0.93 for name, value in features.items() if isinstance(value, float)},
        "attributions": {"temp": 0.4, "carrier": -0.21} if place % 2 else None,
    }


class MadeEvents:
    """The part of a reader that is asked about events, and when monitors were evaluated."""

    _contracts: dict[str, Contract]
    _readings: dict[tuple[str, str], Any]
    estimated = False  # the counts

    def events(self, asked: EventQuery) -> tuple[list[dict[str, Any]], str | None]:
        self._may("events")
        first, fit = int(asked.after or 0), self._asked(asked)
        page = fit[first : first + asked.limit]
        return page, str(first + len(page)) if first + len(page) < len(fit) else None

    def event(self, model: str, prediction_id: str) -> dict[str, Any] | None:
        return next((one for one in self._events(model) if one["prediction_id"] == prediction_id), None)

    def values(self, model: str, column: str, name: str) -> Values:
        if name not in ("null", "invalid"):
            raise ConfigError(f"`{column}` has no bin {name!r}", remedy="use one of: null; invalid")
        return "null" if name == "null" else "invalid"

    def event_counts(self, asked: EventQuery, step: int) -> EventCounts:
        self._may("event_counts")
        return EventCounts(Counter(moment.parse(one["ts"]) // step * step for one in self._asked(asked)), self.estimated)

    def beside(self, asked: EventQuery, event: Mapping[str, Any]) -> tuple[str | None, str | None]:
        self._may("beside")
        ids = [one["prediction_id"] for one in self._asked(asked)]
        if event["prediction_id"] not in ids:
            return None, None
        place = ids.index(event["prediction_id"])
        return ids[place - 1] if place else None, ids[place + 1] if place + 1 < len(ids) else None

    def served(self, model: str) -> list[tuple[str, str]]:
        return sorted({(one["version"], one["role"]) for one in self._events(model)})

    def _events(self, model: str) -> list[dict[str, Any]]:
        return made(self._contracts[model]) if not model.startswith("<") else []

    def _asked(self, asked: EventQuery) -> list[dict[str, Any]]:
        """The events that fit, in order; of a column only `null` is known."""
        if asked.segment != ALL and "=" not in asked.segment:
            raise ConfigError(f"`segment`: {asked.segment!r} is no segment of `{asked.model}`", remedy="use all")
        fit = [
            one
            for one in self._events(asked.model)
            if (asked.start is None or moment.parse(one["ts"]) >= asked.start)
            and (asked.end is None or moment.parse(one["ts"]) < asked.end)
            and asked.version in (None, one["version"])
            and (asked.column is None or one["features"].get(asked.column) is None)
            and (
                asked.label is None
                or {"known": one["loss"] is not None, "unknown": one["loss"] is None, "wrong": bool(one["loss"])}[asked.label]
            )
            and all(str(one["features"].get(part.split("=")[0])) == part.split("=")[1] for part in asked.segment.split(",") if "=" in part)
        ]
        if asked.order == "worst":
            fit = sorted((one for one in fit if one["loss"] is not None), key=lambda one: -one["loss"])
        return fit[::-1] if asked.order == "oldest" else fit

    def _may(self, name: str) -> None:
        raise NotImplementedError

    def standings(self, since: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], tuple[int, int, int]]:
        end = START + DAYS * moment.DAY
        return {key: (end, end + moment.MINUTE, 3 if key in since else 0) for key in self._readings}
