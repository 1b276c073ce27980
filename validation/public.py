"""The public data sets, which are not part of the project: a folder of Parquet files beside the checkout, described by its manifest."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core import text
from core.block import Categories, Ints
from core.contract import PREDICTION
from core.moment import DAY
from validation.world import Values

FOLDER = Path(os.environ.get("WATCHKEEPER_PUBLIC_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


@dataclass(frozen=True)
class Data:
    """A data set: its description, and its rows in order of time."""

    name: str
    about: dict[str, Any]
    table: pa.Table

    @property
    def numeric(self) -> list[str]:
        """The names of its numeric features."""
        return list(self.about["features_num"])

    @property
    def categorical(self) -> list[str]:
        """The names of its categorical features."""
        return list(self.about["features_cat"])

    @property
    def ts(self) -> Ints:
        """The times of its rows, in microseconds."""
        return np.asarray(self.table["ts"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()), np.int64)

    def places(self, which: str) -> Ints:
        """The places of the rows of a set: `train`, `reference` or `production`."""
        return np.flatnonzero(np.asarray(self.table["set"].cast(pa.string()).to_pylist(), object) == which)

    def columns(self) -> dict[str, Values]:
        """Its features and its prediction, as blocks hold them."""
        return {name: self._values(name) for name in (*self.numeric, *self.categorical)} | {PREDICTION: self._values("prediction")}

    def _values(self, name: str) -> Values:
        column = self.table[name]
        if name in self.numeric or (name == "prediction" and self.about["task"] == "regression"):
            return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
        return Categories.of([text.NULL if value is None else text.of(value) for value in column.to_pylist()])

    @property
    def weekdays(self) -> Ints:
        """The day of each row, modulo 7."""
        return self.ts // DAY % 7


@cache
def manifest() -> dict[str, Any]:
    """What the folder says of its data sets, by name; nothing if there is none."""
    path = FOLDER / "manifest.json"
    if not path.exists():
        return {}
    found = json.loads(path.read_text())
    held = found.get("datasets", found)
    return held if isinstance(held, dict) else {one["name"]: one for one in held}


def load(name: str) -> Data | None:
    """A data set; None if it is not there."""
    path = FOLDER / f"{name}.parquet"
    return Data(name, manifest()[name], pq.read_table(path)) if name in manifest() and path.exists() else None
