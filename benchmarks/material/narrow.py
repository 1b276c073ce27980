"""Events of a model with two numbers, two categories, a class and a score, and their labels: about 190 bytes an event."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa

from core.block import Floats

MODEL = "narrow"
SEGMENTS = ("cat_0", "cat_1")  # with `all`: 11 segments
EACH = 3  # one of so many events has a label

_CATEGORIES = (("cat_0", 6), ("cat_1", 4))
_BATCH = 10_000  # rows a request
_encoder = msgspec.json.Encoder()


def reference() -> pa.Table:
    """20,000 rows with predictions, scores and labels."""
    draw = np.random.default_rng(7)
    columns = _columns(draw, 20_000)
    score = 1 / (1 + np.exp(-columns["num_0"] / 100))
    return pa.table(
        {**columns, "prediction": (score > 0.5).astype(np.int64), "score": score, "label": (columns["num_1"] > 0).astype(np.int64)}
    )


def requests(rows: int, start: int, span: int, *, prefix: str, seed: int) -> Iterator[tuple[str, bytes]]:
    """NDJSON of `rows` events, evenly from `start` on over `span` microseconds, and after each body of predictions one of labels; the same in every run."""
    draw, done = np.random.default_rng(seed), 0
    while done < rows:
        size = min(_BATCH, rows - done)
        columns = {name: values.tolist() for name, values in _columns(draw, size).items()}
        scores = draw.random(size).round(3).tolist()
        labels = draw.integers(0, 2, size).tolist()
        at = start + (done + np.arange(size)) * (span // rows)  # the product with the whole span may be above 2^63
        times = np.char.add(np.datetime_as_string(at.view("datetime64[us]")), "Z").tolist()
        ids = [f"{prefix}{done + place:09x}" for place in range(size)]
        features = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
        yield (
            "predictions",
            _encoder.encode_lines(
                [
                    {
                        "prediction_id": key,
                        "model": MODEL,
                        "version": "3",
                        "ts": ts,
                        "features": values,
                        "prediction": int(score > 0.5),
                        "score": score,
                    }
                    for key, ts, values, score in zip(ids, times, features, scores, strict=True)
                ]
            ),
        )
        some = slice(done % EACH, None, EACH)
        yield (
            "labels",
            _encoder.encode_lines(
                [
                    {"prediction_id": key, "model": MODEL, "ts": ts, "label": label}
                    for key, ts, label in zip(ids[some], times[some], labels[some], strict=True)
                ]
            ),
        )
        done += size


def _columns(draw: np.random.Generator, rows: int) -> dict[str, Floats]:
    columns: dict[str, Floats] = {f"num_{place}": draw.normal(0, 100, rows).round(2) for place in range(2)}
    for name, size in _CATEGORIES:
        values = np.array([f"{name[-1]}-{place}" for place in range(size)], object)
        columns[name] = values[draw.integers(0, size, rows)]
    return columns
