"""Parts of a page that take seconds: the page is shown with a place for each, which a callback of its own fills."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.aria import aria
from dashboard.panel import panel
from dashboard.ports import Reader

Draw = Callable[..., Awaitable[Any]]


def place(kind: str, words: str, *given: str, low: bool = False) -> Component:
    """The place of a part of this kind, drawn from some texts; `words` are shown until then. A `low` part takes little room."""
    made: Component = html.Div(
        html.P(words, className="faint"),
        id={"late": json.dumps([kind, *given])},
        className="late low" if low else "late",
        **aria(busy="true"),
    )
    return made


async def draw(reader: Reader, parts: Mapping[str, Draw], asked: str) -> Any:
    """What is to stand at a place, by what its id says; nothing for an id that no page has made."""
    try:
        kind, *given = json.loads(asked)
        drawing = parts[kind]
    except (ValueError, KeyError, TypeError):
        return None
    return await panel(_drawn(drawing, reader, given), kind)


async def _drawn(drawing: Draw, reader: Reader, given: list[str]) -> Any:
    return await drawing(reader, *given)
