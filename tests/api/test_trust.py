"""GET /v1/models/{model}/trust, and the application of docs/trust.md that falls back by it."""

from __future__ import annotations

from typing import Any

import httpx

from core import moment
from core.trust import Reason, Trust, TrustState
from tests.api.twin import Twin
from tests.fallback import OWN, RULE, application

START = moment.parse("2022-07-01T00:00:00Z")
ADDRESS = "/v1/models/taxi-fare/trust"


def state(segment: str, of: TrustState, version: str = "all") -> Trust:
    reasons = (Reason("Accuracy is 0.7", "performance.accuracy", "", START),) if of is not TrustState.UNKNOWN else ()
    return Trust(segment, version, of, START if reasons else None, reasons)


async def test_states_come_by_segment_and_version_with_their_reasons(http: httpx.AsyncClient, twin: Twin) -> None:
    """Times are texts; `segment` and `version` select."""
    twin.states = [
        state("all", TrustState.TRUSTED),
        state("borough=Queens", TrustState.DO_NOT_TRUST),
        state("all", TrustState.UNKNOWN, "2"),
    ]
    found: dict[str, Any] = (await http.get(ADDRESS)).json()
    assert [(one["segment"], one["version"], one["state"]) for one in found["items"]] == [
        ("all", "all", "trusted"),
        ("borough=Queens", "all", "do_not_trust"),
        ("all", "2", "unknown"),
    ]
    assert found["next"] is None
    reason = {"text": "Accuracy is 0.7", "measure": "performance.accuracy", "column": "", "window_start": "2022-07-01T00:00:00Z"}
    assert (found["items"][0]["since"], found["items"][0]["reasons"]) == ("2022-07-01T00:00:00Z", [reason])
    assert (found["items"][2]["since"], found["items"][2]["reasons"]) == (None, [])
    chosen = (await http.get(ADDRESS, params={"segment": "all", "version": "2"})).json()
    assert [one["state"] for one in chosen["items"]] == ["unknown"]


async def test_an_unknown_model_and_parameter_are_told(http: httpx.AsyncClient) -> None:
    """With a remedy."""
    for address, status in (("/v1/models/nobody/trust", 404), (f"{ADDRESS}?since=now", 400)):
        answer = await http.get(address)
        assert (answer.status_code, bool(answer.json()["remedy"])) == (status, True)


async def test_the_documented_application_falls_back_for_the_broken_segment_only(http: httpx.AsyncClient, twin: Twin) -> None:
    """It keeps the last answer if the next one fails."""
    app = application("taxi-fare", "carrier")(http)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://model") as serving:

        async def said(carrier: str) -> tuple[Any, Any, Any]:
            answer = (await serving.post("/predict", json={"carrier": carrier})).json()
            return answer["prediction"], answer["by"], answer["trust"]

        twin.states = [
            state("all", TrustState.WATCH),
            state("carrier=UA", TrustState.DO_NOT_TRUST),
            state("carrier=AA", TrustState.TRUSTED),
        ]
        assert [await said("UA"), await said("AA"), await said("XX")] == [
            (RULE, "rule", "do_not_trust"),
            (OWN, "model", "trusted"),
            (OWN, "model", "unknown"),
        ]
        del twin.contracts["taxi-fare"]  # now it answers 404
        assert await said("UA") == (RULE, "rule", "do_not_trust")
