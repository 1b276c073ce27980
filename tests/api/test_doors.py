"""Which requests are allowed: host names, tokens, sessions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from core import moment
from core.clock import ManualClock
from core.error import Retryable
from core.principal import Principal, Role
from tests.api.test_events import is_problem
from tests.api.twin import Twin
from watchkeeper.api import login, session
from watchkeeper.api.app import create_api
from watchkeeper.api.auth import AccessPolicy, Auth
from watchkeeper.api.host import Hosts
from watchkeeper.api.key import Keys
from watchkeeper.api.session import Sessions, cookie_name

TOKEN = "s3cret-é"
HTML = {"accept": "text/html,application/xhtml+xml"}
COOKIE = cookie_name("127.0.0.1:8650")
NOW = 1_700_000_000_000_000


class Documents:
    """What the processes that serve share, in memory; `away` while it is not there."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.away = False

    def cursors(self, prefix: str) -> dict[str, dict[str, Any]]:
        if self.away:
            raise Retryable("the database is away")
        return {name: document for name, document in self.kept.items() if name.startswith(prefix)}

    def save_cursor(self, name: str, payload: dict[str, Any]) -> None:
        self.kept[name] = payload

    def forget(self, name: str) -> None:
        del self.kept[name]


@pytest.fixture
def documents() -> Documents:
    return Documents()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def guarded(
    documents: Documents, clock: ManualClock, token: str = TOKEN, twin: Twin | None = None, more: Sequence[tuple[str, Principal]] = ()
) -> FastAPI:
    """The API with pages behind it, as `serve` has them, behind its access."""
    keys = Keys([(token, Principal("token", Role.ADMIN)), *more])
    app = create_api(twin or Twin(), clock=clock, access=None)
    app.add_api_route("/ui/{path:path}", lambda path: f"the page {path}")
    app.add_middleware(Auth, access=AccessPolicy(keys, Hosts(), Sessions(keys, 12 * moment.HOUR, documents, clock)))
    return app


def browser(app: FastAPI, address: str = "http://127.0.0.1:8650") -> httpx.AsyncClient:
    """A browser, without scripts: it keeps cookies."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=address, headers=HTML)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong token is answered at once."""
    monkeypatch.setattr(login, "_WRONG", 0.0)


@pytest.fixture
async def http(documents: Documents, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(guarded(documents, clock)) as client:
        yield client


async def log_in(client: httpx.AsyncClient, token: str = TOKEN, target: str = "") -> httpx.Response:
    """Send the form."""
    return await client.post("/login", data={"token": token, "next": target})


async def test_a_browser_is_led_to_the_log_in_and_back(http: httpx.AsyncClient) -> None:
    """A page that is requested without a session redirects to the form; the right token leads back to that page."""
    asked = "/ui/models/a%2Fb%23c%3Fd%25/columns/%C3%A9?range=7d&segment=x%3Dy"
    answer = await http.get(asked)
    assert answer.status_code == 303
    form = await http.get(answer.headers["location"])
    assert (form.status_code, form.headers["cache-control"]) == (200, "no-store")
    target = re.findall(r'name="next" type="hidden" value="([^"]*)"', form.text)[0].replace("&amp;", "&")
    entered = await log_in(http, target=target)
    assert (entered.status_code, entered.headers["location"]) == (303, asked)
    assert (await http.get(target)).status_code == 200
    assert (await http.get("/v1/status")).status_code == 200


async def test_the_cookie_is_kept_from_scripts_other_sites_and_open_lines(documents: Documents, clock: ManualClock) -> None:
    """HttpOnly, SameSite=Strict, for twelve hours; Secure where the browser speaks TLS."""
    for address, secure in (("http://127.0.0.1:8650", False), ("https://localhost", True)):
        async with browser(guarded(documents, clock), address) as http:
            attributes = {part.strip().lower() for part in (await log_in(http)).headers["set-cookie"].split(";")[1:]}
        assert attributes >= {"httponly", "samesite=strict", "path=/", "max-age=43200"}
        assert ("secure" in attributes) is secure


async def test_a_wrong_token_opens_nothing(http: httpx.AsyncClient) -> None:
    """The form comes again and says so, 401; a form without the field, with many others, or too large, is no server error."""
    many = {f"other{i}": "x" for i in range(100)}
    for form in (
        {"token": "wrong"},
        {"token": ""},
        {"other": "x"},
        many,
        {"token": "\udc00".encode("utf-8", "surrogatepass").decode("latin-1")},
    ):
        answer = await http.post("/login", data=form)
        assert (answer.status_code, "That is none of the tokens." in answer.text, "set-cookie" in answer.headers) == (401, True, False)
    assert is_problem(await http.post("/login", content=b"token=" + b"x" * 20_000), 413)
    assert is_problem(await http.put("/login"), 405)
    assert is_problem(await http.get("/v1/status"), 401)


async def test_guessing_is_slow_and_locks_nobody_out(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many guesses come at once, they wait; the right token is answered before them."""
    held = asyncio.Event()

    async def sleep(_: float) -> None:
        await held.wait()

    monkeypatch.setattr(login, "asyncio", SimpleNamespace(sleep=sleep, to_thread=asyncio.to_thread, Semaphore=asyncio.Semaphore))
    guesses = [asyncio.create_task(log_in(http, "wrong")) for _ in range(20)]
    assert (await log_in(http)).status_code == 303
    assert not any(guess.done() for guess in guesses)
    held.set()
    assert {(await guess).status_code for guess in guesses} == {401}


@pytest.mark.parametrize(
    "target", ["http://evil.example/", "//evil.example", "/\\evil.example", "/ui/\\x", "javascript:alert(1)", "/v1/status", "/ui/\r\nx: y"]
)
async def test_the_log_in_leads_nowhere_else(http: httpx.AsyncClient, target: str) -> None:
    """Only to a page of ours."""
    assert (await log_in(http, target=target)).headers["location"] == "/ui/"
    assert 'value="/ui/"' in (await http.get("/login", params={"next": target})).text


async def test_a_session_ends_by_its_time_by_log_out_and_by_another_token(documents: Documents, clock: ManualClock) -> None:
    """A copy of the cookie is worth nothing afterwards, in another process neither."""
    async with browser(guarded(documents, clock)) as http, browser(guarded(documents, clock)) as other:
        await log_in(http)
        other.cookies.set(COOKIE, http.cookies[COOKIE])
        assert (await other.get("/v1/status")).status_code == 200
        left = await http.post("/logout", headers={"origin": "http://127.0.0.1:8650"})
        assert (left.status_code, left.headers["location"], COOKIE in http.cookies) == (303, "/login", False)
    async with browser(guarded(documents, clock)) as copy:
        copy.cookies.set(COOKIE, other.cookies[COOKIE])
        assert (await copy.get("/ui/")).status_code == 303
        copy.cookies.clear()
        await log_in(copy)
        clock.advance(12 * moment.HOUR - moment.SECOND)
        assert (await copy.get("/ui/")).status_code == 200
        clock.advance(moment.SECOND)
        assert is_problem(await copy.get("/v1/status"), 401)
        await copy.post("/logout")
        kept = copy.cookies.get(COOKIE)
    async with browser(guarded(documents, clock, token="another")) as changed:
        changed.cookies.set(COOKIE, kept or "")
        assert is_problem(await changed.get("/v1/status"), 401)


async def test_who_has_logged_in_is_let_in_while_the_store_is_away(http: httpx.AsyncClient, documents: Documents) -> None:
    """What was known of ended sessions holds, the last log-out too; a log-out that cannot be noted says so, and ends nothing."""
    await log_in(http)
    ended = http.cookies[COOKIE]
    assert (await http.get("/v1/status")).status_code == 200
    await http.post("/logout")
    await log_in(http)
    documents.away = True
    assert (await http.get("/v1/status")).status_code == 200
    assert is_problem(await http.get("/v1/status", headers={b"cookie": f"{COOKIE}={ended}".encode()}), 401)
    assert is_problem(await http.post("/logout"), 503)
    assert (await http.get("/v1/status")).status_code == 200


async def test_a_server_that_knows_no_ended_sessions_takes_none(
    documents: Documents, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that starts while the store is away answers every session with 503 until the store answers. Tokens and probes are accepted."""
    async with browser(guarded(documents, clock)) as http:
        await log_in(http)
        going = http.cookies[COOKIE]
        await log_in(http)
        ended = http.cookies[COOKIE]
        await http.post("/logout")
    documents.away = True
    async with browser(guarded(documents, clock)) as http:
        for cookie in (ended, going):
            http.cookies.set(COOKIE, cookie)
            for path in ("/v1/status", "/ui/"):
                assert is_problem(answer := await http.get(path), 503)
                assert answer.headers["retry-after"] == "2"
        assert (await http.get("/v1/health/live")).status_code == 200
        assert (await http.get("/v1/status", headers={b"authorization": f"Bearer {TOKEN}".encode()})).status_code == 200
        documents.away = False
        monkeypatch.setattr(session, "_FRESH", -1.0)  # asks again at once
        assert (await http.get("/v1/status")).status_code == 200
        http.cookies.set(COOKIE, ended)
        assert is_problem(await http.get("/v1/status"), 401)


async def test_two_servers_on_one_machine_have_a_cookie_each(clock: ManualClock) -> None:
    """A log-in at one, and a log-out, leave the session at the other: browsers send a host's cookies to all of its ports."""
    async with (
        browser(guarded(Documents(), clock)) as one,
        browser(guarded(Documents(), clock, token="b"), "http://127.0.0.1:8651") as other,
    ):
        await log_in(one)
        other.cookies.jar = one.cookies.jar
        await log_in(other, "b")
        assert [(await client.get("/v1/status")).status_code for client in (one, other)] == [200, 200]
        await other.post("/logout")
        assert [(await client.get("/v1/status")).status_code for client in (one, other)] == [200, 401]


async def test_another_site_does_nothing_in_the_name_of_a_session(http: httpx.AsyncClient) -> None:
    """Neither a change, nor a log-in, nor a log-out."""
    await log_in(http)
    for origin in ("http://evil.example", "http://127.0.0.1:8650.evil.example", "http://127.0.0.1:9", "null", "", "http://[::1"):
        for path in ("/v1/predictions", "/logout", "/login"):
            assert is_problem(await http.post(path, headers={"origin": origin}), 403)
    own = {"origin": "http://127.0.0.1:8650", "content-type": "application/json"}
    assert (await http.post("/v1/predictions", content=b"[]", headers=own)).status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "a.b", "e30.x", '"', "=", "é"])
async def test_a_cookie_that_we_did_not_sign_is_none(http: httpx.AsyncClient, cookie: str) -> None:
    """Whatever it holds."""
    assert is_problem(await http.get("/v1/status", headers={b"cookie": f"{COOKIE}={cookie}".encode()}), 401)


async def test_probes_need_no_token_and_hear_nothing_else(documents: Documents, clock: ManualClock) -> None:
    """They learn whether it is live and ready; only a request with the token learns why not."""
    twin = Twin()
    async with browser(guarded(documents, clock, twin=twin)) as http:
        assert (await http.get("/v1/health/live")).json() == {"status": "live"}
        assert (await http.get("/v1/health/ready")).json() == {"status": "ready"}
        twin.troubles.append("PostgreSQL at 10.1.2.3 is away")
        unknown = await http.get("/v1/health/ready")
        known = await http.get("/v1/health/ready", headers={b"authorization": f"Bearer {TOKEN}".encode()})
        assert (unknown.status_code, unknown.json()["detail"]) == (503, "not ready")
        assert known.json()["detail"] == "PostgreSQL at 10.1.2.3 is away"


async def test_an_open_server_has_no_log_in() -> None:
    """The address of the log-in redirects to the pages."""
    async with browser(create_api(Twin())) as http:
        assert (await http.get("/login")).headers["location"] == "/ui/"


@pytest.mark.parametrize(
    ("listening", "names", "header", "taken"),
    [
        ("127.0.0.1", (), "127.0.0.1:8650", True),
        ("127.0.0.1", (), "localhost:9", True),
        ("127.0.0.1", (), "LocalHost.", True),
        ("127.0.0.1", (), "127.8.8.8", True),
        ("127.0.0.1", (), "[::1]:8650", True),
        ("127.0.0.1", (), None, True),
        ("127.0.0.1", (), "", False),
        ("127.0.0.1", (), "evil.example", False),
        ("127.0.0.1", (), "evil.example:8650", False),
        ("127.0.0.1", (), "localhost.evil.example", False),
        ("127.0.0.1", (), "127.0.0.1.evil.example", False),
        ("127.0.0.1", (), "127.0.0.1@evil.example", False),
        ("127.0.0.1", (), "10.1.2.3", False),
        ("127.0.0.1", ("Watch.Example",), "watch.example:443", True),
        ("10.1.2.3", (), "10.1.2.3:8650", True),
        ("10.1.2.3", (), "10.1.2.4:8650", False),
        ("0.0.0.0", (), "10.1.2.4:8650", True),  # noqa: S104
        ("0.0.0.0", (), "evil.example", False),  # noqa: S104
        ("::", (), "[fd00::1]", True),
        ("watch.example", (), "watch.example", True),
    ],
)
def test_only_our_own_names_are_taken(listening: str, names: tuple[str, ...], header: str | None, taken: bool) -> None:
    """The address that we listen on, those of loopback, those of the setting; any address where we listen on all, and no other name."""
    assert Hosts(listening, names).takes(header) is taken


@pytest.mark.parametrize("token", [None, TOKEN])
async def test_a_name_that_was_led_to_us_reads_nothing(token: str | None, documents: Documents, clock: ManualClock) -> None:
    """Neither models, nor pages, nor health, with the token or without: 421, with what to do."""
    app = create_api(Twin()) if token is None else guarded(documents, clock)
    async with browser(app, "http://evil.example:8650") as http:
        for path in ("/v1/models", "/ui/", "/v1/health/live", "/login", "/nothing"):
            answer = await http.get(path, headers={"x-forwarded-host": "127.0.0.1"})
            assert is_problem(answer, 421)
            assert "`hosts`" in answer.json()["remedy"]
