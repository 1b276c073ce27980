"""The input of the oracle: the options of `watchkeeper reference`, and monitors as in YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

DAY = 86_400_000_000
_UNITS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True)
class Spec:
    """A model's options and its monitors. Windows that end after `until` (microseconds) are not expected; None expects all. `orphans` are the times of labels without a prediction."""

    task: str
    monitors: Sequence[Mapping[str, Any]] = ()
    features: Sequence[str] | None = None
    categorical: Sequence[str] = ()
    text: Sequence[str] = ()
    vectors: Mapping[str, int] = field(default_factory=dict)  # and how many numbers each has
    exclude: Sequence[str] = ()
    segments: Sequence[str] = ()
    protected: Sequence[str] = ()
    positive: str = "1"
    id: str = "prediction_id"
    ts: str = "ts"
    prediction: str = "prediction"
    score: str = "score"
    proba_prefix: str = "proba_"
    interval: Sequence[str] = ()
    latency: str | None = None
    status: str | None = None
    caller: str | None = None
    attribution_prefix: str | None = None
    prediction_set: str | None = None
    ensemble_prefix: str | None = None
    label: str = "label"
    label_ts: str = "label_ts"
    signals: bool = True
    until: int | None = None
    orphans: Sequence[int] = ()
    roles: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        named = {self.id, self.ts, self.prediction, self.score, self.label, self.label_ts, *self.interval}
        object.__setattr__(self, "roles", frozenset(named))

    @property
    def regression(self) -> bool:
        """Whether predictions are numbers."""
        return self.task == "regression"

    @property
    def dimensions(self) -> list[str]:
        """The columns to segment by, protected attributes among them."""
        single = [name for name in self.segments if "*" not in name]
        return single + [name for name in self.protected if name not in single]

    @property
    def texts(self) -> set[str]:
        """The columns whose values are texts, whatever they hold."""
        return {*self.categorical, *self.dimensions}

    @property
    def groupings(self) -> list[tuple[str, ...]]:
        """`()` for all, then the dimensions, then the crosses."""
        crosses = [tuple(part.strip() for part in name.split("*")) for name in self.segments if "*" in name]
        return [(), *((name,) for name in self.dimensions), *crosses]

    def probabilities(self, reference: pd.DataFrame) -> list[str]:
        """The columns of class probabilities."""
        return [] if self.regression else [name for name in reference.columns if name.startswith(self.proba_prefix)]

    def watched(self, reference: pd.DataFrame) -> list[str]:
        """The features, in the file's order."""
        if self.features is not None:
            return list(self.features)
        out = {*self.roles, *self.exclude, *self.probabilities(reference)}
        return [name for name in reference.columns if name not in out and not pd.api.types.is_datetime64_any_dtype(reference[name].dtype)]


def duration(text: str) -> int:
    """Microseconds of `30m`, `1d` and the like."""
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    assert match, text
    return int(match[1]) * _UNITS[match[2]]
