"""Finds and draws the page of an address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from dash.development.base_component import Component

from dashboard import components as piece
from dashboard.panel import Page
from dashboard.ports import Reader
from dashboard.site import SITE, PageEntry, sections, tabs
from dashboard.state import ROOT, PageState, address
from dashboard.then import reader_of


def find(path: str) -> tuple[PageEntry, list[str]] | None:
    """The page at `path` (percent-encoded, under `/ui/`), and the parts that its address holds; None if there is none."""
    asked = [unquote(part) for part in path.removeprefix(ROOT).strip("/").split("/")]
    asked = [""] if asked == ["ui"] else asked
    return next(((entry, parts) for entry in SITE if (parts := entry.parts(asked)) is not None), None)


async def page(reader: Reader, path: str, search: str) -> Page:
    """Draw the page at `path` with the state in `search`, and its tabs."""
    found = find(path)
    if found is None:
        return missing("There is no such page", "The address may be mistyped, or of another version.")
    entry, parts = found
    reader = reader_of(reader, PageState.of(search)) if entry.of_model else reader
    drawn = await entry.draw(reader, search, *parts)
    return Page(drawn.title, _with_tabs(drawn.body, entry, parts, search))


def _with_tabs(body: list[Any], at: PageEntry, parts: Sequence[str], search: str) -> list[Any]:
    """The body with tabs: below the heading of a page that is a tab itself, and above that of a page below a tab, whose own name the heading is.

    The heading is the component of the class `title`. A page without one has no tabs, because what it is about is not there; nor has a page that is reached by links only and stands below no tab.
    """
    heading = next((place for place, part in enumerate(body) if getattr(part, "className", None) == "title"), None)
    if heading is None or not (at.tab or at.under):
        return body
    place = heading + 1 if at.tab else heading
    name = "Pages of this model" if at.of_model else f"Pages of {at.place}"
    rows = [_row(name, tabs(at), at, parts, search), _row("Sections", sections(at), at, parts, search)]
    return [*body[:place], *(row for row in rows if row is not None), *body[place:]]


def _row(name: str, entries: Sequence[PageEntry], at: PageEntry, parts: Sequence[str], search: str) -> Component | None:
    """A row of tabs; None if there are less than two. Those of a model keep what its pages have in common."""
    if len(entries) < 2:
        return None
    kept = PageState.of(search).shared.query if at.of_model else ""
    current = at.path if any(one.path == at.path for one in entries) else at.under
    return piece.tabs(
        name,
        [(one.tab, address(*one.filled(parts)) + (kept or one.search), one.path == current) for one in entries],
        small=name == "Sections",
    )


def missing(title: str, why: str) -> Page:
    """The page in place of one that does not exist."""
    return Page(title, [piece.empty(title, why, piece.link("Go to the inbox", address()))])
