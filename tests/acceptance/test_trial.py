"""Monitors on demand: what a trial answers is what a stored monitor has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.spatial.distance import jensenshannon

from tests.acceptance.agree import differences
from tests.acceptance.records import records
from tests.acceptance.world import World
from watchkeeper.cli.app import main
from watchkeeper.client import Client, Refused

pytestmark = pytest.mark.slow

MODEL, DAYS, DAILY = "kiln", 40, 250
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
# Windows close once all has come, which takes two members of a group some seconds while they share its partitions: one that closed half full could open an episode.
LATE = {"WATCHKEEPER_INGEST__SILENCE": "15s", "WATCHKEEPER_INGEST__LATENESS": "30d"}
FIELDS = {
    "model": MODEL,
    "measure": "drift.psi",
    "columns": ["heat", "batch"],
    "segments": ["all", "line"],
    "target": {"window": "1d"},
    "min_samples": 50,
}
ALARMS: dict[str, dict[str, Any]] = {
    "gated": {"warn": 0.1, "critical": 0.25, "compare": "excess", "gate": "evidence", "persist": "2 of 3"},
    "budgeted": {"budget": "1 per 20d"},
}


def rows(begin: datetime, days: int, seed: int) -> pd.DataFrame:
    """Days that differ by chance; from the ninth on a stream is hotter."""
    draw = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), DAILY)
    moved = np.where((day >= 8) & (seed > 1), 2.0, 0.0)
    return pd.DataFrame(
        {
            "prediction_id": [f"{seed}-{row}" for row in range(len(day))],
            "ts": [begin + timedelta(days=int(one), seconds=int(row % DAILY) * 300) for row, one in enumerate(day)],
            "heat": draw.normal(moved + draw.normal(0, 0.3, days)[day]),
            "batch": draw.choice(["a", "b", "c"], len(day)),
            "line": draw.choice(["north", "south"], len(day)),
            "crew": draw.choice(["day", "night"], len(day), p=[0.6, 0.4] if seed == 1 else [0.4, 0.6]),
            "prediction": draw.integers(0, 2, len(day)),
        }
    )


def test_a_trial_answers_what_a_stored_monitor_has(
    world: Callable[[Mapping[str, str]], World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readings, episodes and the number of alarm windows; and nothing of it is written."""
    sink = BytesIO()
    rows(BEGIN, DAYS, 1).to_parquet(sink)
    stream = rows(BEGIN + timedelta(days=DAYS), 12, 2)
    with world(LATE) as place, Client(place.url) as client:
        client.reference(MODEL, sink.getvalue(), task="binary", segments=["line", "crew"], features=["heat", "batch", "line"])
        client.apply(yaml.safe_dump([{"monitor": name, **FIELDS, **alarms} for name, alarms in ALARMS.items()]))
        client.apply(yaml.safe_dump([{"monitor": "crews", **FIELDS, "measure": "drift.js", "columns": ["crew"]}]))
        client.apply(yaml.safe_dump([{"monitor": "schema", "model": MODEL, "measure": "quality.schema_changes", "min_samples": 50}]))
        features = ["heat", "batch", "line"]
        events = [
            {"model": MODEL, "prediction_id": row["prediction_id"], "prediction": row["prediction"], "ts": ts.isoformat()}
            | {"features": {name: row[name] for name in features} | ({"voltage": 230} if ts >= stream["ts"][DAILY * 10] else {})}
            | {"tags": {"crew": row["crew"]}}
            for row, ts in zip(records(stream.drop(columns="ts")), stream["ts"], strict=True)
        ]
        assert client.predictions(events).rejected == 0
        client.wait(600)
        schema = list(client.readings(model=MODEL, monitor="schema"))
        assert [one["value"] for one in schema] == [0.0] * 10 + [1.0] * 2
        assert schema[-1]["evidence"] == {"changes": [{"column": "voltage", "change": "new", "share": 1.0}]}
        assert _crews(client) == pytest.approx(_crews_expected(rows(BEGIN, DAYS, 1), stream), rel=1e-9)
        for name, alarms in ALARMS.items():
            stored = list(client.readings(model=MODEL, monitor=name, limit=10_000))
            tried = client.evaluate({**FIELDS, **alarms})
            assert len(stored) == 12 * 2 * 3
            assert differences([{**one, "monitor": "trial"} for one in stored], tried) == []
            part = client.evaluate({**FIELDS, **alarms}, start=stream["ts"][DAILY * 9], segment="line=north")
            assert differences([one for one in tried if one["segment"] == "line=north" and one["window_start"] >= "2024-04-19"], part) == []
            found = client.backtest({**FIELDS, **alarms})
            episodes = list(client.episodes(model=MODEL, monitor=name))
            assert (found["windows"], found["readings"]) == (12, 72)
            assert sorted((one["column"], one["segment"], one["level"]) for one in found["episodes"]) == sorted(
                (one["column"], one["segment"], one["level"]) for one in episodes
            )
            assert {one["column"] for one in episodes} == {"heat"}
            assert 3 <= found["alarm_windows"] <= 5
            told = client.monitor(MODEL, name)["calibration"]
            assert (told["windows"], told["provisional"]) == (DAYS - 1, name == "budgeted")  # its last hours have no rows
            assert told["phi"]["heat"] > 2 > told["phi"]["batch"]
            file = tmp_path / f"{name}.yaml"
            file.write_text(yaml.safe_dump([{"monitor": "new", **FIELDS, **alarms}]))
            capsys.readouterr()  # what the world said when it began
            assert main(["backtest", str(file), "--url", place.url, "--json"]) == 0
            assert json.loads(capsys.readouterr().out)["items"] == [{"monitor": "new", "model": MODEL, **found}]
            assert main(["backtest", str(file), "--url", place.url, "--from", "2024-04-19"]) == 0
            assert "new: critical from 2024-04-2" in capsys.readouterr().out
        assert found["expected_false_alarm_windows"] == 12 / 20
        assert [one["monitor"] for one in client.monitors(model=MODEL) if one["monitor"] == "trial"] == []
        run = httpx.get(f"{place.url}/v1/ranking", params={"model": MODEL, "monitor": "gated"}, timeout=120).raise_for_status().json()
        assert (run["tests"], run["window_start"]) == (6, "2024-04-21T00:00:00Z")
        assert [one["column"] for one in run["items"]] == ["heat"] * 3 + ["batch"] * 3
        assert all(one["evidence"]["p"] <= one["q"] <= 6 * one["evidence"]["p"] for one in run["items"])
        (noise,) = client.noise(model=MODEL, monitor="gated")
        assert (noise["fired"], noise["open"], noise["brief"], noise["notices"]) == (3, 3, 0, 0)
        assert main(["noise", "--model", MODEL, "--monitor", "gated", "--suggest", "--url", place.url]) == 0
        assert "no change of its rule would have spared half" in " ".join(capsys.readouterr().out.split())
        _share(client)
        with pytest.raises(Refused, match="there is no segment"):
            client.evaluate(FIELDS, segment="colour=red")
        with pytest.raises(Refused, match="there is no model"):
            client.backtest({"model": "nobody", "measure": "drift.psi"})


def _share(client: Client) -> None:
    """A budget of the whole model: each monitor without thresholds that has a p-value gets its part, and is judged by it."""
    assert [one["result"] for one in client.apply(yaml.safe_dump([{"budget": "all", "model": MODEL, "rate": "1 per 20d"}]))] == ["created"]
    client.wait(600)
    sharing = [one for one in client.monitors(model=MODEL) if "share" in one]
    assert {one["monitor"] for one in sharing} > {"crews"}
    assert {one["share"]["rate"] for one in sharing} == {f"1 per {20 * len(sharing)}d"}
    crews = list(client.readings(model=MODEL, monitor="crews"))
    assert {tuple(one["threshold"]) for one in crews} == {("p",)}
    assert {one["verdict"] for one in crews if one["evidence"]["p"] <= one["threshold"]["p"]} <= {"critical"}
    assert client.delete_budget("all")["result"] == "deleted"
    assert [one for one in client.monitors(model=MODEL) if "share" in one] == []


def _crews(client: Client) -> list[float]:
    """The drift of a tag on each day."""
    return [one["value"] for one in client.readings(model=MODEL, monitor="crews", segment="all")]


def _crews_expected(reference: pd.DataFrame, stream: pd.DataFrame) -> list[float]:
    before = reference["crew"].value_counts().sort_index()
    days = stream.groupby(stream["ts"].dt.floor("D"))["crew"]
    return [float(jensenshannon(day.value_counts().sort_index(), before, base=2)) for _, day in days]
