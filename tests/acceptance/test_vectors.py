"""A model with embeddings, in both worlds: the stream comes without order, twice in part, with vectors that cannot be used, and a process is killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.acceptance.world import RARELY, World
from tests.oracle.compare import compare
from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper.client import Client

pytestmark = pytest.mark.slow

MODEL, SIZES = "search", {"query": 70, "user": 3}
OPTIONS: dict[str, Any] = {"task": "binary", "segments": ["country"]}
START = pd.Timestamp("2024-03-01", tz="UTC")
SIGNALS = [f"@vector:{name}:{statistic}" for name in SIZES for statistic in ("norm", "nearest")]


def searches(rows: int, days: int, seed: int, *, drift: bool = False) -> pd.DataFrame:
    """Searches over some days; with `drift` vectors move from the middle on, one way in each column, and some are no vectors."""
    rng = np.random.default_rng(seed)
    ts = START + pd.to_timedelta(np.sort(rng.integers(0, days * 86_400_000, rows)), unit="ms")
    late = np.arange(rows) > rows / 2 if drift else np.zeros(rows, np.bool_)
    frame = pd.DataFrame(
        {
            "prediction_id": [f"{seed}-{place:06d}" for place in range(rows)],
            "ts": ts.as_unit("us"),
            "country": np.array(["it", "de"], object)[rng.integers(0, 2, rows)],
            "prediction": rng.integers(0, 2, rows),
        }
    )
    for name, size in SIZES.items():
        drawn = rng.normal(size=(rows, size)) * np.where(late & (name == "query"), 1.2, 1.0)[:, None]
        drawn[:, 0] += np.where(late, 0.5, 0.0) if name == "user" else 0.0
        held: list[Any] = [[float(one) for one in row] for row in drawn.astype(np.float32)]
        for row in np.flatnonzero(rng.random(rows) < 0.03):
            held[row] = None
        for row in np.flatnonzero(rng.random(rows) < 0.02) if drift else ():
            held[row] = [[1.0], "none", [float("nan")] * size, {"a": 1.0}, [1e39] * size][row % 5]
        frame[name] = pd.Series(held, dtype=object)
    return frame


def parquet(frame: pd.DataFrame) -> bytes:
    """The file, one column of lists of any length and one of fixed length."""
    kinds: dict[Any, pa.DataType] = {"query": pa.list_(pa.float32(), SIZES["query"]), "user": pa.list_(pa.float64())}
    table = pa.table({name: pa.array(frame[name].tolist() if name in kinds else frame[name], kinds.get(name)) for name in frame})
    sink = BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def monitors() -> list[dict[str, Any]]:
    """Every kind of embedding drift, by country and against other windows, and what is measured of states and statistics."""
    shared: dict[str, Any] = {"model": MODEL, "segments": ["all", "country"], "min_samples": 20}
    kinds = ("mmd", "mean_shift", "norm_shift", "nearest_reference")
    return [
        *(
            {**shared, "monitor": of, "measure": "drift.embedding", "columns": list(SIZES), "params": {"of": of}, "warn": 0.2}
            for of in kinds
        ),
        {
            **shared,
            "monitor": "before",
            "measure": "drift.embedding",
            "columns": list(SIZES),
            "baseline": "previous",
            "target": {"window": "2d", "every": "1d"},
        },
        {**shared, "monitor": "psi", "measure": "drift.psi", "columns": [*SIZES, *SIGNALS]},
        {**shared, "monitor": "invalid", "measure": "quality.invalid_rate", "columns": [*SIZES, *SIGNALS], "baseline": "reference"},
        {**shared, "monitor": "means", "measure": "drift.mean_shift", "columns": SIGNALS, "segments": ["all"]},
    ]


def events(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The events of a frame, in its order."""
    return [
        {
            "prediction_id": row["prediction_id"],
            "model": MODEL,
            "ts": row["ts"].isoformat(),
            "features": {name: row[name] for name in ("country", *SIZES)},
            "prediction": row["prediction"],
        }
        for row in frame.to_dict("records")
    ]


@cache
def made() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The reference, the stream, and the readings that both worlds must have."""
    reference, stream = searches(2_600, 13, 1), searches(2_000, 8, 2, drift=True)
    spec = Spec(monitors=monitors(), vectors=SIZES, features=["country", *SIZES], **OPTIONS)
    return reference, stream, expected(reference, stream, spec)


def test_embeddings_are_watched_as_a_batch_job_would(world: Callable[[Mapping[str, str]], World]) -> None:
    """Every reading equals what numpy computes from all rows; the drift is seen, and a bad vector costs its cell."""
    reference, stream, wanted = made()
    sent = events(stream.sample(frac=1.0, random_state=4))
    with world({"WATCHKEEPER_INGEST__SILENCE": "1s", **RARELY}) as place, Client(place.url) as client:
        answer = client.reference(MODEL, parquet(reference), **OPTIONS)
        assert [one["kind"] for one in answer["features"] if one["name"] in SIZES] == ["vector", "vector"]
        client.apply(yaml.safe_dump(monitors()))
        for first in range(0, len(sent), 300):
            part = client.predictions(sent[max(0, first - 100) : first + 300])
            assert (part.accepted, part.rejected) == (len(sent[max(0, first - 100) : first + 300]), 0)
            if first == 900:
                place.kill(place.names[0])
        assert client.wait(900)["problems"] == []
        found = [item for one in monitors() for item in client.readings(model=MODEL, monitor=one["monitor"], limit=10_000)]
    assert len(wanted) > 500
    assert compare(wanted, found)[:20] == []
    seen = {(one["monitor"], one["column"]) for one in found if one["verdict"] == "warn" and one["segment"] == "all"}
    assert {("norm_shift", "query"), ("nearest_reference", "query"), ("mean_shift", "user")} <= seen
