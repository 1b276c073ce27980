"""Trust, from an event to the answer: a segment whose intervals break turns alone, through a kill, and back when its labels are corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pandas as pd
import pytest
import yaml

from tests.acceptance.world import World
from watchkeeper.client import Client

pytestmark = pytest.mark.slow

SOON = {"WATCHKEEPER_INGEST__SILENCE": "1s"}
MODEL, ROWS = "pump", 60
LINES = ("a", "b")


def test_a_segment_that_breaks_turns_alone_and_stays_so_after_a_kill(world: Callable[[Mapping[str, str]], World]) -> None:
    """Of two lines one has no label in its intervals for an hour: it is not to be trusted, the other and the whole are. Corrected labels take it back."""
    sink = BytesIO()
    rows = range(200)
    columns = {
        "line": [LINES[row % 2] for row in rows],
        "x": [float(row) for row in rows],
        "prediction": 10.0,
        "low": 9.0,
        "high": 11.0,
        "label": 10.5,
    }
    pd.DataFrame({"prediction_id": map(str, rows), **columns}).to_parquet(sink)
    hour = datetime.now(tz=UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=4)
    with world(SOON) as place, Client(place.url) as client:
        client.reference(
            MODEL, sink.getvalue(), task="regression", features=["x", "line"], segments=["line"], interval=["low", "high", "0.9"]
        )
        client.apply(yaml.safe_dump([_monitor()]))
        for late in range(3):
            sent = client.predictions([event for event, _ in _events(hour, late)])
            assert (sent.accepted, sent.rejected) == (ROWS, 0)
            client.labels([label for _, label in _events(hour, late, broken=late == 2)])
        client.wait(600)
        broken = _states(place)
        for name in ("up", "evaluate", "serve"):
            if name in place.names:
                place.kill(name)
        again = _states(place)
        client.labels([label for _, label in _events(hour, 2, later=1)])
        client.wait(600)
        mended = _states(place)
    wanted = {
        "all": ("trusted", _text(hour)),
        "line=a": ("trusted", _text(hour)),
        "line=b": ("do_not_trust", _text(hour + timedelta(hours=2))),
    }
    assert broken == again == wanted
    assert mended == {name: ("trusted", _text(hour)) for name in wanted}


def _states(place: World) -> dict[str, tuple[str, str]]:
    items = httpx.get(f"{place.url}/v1/models/{MODEL}/trust", timeout=60).raise_for_status().json()["items"]
    assert all(item["reasons"] for item in items)
    return {item["segment"]: (item["state"], item["since"]) for item in items}


def _monitor() -> dict[str, Any]:
    return {
        "monitor": "covered",
        "model": MODEL,
        "measure": "uncertainty.interval_coverage",
        "segments": ["all", "line"],
        "target": {"window": "1h"},
        "critical": 0.5,
        "min_samples": 10,
    }


def _events(hour: datetime, late: int, *, broken: bool = False, later: int = 0) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The predictions and labels of an hour; one in ten labels is outside of its interval, and if it is `broken` all of line b."""
    for row in range(ROWS):
        line, ts = LINES[row % 2], hour + timedelta(hours=late, seconds=row)
        both = {"prediction_id": f"{late}-{row}", "model": MODEL}
        outside = (broken and line == "b") or row // 2 % 10 == 0
        interval = {"lower": 9.0, "upper": 11.0}
        yield (
            both | {"ts": ts.isoformat(), "features": {"x": float(row), "line": line}, "prediction": 10.0, "interval": interval},
            both | {"ts": (ts + timedelta(minutes=1 + later)).isoformat(), "label": 12.0 if outside else 10.5},
        )


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
