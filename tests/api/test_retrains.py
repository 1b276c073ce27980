"""The routes of retraining: what is asked is passed on in the name of the principal, and what is wrong with it is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from alerts.retrain.registry_notice import Notice
from core.clock import ManualClock
from core.hook import Hook
from core.principal import LOCAL, Role
from core.retrain import RetrainState
from tests.api.test_doors import NOW, Documents, browser, guarded
from tests.api.twin import RETRAIN, Twin
from watchkeeper.change.retrain import RegistryNotice, RetrainDecision, RetrainReport, RetrainRequest

CALLBACK = "/v1/retrains/rt_1/callback"


async def test_a_request_is_made_and_decided_in_the_name_of_the_principal(http: httpx.AsyncClient, twin: Twin) -> None:
    """The answers are the request, without the token of its callback."""
    made = await http.post("/v1/retrains", json={"hook": "retrain", "reason": "new prices"})
    assert (made.status_code, made.json()["id"], "token" in made.json()) == (200, "rt_1", False)
    assert (await http.post("/v1/retrains/rt_1/approve", json={"comment": "go"})).status_code == 200
    assert (await http.post("/v1/retrains/rt_1/cancel")).status_code == 200
    assert [(who, what) for who, _, what in twin.done] == [
        (LOCAL, RetrainRequest(hook="retrain", reason="new prices")),
        (LOCAL, RetrainDecision(id="rt_1", action="approve", comment="go")),
        (LOCAL, RetrainDecision(id="rt_1", action="cancel")),
    ]
    assert (await http.get("/v1/retrains/rt_1")).json() == RETRAIN.document()
    assert (await http.get("/v1/retrains/rt_2")).status_code == 404
    trained = (await http.get("/v1/trainings", params={"model": "taxi-fare"})).json()["items"]
    assert [(one["model"], one["last_trained"], one["overdue"]) for one in trained] == [("taxi-fare", None, False)]
    assert (await http.get("/v1/retrains", params={"state": "failed,timed_out", "model": "taxi-fare"})).json() == {
        "items": [],
        "next": None,
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/retrains", {}),
        ("/v1/retrains", {"hook": "retrain", "why": "?"}),
        ("/v1/retrains/rt_1/approve", {"reason": "?"}),
        (CALLBACK, {}),
        (CALLBACK, {"state": "succeeded", "metrics": {"auc": "high"}}),
        (f"{CALLBACK}?key=1", {"state": "running"}),
    ],
)
async def test_a_wrong_body_or_parameter_is_told(http: httpx.AsyncClient, path: str, body: dict[str, Any]) -> None:
    """400 with a remedy; an unknown action is 404, an unknown state 400."""
    answer = await http.post(path, json=body)
    assert (answer.status_code, bool(answer.json()["remedy"])) == (400, True)
    assert (await http.post("/v1/retrains/rt_1/stop")).status_code == 404
    assert (await http.get("/v1/retrains?state=broken")).status_code == 400


async def test_a_run_reports_with_the_token_of_its_address_alone() -> None:
    """The token is checked by the command, so no other is needed; everything else on these paths needs one."""
    twin = Twin()
    async with browser(guarded(Documents(), ManualClock(NOW), twin=twin)) as http:
        body = {"state": "succeeded", "version": 8, "metrics": {"auc": 0.9}, "more": 1}
        told = await http.post(f"{CALLBACK}?token=abc", json=body)
        assert (told.status_code, told.json()) == (200, {"id": "rt_1", "state": RetrainState.REQUESTED})
        for method, path in (
            ("GET", "/v1/retrains"),
            ("GET", "/v1/retrains/rt_1"),
            ("POST", "/v1/retrains/rt_1/approve"),
            ("GET", CALLBACK),
        ):
            assert (await http.request(method, path)).status_code in {401, 405}
    (who, _, what) = twin.done[0]
    assert (who.role, what) == (Role.VIEWER, RetrainReport(id="rt_1", token="abc", state="succeeded", version="8", metrics={"auc": 0.9}))


async def test_a_model_registry_tells_with_its_signature_alone() -> None:
    """The command checks it, over the body as it came; the other routes of hooks need a token."""
    twin = Twin()
    signed = {"X-MLflow-Delivery-Id": "d1", "X-MLflow-Timestamp": "1700000000", "X-MLflow-Signature": "v1,abc"}
    async with browser(guarded(Documents(), ManualClock(NOW), twin=twin)) as http:
        told = await http.post("/v1/registry/retrain", content=b'{"data":  {}}', headers=signed)
        assert (told.status_code, told.json()) == (200, {"id": "rt_1", "state": RetrainState.REQUESTED})
        large = await http.post("/v1/registry/retrain", content=b" " * (1 << 16) + b"{}", headers=signed)
        assert (large.status_code, large.json()["detail"]) == (413, "the body is larger than 64 KiB")
        for method, path in (("GET", "/v1/hooks"), ("DELETE", "/v1/hooks/retrain"), ("GET", "/v1/registry/retrain")):
            assert (await http.request(method, path)).status_code in {401, 405}
    (who, _, what) = twin.done[0]
    notice = Notice(delivery="d1", timestamp="1700000000", signature="v1,abc", body=b'{"data":  {}}')
    assert (who.role, what) == (Role.VIEWER, RegistryNotice(hook="retrain", notice=notice))


async def test_an_empty_model_is_every_model(http: httpx.AsyncClient, twin: Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in every list, an empty parameter is a missing one."""
    asked: list[str | None] = []

    def hooks(model: str | None) -> list[Hook]:
        asked.append(model)
        return []

    monkeypatch.setattr(twin, "hooks", hooks)
    for query in ("", "?model=", "?model=taxi-fare"):
        assert (await http.get(f"/v1/hooks{query}")).json() == {"items": [], "next": None}
    assert asked == [None, None, "taxi-fare"]
