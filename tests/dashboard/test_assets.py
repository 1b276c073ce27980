"""Which files and headers the dashboard serves."""

from __future__ import annotations

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from core import moment
from core.reading import Query
from dashboard import export
from dashboard.assets_served import KnownPaths, ServedAssets
from dashboard.policy import ContentSecurityPolicy
from tests.dashboard.twin import Twin

SCRIPT = "let x = 1; " * 500


async def _any(request: Request) -> Response:
    path = request.url.path
    if path.endswith(".js"):
        return PlainTextResponse(SCRIPT, media_type="text/javascript")
    return Response(SCRIPT) if "_dash-" in path else HTMLResponse("<p>page</p>")


def _client(app: Starlette) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
def client() -> httpx.AsyncClient:
    """An application that answers everything, behind the dashboard's middleware."""
    middleware = [
        Middleware(ContentSecurityPolicy, hashes=lambda: ["'sha256-abc'"]),
        Middleware(ServedAssets, prefix="/ui/"),
        Middleware(KnownPaths, prefixes=("/ui/", "/v1/", "/metrics"), home="/ui/"),
    ]
    return _client(Starlette(routes=[Route("/{rest:path}", _any, methods=["GET", "POST"])], middleware=middleware))


@pytest.mark.parametrize("path", ["/nowhere", "/uix", "/v2/models", "/metricsx", "/docs"])
async def test_a_path_that_nobody_owns_is_a_problem_and_no_page(path: str, client: httpx.AsyncClient) -> None:
    """404 with the remedy, where Dash would answer 200 with its page."""
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "remedy" in answer.json()


@pytest.mark.parametrize("path", ["/", "/ui"])
async def test_the_root_leads_to_the_dashboard(path: str, client: httpx.AsyncClient) -> None:
    """A bare address is enough."""
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (307, "/ui/")


@pytest.mark.parametrize("path", ["/ui/models", "/v1/readings", "/metrics"])
async def test_known_paths_pass(path: str, client: httpx.AsyncClient) -> None:
    """The guard is no wall."""
    assert (await client.get(path)).status_code == 200


async def test_a_file_is_compressed_once_kept_and_revalidated(client: httpx.AsyncClient) -> None:
    """Brotli where it is taken, plain where not, 304 for the same tag; a fingerprint lets it be kept for a year."""
    packed = await client.get("/ui/assets/10_chart.js?m=1", headers={"accept-encoding": "br"})
    assert packed.headers["content-encoding"] == "br"
    assert "immutable" in packed.headers["cache-control"]
    assert packed.text == SCRIPT
    plain = await client.get("/ui/assets/10_chart.js", headers={"accept-encoding": "identity"})
    assert plain.text == SCRIPT
    assert plain.headers["cache-control"] == "no-cache"
    assert plain.headers["vary"] == "accept-encoding"
    again = await client.get("/ui/assets/10_chart.js", headers={"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_answers_of_callbacks_are_compressed_and_typed(client: httpx.AsyncClient) -> None:
    """Dash gives them no content type."""
    async with client.stream("POST", "/ui/_dash-update-component", headers={"accept-encoding": "br"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert brotli.decompress(raw).decode() == SCRIPT
    assert answer.headers["content-type"] == "application/json"


async def test_pages_carry_a_strict_policy_with_a_nonce_of_their_own(client: httpx.AsyncClient) -> None:
    """No inline script but the known, nothing evaluated, nothing from or to elsewhere; each answer has another nonce."""
    one, other = [(await client.get("/ui/")).headers["content-security-policy"] for _ in range(2)]
    scripts = next(part for part in one.split("; ") if part.startswith("script-src"))
    assert scripts == "script-src 'self' 'sha256-abc'"
    assert "connect-src 'self'" in one
    assert "http" not in one
    assert one != other
    assert "content-security-policy" not in (await client.get("/ui/assets/10_chart.js")).headers


def test_a_query_comes_back_from_its_address() -> None:
    """What the API is asked by JSON is asked by CSV too."""
    query = Query(model="a&b", measure="drift.psi", column="", segment="carrier=UA", start=0, end=moment.DAY, limit=export.LIMIT)
    asked = Request({"type": "http", "query_string": export.search(query).encode(), "headers": []}).query_params
    assert export.parse(dict(asked)) == query


async def test_csv_has_a_line_a_reading_and_a_bad_time_is_refused() -> None:
    """The whole answer, and 400 with the reason."""
    client = _client(Starlette(routes=[Route("/ui/export.csv", export.Export(Twin()).answer)]))
    answer = await client.get("/ui/export.csv?model=departs-late&monitor=accuracy&segment=all")
    lines = answer.text.splitlines()
    assert len(lines) == 366
    assert '"2013-01-01T00:00:00Z"' in lines[1]
    bad = await client.get("/ui/export.csv?from=yesterday")
    assert (bad.status_code, "yesterday" in bad.text) == (400, True)
