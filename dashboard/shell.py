"""The frame around every page: head, navigation, theme, and the inputs of the only callback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from core import moment
from dashboard import components as piece
from dashboard import texts as word
from dashboard.aria import aria
from dashboard.state import address

# <html lang>, the theme before the first paint, and the text while there is no connection. {%nonce%} is replaced in each request.
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>Watchkeeper</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/ui/assets/favicon.svg" type="image/svg+xml">
<script src="/ui/assets/00_scheme.js" nonce="{%nonce%}" data-plotly="{%plotly%}"></script>
{%css%}
</head>
<body>
<div id="away" role="alert" hidden><span id="away-text"></span><button id="again" type="button">Try now</button></div>
{%app_entry%}
{%config%}
{%scripts%}
{%renderer%}
</body>
</html>"""

# Mantine's own colours have less contrast than 4.5:1. There is one shade for both themes, because autoContrast knows only one.
THEME: dict[str, Any] = {
    "primaryShade": 9,
    "autoContrast": True,
    "luminanceThreshold": 0.179,
    "fontFamily": "inherit",
    "defaultRadius": "sm",
}


def layout(logout: str | None = None) -> Component:
    """The whole document, which is sent once. `view` holds the page; the rest stays. `logout` is the address that ends a session, None if nobody logs in."""
    leave = [html.Form(html.Button("Log out"), action=logout, method="post")] if logout else []
    document: Component = dmc.MantineProvider(
        [
            dcc.Store(id="asked"),
            dcc.Store(id="shown"),
            dcc.Store(id="committed"),
            dcc.Store(id="version"),
            dcc.Store(id="digest"),
            dcc.Store(id="picked"),
            html.A("Skip to the page", href="#view", className="skip"),
            html.Header(
                [
                    html.A("Watchkeeper", href=address(), className="mark"),
                    html.Nav(id="nav", **aria(label="Main")),
                    html.Div(id="health", role="status"),
                    html.A("Search", href=address("search"), title="The key /", className="seek"),
                    dmc.ColorSchemeToggle(
                        id="theme",
                        variant="subtle",
                        color="gray",
                        size="md",
                        lightIcon="☾",
                        darkIcon="☀",
                        **aria(label="Switch between light and dark"),
                    ),
                    *leave,
                ],
                className="bar",
            ),
            html.Main(skeleton(), id="view", tabIndex="-1"),
            dmc.NotificationContainer(id="notify", position="bottom-right"),
        ],
        theme=THEME,
        defaultColorScheme="auto",
    )
    return document


def skeleton() -> Component:
    """The placeholder of the first page until it is drawn."""
    return html.Div(
        [html.Div(className="bone title"), html.Div(className="bone"), html.Div(className="bone tall")],
        className="skeleton",
        **aria(label="Loading"),
        role="status",
    )


def nav(entries: Sequence[tuple[str, str]], place: str | None, open_episodes: int) -> list[Component]:
    """The links to the places, given as (name, path of the first page); `place` is the current one, None where there is none."""
    count = [html.Span(str(open_episodes), className="count"), html.Span(" open", className="unseen")] if open_episodes else []
    return [piece.link([name, *([] if path else count)], address(*path.split("/")), current=name == place) for name, path in entries]


LATELY = moment.HOUR  # the data are called current while the newest event is not older
SHORT = 60  # characters of a problem for which the head has room


def problems(status: dict[str, Any]) -> list[str]:
    """The problems of the service, a sentence each."""
    found = status.get("problems") or []
    return [str(one.get("title") or one.get("detail") or "problem") if isinstance(one, dict) else str(one) for one in found]


def health(status: dict[str, Any], newest: int | None, *, known: bool = True) -> list[Any]:
    """Whether the data are complete, and how old the newest event is: a link to the pipeline. `newest` is its time, None if there is none, or if that is not `known`.

    Problems come first; the inbox lists them in full.
    """
    age = f"Newest event {word.ago(newest)}" if newest is not None else "No event yet" if known else "Age of events unknown"
    lower = f"{age[0].lower()}{age[1:]}"

    def said(text: str) -> Component:
        return piece.link(text, address("pipeline"))

    if wrong := problems(status):
        first = wrong[0] if len(wrong) == 1 and len(wrong[0]) <= SHORT else f"{len(wrong)} problem{'' if len(wrong) == 1 else 's'}"
        icon = html.Span("▲", className="warn", **aria(hidden="true"))
        return [icon, " ", piece.link(first, address()), *([" · ", said(lower)] if newest is not None else [])]
    if not status.get("quiet"):
        return [html.Span("↻", **aria(hidden="true")), " ", said(f"Catching up · {lower}")]
    if newest is not None and word.now() - newest <= LATELY:
        return [html.Span("✓", className="ok", **aria(hidden="true")), " ", said(age)]
    return [html.Span("○", **aria(hidden="true")), " ", said(age)]
