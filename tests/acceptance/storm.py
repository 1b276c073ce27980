"""A disordered stream: shuffled, duplicated, late, early, corrected, retracted, divided into requests anywhere. The same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tests.acceptance.records import records
from watchkeeper.demo import flights

_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_AGAIN = 20  # of so many requests one is sent twice


class Storm:
    """The first `days` days of a stream, in requests of at most `most` events. `truth` is the frame that must result: for each id the first prediction in the log, and its last label; `orphans` are labels without a prediction."""

    def __init__(self, stream: pd.DataFrame, model: str, *, days: int, seed: int, most: int = 3_000) -> None:
        self._rng = np.random.default_rng(seed)
        frame = stream[stream["ts"] < stream["ts"].min() + pd.Timedelta(days=days)].reset_index(drop=True)
        self._ts, self._known = _micros(frame["ts"]), _micros(frame["label_ts"])
        self._arrived = self._ts + self._after(len(frame), _HOUR)
        labelled = np.flatnonzero(frame["label"].notna())
        self._retracted = labelled[self._rng.random(len(labelled)) < 0.01]
        self.truth = frame.copy()
        self.truth.loc[self._retracted, ["label", "label_ts"]] = None
        self.orphans = orphans(model, int(self._ts.min()), days, seed)
        strays = [(row["ts"] * 1_000, "labels", row) for row in self.orphans]
        events = [*self._predictions(frame, model), *self._labels(frame, model, labelled), *strays]
        self.requests = list(self._cut(sorted(events, key=lambda item: item[0]), most))

    def _predictions(self, frame: pd.DataFrame, model: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """Every prediction comes within an hour of its time; every tenth comes again within a day, half of these with other content."""
        twice = self._rng.random(len(frame)) < 0.1
        again = self._arrived + self._after(len(frame), _DAY) + 1
        other = self._rng.random(len(frame)) < 0.5
        columns = [*flights.FEATURES, "prediction", *(["score"] if "score" in frame else [])]
        rows = records(frame[columns])
        seen = _fields(frame)
        for place, row in enumerate(rows):
            event = {
                "prediction_id": frame["prediction_id"][place],
                "model": model,
                "ts": int(self._ts[place]) // 1_000,
                "features": {name: row[name] for name in flights.FEATURES},
                **{name: row[name] for name in columns if name not in flights.FEATURES},
                **seen[place],
            }
            yield int(self._arrived[place]), "predictions", event
            if twice[place]:
                changed = {
                    "ts": event["ts"] - 5 * 3_600_000,
                    "features": {"temp": -40.0, "origin": "XXX"},
                    "prediction": 1 - event["prediction"],
                    "latency_ms": 1e5,
                }
                yield int(again[place]), "predictions", event | (changed if other[place] else {})

    def _labels(self, frame: pd.DataFrame, model: str, labelled: npt.NDArray[np.intp]) -> Iterator[tuple[int, str, dict[str, Any]]]:
        """A tenth of the labels come a day late, a tenth before the prediction, and a tenth are corrected, in either order of arrival; some corrections differ by the order in the log only."""
        fate, order = self._rng.random(len(frame)), self._rng.random(len(frame))
        wait = self._after(len(frame), _HOUR)
        retracted = set(self._retracted.tolist())
        for place in labelled.tolist():
            known, arrives = int(self._known[place]), int(self._known[place] + wait[place])
            if fate[place] < 0.1:
                arrives += _DAY
            elif fate[place] < 0.2:
                arrives = int(self._arrived[place] - wait[place])
            value = float(frame["label"][place])
            right = {"prediction_id": frame["prediction_id"][place], "model": model, "label": value, "ts": known // 1_000}
            wrong = right | {"label": 1 - value}
            yield arrives, "labels", right
            if place in retracted:
                late = int((order[place] - 0.5) * _HOUR)
                yield arrives + late, "labels", right | {"label": None, "deleted": True, "ts": known // 1_000 + 60_000}
            elif order[place] < 0.05:
                yield arrives - _HOUR, "labels", wrong | {"ts": known // 1_000 - 60_000}
            elif order[place] < 0.08:
                yield arrives + 7 * _HOUR, "labels", wrong | {"ts": known // 1_000 - 60_000}
            elif order[place] < 0.1:
                yield arrives - 1, "labels", wrong

    def _cut(self, events: list[tuple[int, str, dict[str, Any]]], most: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Requests of any size, in the order of arrival; some are sent twice, as by a client that got no answer."""
        cuts = np.unique([0, *np.cumsum(self._rng.integers(1, most, 3 * len(events) // most)), len(events)])
        for low, high in pairwise(cuts[cuts <= len(events)].tolist()):
            for topic in ("predictions", "labels"):
                if rows := [event for _, kind, event in events[low:high] if kind == topic]:
                    for _ in range(2 if self._rng.integers(_AGAIN) == 0 else 1):
                        yield topic, rows

    def _after(self, size: int, longest: int) -> npt.NDArray[np.int64]:
        return self._rng.integers(0, longest, size)


def orphans(model: str, start: int, days: int, seed: int) -> list[dict[str, Any]]:
    """Labels of predictions that never come, in the days after `start`."""
    rng = np.random.default_rng([seed, 1])
    at = (start + rng.integers(0, days * _DAY, 5 * days)) // 1_000
    return [{"prediction_id": f"nobody-{place}", "model": model, "label": 1, "ts": int(ts)} for place, ts in enumerate(at)]


def _fields(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The optional fields of the events, those of `watch.observed`, as far as there are any."""
    names = [name for name in ("latency_ms", "status", "attribution_hour", "low", "high") if name in frame]
    if not names:
        return [{} for _ in range(len(frame))]
    found = []
    for row in records(frame[names]):
        sent = {name: value for name, value in row.items() if value is not None}
        if "attribution_hour" in sent:
            sent["attributions"] = {"hour": sent.pop("attribution_hour")}
        lower, upper = sent.pop("low", None), sent.pop("high", None)
        if lower is not None and upper is not None:
            sent["interval"] = {"lower": lower, "upper": upper}
        found.append(sent)
    return found


def write(frame: pd.DataFrame, path: Path) -> Path:
    """The frame as a stream file."""
    frame.to_parquet(path, index=False)
    return path


def _micros(times: pd.Series[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(times.dt.as_unit("us").astype("int64"), np.int64)
