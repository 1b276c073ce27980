"""What each role may do over HTTP, and which principal the audit names."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from core import moment
from core.clock import ManualClock
from core.principal import LOCAL, Principal, Role
from storage.control.audit import AuditEntry
from tests.api.test_doors import COOKIE, NOW, Documents, browser, guarded, log_in
from tests.api.test_events import is_problem
from tests.api.twin import Twin

ROLES = list(Role)
TOKENS = [(f"token-of-{role}", Principal(f"a {role}", role)) for role in ROLES]
JSON, YAML, PARQUET = ({"content-type": name} for name in ("application/json", "application/yaml", "application/octet-stream"))
REQUESTS = [
    (Role.VIEWER, "GET", "/v1/models", {}),
    (Role.VIEWER, "GET", "/v1/status", {}),
    (Role.VIEWER, "GET", "/metrics", {}),
    (Role.VIEWER, "GET", "/ui/models", {}),
    (Role.SENDER, "POST", "/v1/predictions", JSON),
    (Role.SENDER, "POST", "/v1/labels", JSON),
    (Role.OPERATOR, "POST", "/v1/models/taxi-fare/rebuild", {}),
    (Role.VIEWER, "GET", "/v1/deliveries", {}),
    (Role.OPERATOR, "POST", "/v1/deliveries/msg_1/replay", {}),
    (Role.OPERATOR, "POST", "/v1/deliveries/replay", {}),
    (Role.OPERATOR, "POST", "/v1/destinations/oncall/test", {}),
    (Role.EDITOR, "POST", "/v1/apply", YAML),
    (Role.EDITOR, "PUT", "/v1/models/taxi-fare/reference?task=binary", PARQUET),
    (Role.EDITOR, "DELETE", "/v1/monitors/taxi-fare/fare-drift", {}),
    (Role.EDITOR, "DELETE", "/v1/budgets/all-of-it", {}),
    (Role.EDITOR, "DELETE", "/v1/destinations/oncall", {}),
    (Role.VIEWER, "GET", "/v1/policies", {}),
    (Role.EDITOR, "DELETE", "/v1/policies/default", {}),
    (Role.VIEWER, "GET", "/v1/hooks", {}),
    (Role.EDITOR, "DELETE", "/v1/hooks/retrain", {}),
    (Role.VIEWER, "GET", "/v1/retrains", {}),
    (Role.VIEWER, "GET", "/v1/retrains/rt_1", {}),
    (Role.EDITOR, "DELETE", "/v1/models/taxi-fare", {}),
    (Role.ADMIN, "DELETE", "/v1/models/taxi-fare?purge=true", {}),
    (Role.ADMIN, "GET", "/v1/audit", {}),
]


@pytest.fixture
def twin() -> Twin:
    return Twin()


@pytest.fixture
def app(twin: Twin) -> FastAPI:
    return guarded(Documents(), ManualClock(NOW), twin=twin, more=TOKENS)


@pytest.mark.parametrize(("needed", "method", "path", "headers"), REQUESTS)
async def test_a_route_takes_its_role_and_those_above(app: FastAPI, needed: Role, method: str, path: str, headers: dict[str, str]) -> None:
    """Whoever has a lower one hears 403, with the roles that may."""
    async with browser(app) as http:
        for token, principal in TOKENS:
            answer = await http.request(method, path, content=b"[]", headers={**headers, "authorization": f"Bearer {token}"})
            if principal.role.rank >= needed.rank:
                assert answer.status_code == 200, (principal, answer.text)
            else:
                assert is_problem(answer, 403)
                named = answer.json()["detail"].rpartition("needs ")[2].strip("`")
                assert principal.role.rank < Role(named).rank <= needed.rank
                assert named in answer.json()["remedy"]


async def test_probes_and_the_log_in_ask_for_no_role(app: FastAPI) -> None:
    """They are open, as they were."""
    async with browser(app) as http:
        assert [(await http.get(path)).status_code for path in ("/v1/health/live", "/v1/health/ready", "/login")] == [200, 200, 200]


async def test_a_command_is_done_in_the_name_of_the_token(app: FastAPI, twin: Twin) -> None:
    """For requests with the token, for sessions that it opened, and as `local` if the settings have no token."""
    editor = Principal("a editor", Role.EDITOR)
    async with browser(app) as http:
        await http.post("/v1/apply", content=b"", headers={**YAML, "authorization": "Bearer token-of-editor"})
        await log_in(http, "token-of-editor")
        await http.post("/v1/apply", content=b"", headers=YAML)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create(twin)), base_url="http://127.0.0.1:8650") as http:
        await http.post("/v1/apply", content=b"", headers=YAML)
    assert [principal for principal, _, _ in twin.done] == [editor, editor, LOCAL]


def create(twin: Twin) -> FastAPI:
    """A server without tokens."""
    from watchkeeper.api.app import create_api

    return create_api(twin)


async def test_a_session_may_do_what_its_token_may_and_ends_with_it() -> None:
    """A viewer reads and changes nothing; with the token gone from the settings, or changed, the session is none."""
    documents, clock = Documents(), ManualClock(NOW)
    async with browser(guarded(documents, clock, more=TOKENS)) as http:
        assert (await log_in(http, "token-of-viewer")).status_code == 303
        assert (await http.get("/ui/models")).status_code == 200
        assert is_problem(await http.post("/v1/apply", content=b"", headers=YAML), 403)
        cookie = http.cookies[COOKIE]
    promoted = [("token-of-viewer", Principal("a viewer", Role.EDITOR))]
    for more, status in ((TOKENS, 200), (promoted, 200), (TOKENS[1:], 401), ([("changed", TOKENS[0][1])], 401)):
        async with browser(guarded(documents, clock, more=more)) as http:
            http.cookies.set(COOKIE, cookie)
            assert (await http.get("/v1/status")).status_code == status


async def test_the_audit_is_read_page_by_page(app: FastAPI, twin: Twin) -> None:
    """Who, when, what, before and after; a wrong limit or parameter is a problem."""
    twin.entries = [AuditEntry(at=moment.SECOND, actor="ada", action="monitor.created", subject="m/a", before=None, after={"warn": 0.1})]
    async with browser(app) as http:
        http.headers["authorization"] = "Bearer token-of-admin"
        answer = await http.get("/v1/audit")
        assert answer.json() == {
            "items": [
                {
                    "at": "1970-01-01T00:00:01Z",
                    "actor": "ada",
                    "action": "monitor.created",
                    "subject": "m/a",
                    "before": None,
                    "after": {"warn": 0.1},
                }
            ],
            "next": None,
        }
        for wrong in ("limit=0", "limit=many", "from=1"):
            assert is_problem(await http.get(f"/v1/audit?{wrong}"), 400)


async def test_the_description_tells_the_role_of_each_route(app: FastAPI) -> None:
    """And that a lower one is answered with 403; probes have none."""
    async with browser(app) as http:
        paths = (await http.get("/v1/openapi.json", headers={"authorization": "Bearer token-of-viewer"})).json()["paths"]
    told = {(method.upper(), path): of for path, operations in paths.items() for method, of in operations.items()}
    for needed, method, path, _ in REQUESTS:
        of = told.get((method, path.replace("taxi-fare", "{model}").removesuffix("?task=binary")))
        if of is not None:
            assert (of["x-role"], "403" in of["responses"]) == (needed, needed is not Role.VIEWER)
    assert "x-role" not in told["GET", "/v1/health/live"]
    assert {of["x-role"] for of in told.values() if "x-role" in of} == set(Role)
    signed = ("/v1/retrains/{name}/callback", "/v1/registry/{name}")
    assert [told["POST", path]["security"] for path in signed] == [[], []]
