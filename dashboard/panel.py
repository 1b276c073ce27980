"""Panels: parts of a page that are drawn at the same time. If one fails, the others are still shown."""

from __future__ import annotations

import logging
import secrets
from asyncio import Semaphore, gather, to_thread
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from dash import html
from dash.development.base_component import Component

from dashboard.timing import timed

Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)
_LONG = Semaphore(2)  # threads are few, and all other answers need one, too


@dataclass(frozen=True)
class Page:
    """A drawn page: its title and its content."""

    title: str
    body: list[Any]


async def ask(question: Callable[..., Answer], *given: Any) -> Answer:
    """The answer of a blocking method of the reader, which is called in a thread."""
    return await to_thread(question, *given)


async def ask_long(question: Callable[..., Answer], *given: Any) -> Answer:
    """The answer of a method that takes seconds, as of a back-test: two are asked at a time, the others wait."""
    async with _LONG:
        return await ask(question, *given)


async def panel(drawing: Coroutine[Any, Any, Any], title: str) -> Any:
    """What `drawing` draws; if it fails, a card that says so, with a number to look up in the log."""
    try:
        with timed(title):
            return await drawing
    except Exception:  # top of a panel: its failure must not blank the page
        return failed(title)


async def panels(**drawings: Coroutine[Any, Any, Any]) -> dict[str, Any]:
    """Several panels at once, each by its name."""
    drawn = await gather(*(panel(drawing, name) for name, drawing in drawings.items()))
    return dict(zip(drawings, drawn, strict=True))


def failed(title: str) -> Component:
    """The card in place of a panel that could not be drawn. Call it while the error is being handled."""
    incident = secrets.token_hex(4)
    _log.exception("panel %s could not be drawn (incident %s)", title, incident)
    return html.Section(
        [
            html.H2(f"{title.replace('_', ' ').capitalize()} could not be drawn"),
            html.P(["The rest of the page is right. The server's log tells more under incident ", html.Code(incident), "."]),
            html.P(html.A("Try again", href="")),
        ],
        className="card error",
        role="alert",
    )
