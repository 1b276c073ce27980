"""POST /v1/evaluate and /v1/monitors/backtest: what is asked is passed on, and what is wrong with it is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from core import moment
from core.trial import Trial
from tests.api.twin import Twin

MONITOR = {"model": "taxi-fare", "measure": "drift.psi"}
PATHS = ("/v1/evaluate", "/v1/monitors/backtest")


@pytest.mark.parametrize("path", PATHS)
async def test_a_trial_is_passed_on(http: httpx.AsyncClient, twin: Twin, path: str) -> None:
    """Times are RFC 3339 or milliseconds; what is left out is open."""
    body = {"monitor": MONITOR, "from": "2022-07-01T00:00:00Z", "to": 1656806400000, "segment": "pickup_borough=Queens"}
    answer = await http.post(path, json=body)
    assert answer.status_code == 200
    assert (await http.post(path, json={"monitor": MONITOR})).status_code == 200
    times = (moment.parse("2022-07-01T00:00:00Z"), moment.parse("2022-07-03T00:00:00Z"))
    assert twin.trials == [Trial(MONITOR, *times, "pickup_borough=Queens"), Trial(MONITOR)]


async def test_readings_have_the_form_of_stored_ones(http: httpx.AsyncClient) -> None:
    """The items are those of GET /v1/readings."""
    tried, stored = await http.post(PATHS[0], json={"monitor": MONITOR}), await http.get("/v1/readings")
    assert tried.json()["items"] == stored.json()["items"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"from": 1}', b'{"monitor": "fare-drift"}', b'{"monitor": {}, "form": 1}', b'{"monitor": {}, "from": "soon"}'],
)
async def test_a_broken_body_is_told(http: httpx.AsyncClient, path: str, body: bytes) -> None:
    """400 with a remedy; the content type must be JSON."""
    answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["remedy"]
    assert (await http.post(path, content=b"{}", headers={"Content-Type": "text/plain"})).status_code == 415


async def test_a_monitor_tells_its_calibration(http: httpx.AsyncClient, twin: Twin) -> None:
    """Of one that was deleted there is none any more."""
    found: dict[str, Any] = (await http.get("/v1/monitors/taxi-fare/fare-drift")).json()
    assert found["calibration"]["phi"] == {"fare": 1.5}
    assert (found["compare"], found["gate"], found["budget"]) == ("value", "none", None)
    twin.retired = moment.parse("2022-07-01T00:00:00Z")
    assert (await http.get("/v1/monitors/taxi-fare/fare-drift")).json()["calibration"] is None
