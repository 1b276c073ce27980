"""The header that says how long panels took."""

from __future__ import annotations

import re
from asyncio import gather

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dashboard.panel import panel
from dashboard.timing import PanelTimes


async def _drawing(*, fails: bool = False) -> str:
    if fails:
        raise ValueError
    return "drawn"


async def _page(request: Request) -> PlainTextResponse:
    if request.url.path == "/page":
        await gather(panel(_drawing(), "over time"), panel(_drawing(fails=True), "facts"))
    if request.url.path == "/many":
        await gather(*(panel(_drawing(), f"{place} {'é' * 200}") for place in range(100)))
    return PlainTextResponse("shown")


async def test_titles_of_any_length_and_number_make_no_long_head() -> None:
    """Such as the names of monitors, of which a page has a panel each: a proxy would refuse the answer."""
    app = Starlette(routes=[Route("/many", _page)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(PanelTimes(app)), base_url="http://m") as client:
        told = (await client.get("/many")).headers["Server-Timing"]
    assert (told.count(";dur="), len(told) < 1_600) == (30, True)


async def test_an_answer_tells_its_own_panels_and_no_others() -> None:
    """Also one that failed; an answer without panels has no such header."""
    app = Starlette(routes=[Route("/page", _page), Route("/none", _page)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(PanelTimes(app)), base_url="http://m") as client:
        pages = await gather(*(client.get(path) for path in ("/page", "/none", "/page")))
    told = [re.findall(r"(\S+);dur=\d+\.\d", page.headers.get("Server-Timing", "")) for page in pages]
    assert told == [["over_time", "facts"], [], ["over_time", "facts"]]
