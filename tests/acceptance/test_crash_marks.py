"""A process that dies may leave an insert's token without its rows, or its rows without the token; both are corrected."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from ingest.record import Topic
from storage.facts.progress import Batches
from tests.acceptance.backend import Backend, Killed

PREDICTION = {"ts": "2024-10-04T00:00:00Z", "features": {"x": 1, "c": "a"}, "prediction": 1, "score": 0.9, "model": "m"}
LABEL = {"label": 1, "model": "m"}
IDS = ["a", "b", "c"]
ROWS = {"predictions": [PREDICTION | {"prediction_id": key} for key in IDS], "labels": [LABEL | {"prediction_id": key} for key in IDS]}
WRITES = ("predictions", "labels", "panes", "waiting", "batches")  # in the order of a batch, after the intent and the dead letters
CASES: list[tuple[Topic, str]] = [
    *(("predictions", table) for table in ("predictions", "panes", "batches")),
    *(("labels", table) for table in ("labels", "batches")),
]


@pytest.mark.parametrize("lost", ["rows", "token"])
@pytest.mark.parametrize(("topic", "table"), CASES)
def test_a_batch_is_whole_and_single_whatever_the_dead_process_left(tmp_path: Path, topic: Topic, table: str, lost: str) -> None:
    """ClickHouse notes a token before its part is there, and does not sync it; neither loses or doubles a row."""
    with closing(Backend(tmp_path)) as backend:
        backend.add("m")
        backend.append(topic, ROWS[topic])
        backend.fuse.arm(3 + WRITES.index(table), "after")
        with pytest.raises(Killed):
            backend.ingest(1_000_000)
        sql = "SELECT data_paths[1] AS path FROM system.tables WHERE database = 'watchkeeper' AND name = {table:String}"
        folder = Path(backend.engine.query(sql, {"table": table}).to_pylist()[0]["path"])
    marks = list(folder.glob("*_*_*_0" if lost == "rows" else "deduplication_logs"))
    assert len(marks) == 1
    shutil.rmtree(marks[0])
    with closing(Backend(tmp_path)) as backend:
        backend.add("m")
        backend.ingest(1_000_000)
        while backend.evaluate("m", silent=True):
            pass
        rows = backend.engine.query(f"SELECT count() AS rows, uniqExact(prediction_id) AS ids FROM {topic} WHERE model = 'm'").to_pylist()
        assert rows == [{"rows": 3, "ids": 3}]
        assert topic == "labels" or backend.twice("m") == (0, 0)
        assert Batches(backend.engine).totals()[topic]["rows"] == 3
