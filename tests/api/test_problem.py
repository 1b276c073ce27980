"""Problem documents, and the access check."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from core.clock import ManualClock
from core.principal import LOCAL
from tests.api.test_events import is_problem
from tests.api.twin import Twin, body, event
from watchkeeper.api.app import create_api
from watchkeeper.api.auth import AccessPolicy
from watchkeeper.api.key import Keys
from watchkeeper.api.problem import Problem


def client(app: FastAPI) -> httpx.AsyncClient:
    """A client of an application, in process."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://127.0.0.1:8650")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/readings/", "/v1/%2e%2e/x", "/v1/<script>"])
async def test_unknown_paths_are_problems(http: httpx.AsyncClient, path: str) -> None:
    """With every method, also when pages answer everything else."""
    for method in ("GET", "POST", "DELETE"):
        assert is_problem(await http.request(method, path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("GET", "/v1/predictions", "POST"), ("POST", "/v1/readings", "GET"), ("DELETE", "/v1/models/a/reference", "GET, PUT, POST")],
)
async def test_wrong_methods_are_problems(http: httpx.AsyncClient, method: str, path: str, allow: str) -> None:
    """405 names the methods that there are."""
    answer = await http.request(method, path)
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == allow


async def test_a_route_for_all_paths_hides_no_problem() -> None:
    """The pages' catch-all takes nothing under /v1."""
    app = create_api(Twin())
    app.add_api_route("/{path:path}", lambda path: f"a page for {path}")
    async with client(app) as http:
        assert is_problem(await http.get("/v1/nothing"), 404)
        assert is_problem(await http.get("/v1/predictions"), 405)
        assert (await http.get("/ui/x")).json() == "a page for ui/x"


async def test_a_defect_is_a_problem(http: httpx.AsyncClient, twin: Twin) -> None:
    """An unexpected exception gives its kind and not its text."""
    twin.failure = RuntimeError("a secret")
    answer = await http.post("/v1/predictions", content=body(event()), headers={"content-type": "application/json"})
    assert is_problem(answer, 500)
    assert "secret" not in answer.text


async def test_a_token_is_asked_of_everyone() -> None:
    """Every path, pages included, needs it; only the right one is taken."""
    app = create_api(Twin(), access=AccessPolicy(Keys([("s3cret-é", LOCAL)])), clock=ManualClock())
    async with client(app) as http:
        for path in ("/v1/status", "/v1/health/nothing", "/metrics", "/nothing"):
            assert is_problem(await http.get(path), 401)
            assert is_problem(await http.get(path, headers={"authorization": "Bearer wrong"}), 401)
        assert "Bearer" in (await http.get("/v1/status")).headers["www-authenticate"]
        good = {b"authorization": "bearer s3cret-é".encode()}
        assert (await http.get("/v1/status", headers=good)).status_code == 200


async def test_an_open_server_takes_no_changes_from_other_sites(http: httpx.AsyncClient) -> None:
    """A browser's request from another site's page is refused, one from our own is not."""
    headers = {"content-type": "application/json"}
    foreign = await http.post("/v1/predictions", content=b"[]", headers={**headers, "origin": "http://evil.example"})
    own = await http.post("/v1/predictions", content=b"[]", headers={**headers, "origin": "http://127.0.0.1:8650"})
    assert is_problem(foreign, 403)
    assert own.status_code == 200


async def test_half_a_surrogate_pair_in_an_error_is_shown_as_an_escape(http: httpx.AsyncClient, twin: Twin) -> None:
    """Wherever it stands: in detail, remedy, or what is told beside them."""
    twin.failure = Problem(422, "no \ud800", "not \udfff", more={"errors": [{"\ud800": ("a", "\udc00")}]})
    answer = await http.post("/v1/predictions", content=body(event()), headers={"content-type": "application/json"})
    assert is_problem(answer, 422)
    told = answer.json()
    assert (told["detail"], told["remedy"], told["errors"]) == ("no \\ud800", "not \\udfff", [{"\\ud800": ["a", "\\udc00"]}])
