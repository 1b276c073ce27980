"""GET /v1/noise: a row for each monitor, and a suggestion for one."""

from __future__ import annotations

import httpx

from core import moment
from tests.api.twin import Twin

ONE = "/v1/noise?model=taxi-fare&monitor=fare-drift"


async def test_a_suggestion_is_for_one_monitor(http: httpx.AsyncClient, twin: Twin) -> None:
    """Without being asked for it is not looked for; a deleted monitor has none."""
    plain = (await http.get(f"{ONE}&from=2022-07-01T00:00:00Z")).json()["items"]
    assert twin.asked_noise == ("taxi-fare", "fare-drift", moment.parse("2022-07-01T00:00:00Z"), None)
    assert plain[0]["brief"] == 2
    assert "suggestion" not in plain[0]
    assert (await http.get(f"{ONE}&suggest=true")).json()["items"][0]["suggestion"]["change"] == {"persist": "2 of 3"}
    twin.retired = 1
    assert (await http.get(f"{ONE}&suggest=true")).json()["items"][0]["suggestion"] is None
    refused = await http.get("/v1/noise?model=taxi-fare&suggest=true")
    assert (refused.status_code, refused.json()["remedy"]) == (400, "give `model` and `monitor`, too")
