"""Puts the dashboard on an ASGI application."""

from __future__ import annotations

import hashlib
import logging
import secrets
from asyncio import gather
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import plotly
from dash import ALL, MATCH, ClientsideFunction, Dash, Input, Output, State, no_update, set_props
from dash.backends._fastapi import FastAPIDashServer
from dash.development.base_component import Component
from dash.fingerprint import build_fingerprint
from starlette.applications import Starlette
from starlette.types import Scope

from core.principal import Principal
from dashboard import assets_served as wire
from dashboard import late, shell
from dashboard.away import or_else
from dashboard.export import PATH, Export
from dashboard.pages import events
from dashboard.panel import ask, failed
from dashboard.person import Person
from dashboard.policy import ContentSecurityPolicy, nonce
from dashboard.ports import Reader
from dashboard.route import find, page
from dashboard.site import LATE, places
from dashboard.state import ROOT
from dashboard.timing import PanelTimes

# pyarrow imports pandas, if that is installed, when it first needs it; Dash cannot write answers while pandas is imported in part. Here no thread runs yet.
with suppress(ImportError):
    import_module("pandas")

_log = logging.getLogger(__name__)
_PLACES = places()
_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS  # as Dash writes it
KNOWN = ("/ui/", "/v1/", "/metrics")


def mount(
    api: Starlette,
    reader: Reader,
    *,
    known: tuple[str, ...] = KNOWN,
    logout: str | None = None,
    who: Callable[[Scope], Principal | None] = lambda _: None,
) -> Callable[[Mapping[str, str]], Awaitable[None]]:
    """Add the dashboard to `api` under `/ui/`, with its middleware; paths outside of `known` answer 404.

    `logout` is the address that ends a session, None if nobody logs in; `who` gives the principal that asks. Returns the warm-up, which must be awaited once in the lifespan of `api`, before the
    first request: without it the first deep link lacks scripts. It takes the headers of a request that is authorised. Call `mount` after the API's own routes
    are there, add the outermost middleware (authentication) after it, and call it only once a process, because Dash's callbacks are global.
    """
    api.add_route(PATH, Export(reader).answer, methods=["GET"], include_in_schema=False)
    app = _app(api, reader, logout)
    api.add_middleware(wire.KnownPaths, prefixes=known, home=ROOT)
    api.add_middleware(wire.ServedAssets, prefix=ROOT)
    api.add_middleware(ContentSecurityPolicy, hashes=app.csp_hashes)
    api.add_middleware(Person, who=who)
    api.add_middleware(PanelTimes)

    return lambda headers: _warm(api, headers)


async def _warm(api: Starlette, headers: Mapping[str, str]) -> None:
    """Ask for the dependencies through the whole application: Dash sets itself up at the first such request."""
    path = f"{ROOT}_dash-dependencies"
    scope: Scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": path}
    scope.update(
        {
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "server": ("127.0.0.1", 0),
            "client": ("127.0.0.1", 0),
        }
    )
    status, _, _ = await wire.gather(api, scope, _nothing)
    if status != 200:
        _log.warning("the dashboard's warm-up answered %s", status)


def _app(api: Starlette, reader: Reader, logout: str | None) -> Any:
    FastAPIDashServer.websocket_capability = False  # else every page opens a socket of its own
    make: Any = Dash  # its annotations lack what its documentation allows
    app = make(
        "dashboard",
        server=api,
        url_base_pathname=ROOT,
        assets_folder=str(Path(__file__).parent / "assets"),
        assets_ignore=r"^00_|\.svg$",
        update_title=None,
        title="Watchkeeper",
        suppress_callback_exceptions=True,
        enable_mcp=False,
        on_error=_log_failure,
        index_string=shell.INDEX,
    )
    plain, charts = app.interpolate_index, _plotly()
    app.interpolate_index = lambda **parts: plain(**parts).replace("{%nonce%}", nonce.get()).replace("{%plotly%}", charts)
    app.layout = shell.layout(logout)
    _callbacks(app, reader)
    return app


def _plotly() -> str:
    """The address of plotly's script, with the fingerprint by which browsers keep it."""
    script = "package_data/plotly.min.js"
    changed = int((Path(plotly.__file__).parent / script).stat().st_mtime)
    address: str = build_fingerprint(f"{ROOT}_dash-component-suites/plotly/{script}", plotly.__version__, f"{changed:x}")  # type: ignore[no-untyped-call]
    return address


def _callbacks(app: Any, reader: Reader) -> None:
    @app.callback(  # type: ignore[untyped-decorator]
        Output("view", "children"),
        Output("nav", "children"),
        Output("health", "children"),
        Output("shown", "data"),
        Output("digest", "data"),
        Input("asked", "data"),
        Input("version", "data"),
        State("digest", "data"),
    )
    async def draw(asked: dict[str, str] | None, _version: Any, digest: str | None) -> tuple[Any, Any, Any, dict[str, str], str]:
        path, search = (asked or {}).get("path") or ROOT, (asked or {}).get("search") or ""
        drawn, frame = await gather(_drawn(reader, path, search), _frame(reader))
        (title, body), at = drawn, find(path)
        open_episodes, health = frame
        written = orjson.dumps(body, default=Component.to_plotly_json, option=_JSON)
        found = hashlib.blake2b(written, digest_size=16).hexdigest()
        # Nothing has changed: the charts stay as they are. Dash would look through components for what is no JSON; it has nothing to look for in what was read from JSON.
        view = no_update if found == digest else orjson.loads(written)
        shown = {"path": path, "search": search, "title": f"{title} · Watchkeeper"}
        return view, shell.nav(_PLACES, at[0].place if at else None, open_episodes), health, shown, found

    @app.callback(Output({"late": MATCH}, "children"), Output({"late": MATCH}, "aria-busy"), Input({"late": MATCH}, "id"))  # type: ignore[untyped-decorator]
    async def fill(place: dict[str, str]) -> tuple[Any, str]:
        return await late.draw(reader, LATE, place["late"]), "false"

    @app.callback(  # type: ignore[untyped-decorator]
        Output({"events": MATCH}, "getRowsResponse"),
        Output({"cursors": MATCH}, "data"),
        Input({"events": MATCH}, "getRowsRequest"),
        State({"cursors": MATCH}, "data"),
        State("shown", "data"),
        prevent_initial_call=True,
    )
    async def block(asked: dict[str, Any] | None, cursors: dict[str, str] | None, shown: dict[str, str] | None) -> tuple[Any, Any]:
        if not asked:
            return no_update, no_update
        return await _block(reader, asked, cursors or {}, shown or {})

    def browser(name: str) -> ClientsideFunction:
        return ClientsideFunction("watchkeeper", name)

    app.clientside_callback(browser("start"), Output("asked", "data"), Input("asked", "id"))
    app.clientside_callback(browser("commit"), Output("committed", "data"), Input("shown", "data"))
    app.clientside_callback(browser("watch"), Output("version", "modified_timestamp"), Input("version", "id"))
    app.clientside_callback(browser("pick"), Output("picked", "data"), Input({"pick": ALL}, "value"), prevent_initial_call=True)


async def _block(reader: Reader, asked: dict[str, Any], cursors: dict[str, str], shown: dict[str, str]) -> tuple[Any, Any]:
    """The rows of a grid from `startRow` on. `cursors` are those of the blocks that came, by their first row: a grid asks for a block once the one before has come."""
    found, start = find(shown.get("path") or ROOT), int(asked["startRow"])
    after = cursors.get(str(start))
    if found is None or (start and after is None):
        return {"rowData": [], "rowCount": start}, no_update
    rows, following = await events.block(reader, shown.get("search") or "", found[1][0], after)
    answer: dict[str, Any] = {"rowData": rows}
    if following is None:
        return answer | {"rowCount": start + len(rows)}, no_update
    return answer, cursors | {str(start + len(rows)): following}


async def _drawn(reader: Reader, pathname: str, search: str) -> tuple[str, list[Any]]:
    try:
        drawn = await page(reader, pathname, search)
    except Exception:  # top of a page: navigation stays usable
        return "Error", [failed("page")]
    return drawn.title, drawn.body


async def _frame(reader: Reader) -> tuple[int, list[Any]]:
    """How many episodes are open, and the state of the service; the page itself may be right whatever fails here."""
    facts, status = await gather(or_else(None, ask(reader.header_facts)), or_else(None, ask(reader.status)))
    opened, newest = facts or (len(await or_else((), ask(reader.open_ones))), None)
    return opened, shell.health(status or {"problems": ["state unknown"]}, newest, known=facts is not None)


def _log_failure(error: Exception) -> None:
    """Say on the page that something failed, and write the error into the log."""
    incident = secrets.token_hex(4)
    _log.error("a callback failed (incident %s)", incident, exc_info=error)
    set_props(
        "notify",
        {"sendNotifications": [{"action": "show", "title": "Something failed", "message": f"Incident {incident}", "color": "red"}]},
    )


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
