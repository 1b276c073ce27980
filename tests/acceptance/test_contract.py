"""A new reference is a new contract version: panes are made again from raw, and every reading follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from tests.acceptance import watch
from tests.acceptance.world import World
from tests.oracle.compare import compare
from tests.oracle.expected import expected
from tests.oracle.spec import Spec
from watchkeeper.client import Client
from watchkeeper.demo import flights

pytestmark = pytest.mark.slow


def test_readings_follow_a_new_reference(
    pairs: tuple[flights.Pair, ...], world: Callable[[Mapping[str, str]], World], tmp_path: Path
) -> None:
    """Three weeks under January's bins, then under those of its first ten days without one feature: as if it had always been so."""
    pair = pairs[0]
    stream = pd.read_parquet(pair.stream)
    stream = stream[stream["ts"] < stream["ts"].iloc[0] + pd.Timedelta(days=21)]
    stream.to_parquet(tmp_path / "stream.parquet")
    whole = pd.read_parquet(pair.reference)
    whole.iloc[: len(whole) // 3].to_parquet(tmp_path / "reference.parquet")
    fewer = [name for name in flights.FEATURES if name != "humid"]
    with world({}) as place, Client(place.url) as client:
        watch.define(client, pair)
        watch.replay(client, pair, tmp_path / "stream.parquet")
        client.wait(120)
        options = {"task": pair.task, "segments": list(watch.SEGMENTS), "features": fewer}
        again = (tmp_path / "reference.parquet").read_bytes()
        assert client.reference(pair.model, again, **options) == {"model": pair.model, "version": 2, "result": "changed"}
        assert client.reference(pair.model, again, **options) == {"model": pair.model, "version": 2, "result": "unchanged"}
        client.wait(120)
        assert client.status()["evaluate"]["repaired"] > 0
        assert any("humid" in problem for problem in client.status()["problems"])
        monitors = [_without(monitor, "humid") for monitor in watch.monitors(pair)]
        spec = Spec(task=pair.task, monitors=monitors, features=fewer, segments=watch.SEGMENTS)
        wanted = expected(pd.read_parquet(tmp_path / "reference.parquet"), stream, spec)
        found = [item for item in watch.readings(client, pair) if item["column"] != "humid"]
        assert compare(wanted, found)[:20] == []
        assert {item["column"] for item in client.readings(model=pair.model, monitor="default-drift.psi", start=None, limit=10_000)} >= set(
            fewer
        )


def _without(monitor: dict[str, object], column: str) -> dict[str, object]:
    columns = monitor.get("columns")
    return {**monitor, "columns": [name for name in columns if name != column]} if isinstance(columns, list) else monitor
