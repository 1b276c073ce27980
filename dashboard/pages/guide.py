"""The page of help: the keys, and what the words on the pages mean."""

from __future__ import annotations

from dash import html

from dashboard import components as piece
from dashboard.glossary import WORDS
from dashboard.panel import Page
from dashboard.ports import Reader

KEYS = (
    ("/", "search"),
    ("?", "this page"),
    ("j, k", "the next row of the inbox, and the one before; Enter opens it"),
    ("[, ]", "on a page of a model: the window before, and the window after"),
)


async def draw(_reader: Reader, _search: str) -> Page:
    """Two tables."""
    heading = html.Div([html.H1("Help"), html.P("The keys, and the words on the pages.", className="faint")], className="title")
    keys = piece.table(("Key", "What it does"), [(html.Kbd(key), html.Div(what, className="words")) for key, what in KEYS], caption="Keys")
    words = piece.table(("Word", "Meaning"), [(word, html.Div(meaning, className="words")) for word, meaning in WORDS], caption="Words")
    note = "They do nothing while you write into a field."
    return Page("Help", [heading, piece.card("Keys", keys, note=note), piece.card("Words", words)])
