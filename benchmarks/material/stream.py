"""Events of a model with 20 features (14 decimals, 2 whole numbers, 4 categories), a time, a class and a score: about 490 bytes each."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa

from core import moment
from core.block import Floats
from core.contract import Contract, Task
from monitors.reference.derive import ReferenceSummary, derive
from monitors.reference.option import Options, Together

MODEL = "taxi-fare"
CATEGORIES = (("cat_0", 11), ("cat_1", 8), ("cat_2", 40), ("cat_3", 200))
SEGMENTS = ("cat_0", "cat_1")  # with `all`: 20 segments, and `null` where there is one
BATCH = 2_500  # rows a request, as `replay` sends them

_REFERENCE = 20_000
_encoder = msgspec.json.Encoder()


def reference() -> pa.Table:
    """20,000 rows with predictions, scores and labels."""
    columns = _columns(np.random.default_rng(7), _REFERENCE)
    columns |= {"prediction": (columns["num_0"] > 0).astype(np.int64), "score": 1 / (1 + np.exp(-columns["num_0"] / 100))}
    columns["label"] = (columns["num_1"] > 0).astype(np.int64)
    return pa.table(columns)


def contract(*, signals: bool = False, multivariate: bool = True) -> tuple[Contract, ReferenceSummary]:
    """The contract that the reference gives, and what is kept of it; with `signals` those that it gives: confidence, entropy, margin, outside; without `multivariate` panes hold no sums over all features."""
    together = Together.AUTO if multivariate else Together.OFF
    return derive(MODEL, reference(), Options(task=Task.BINARY, segments=SEGMENTS, signals=None if signals else (), multivariate=together))


def bodies(rows: int, start: int, span: int, *, batch: int = BATCH, seed: int = 1, prefix: str = "") -> Iterator[bytes]:
    """NDJSON of `rows` events in `batch` rows a body, evenly from `start` on over `span` microseconds; the same in every run."""
    draw = np.random.default_rng(seed)
    done = 0
    while done < rows:
        size = min(batch, rows - done)
        columns = _columns(draw, size)
        names = list(columns)
        features = (dict(zip(names, row, strict=True)) for row in zip(*(column.tolist() for column in columns.values()), strict=True))
        scores = draw.random(size).tolist()
        times = (start + (done + np.arange(size)) * span // rows).tolist()
        yield _encoder.encode_lines(
            [
                {
                    "prediction_id": f"{prefix}{done + at:032x}",
                    "model": MODEL,
                    "version": "3",
                    "ts": moment.text(ts),
                    "features": values,
                    "prediction": int(score > 0.5),
                    "score": score,
                }
                for at, (ts, values, score) in enumerate(zip(times, features, scores, strict=True))
            ]
        )
        done += size


def _columns(draw: np.random.Generator, rows: int) -> dict[str, Floats]:
    columns: dict[str, Floats] = {f"num_{i}": draw.normal(0, 100, rows).round(4) for i in range(14)}
    columns |= {f"int_{i}": draw.integers(0, 1_000, rows) for i in range(2)}
    for name, size in CATEGORIES:
        values = np.array([f"{name[-1]}-{i:03d}" for i in range(size)], object)
        columns[name] = values[draw.integers(0, size, rows)]
    return columns
