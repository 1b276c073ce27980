"""Finds and draws the page of an address."""

from __future__ import annotations

from urllib.parse import unquote

from dashboard import components as piece
from dashboard.panel import Page
from dashboard.ports import Reader
from dashboard.site import SITE, PageEntry
from dashboard.state import ROOT, address


def find(path: str) -> tuple[PageEntry, list[str]] | None:
    """The page at `path` (percent-encoded, under `/ui/`), and the parts that its address holds; None if there is none."""
    asked = [unquote(part) for part in path.removeprefix(ROOT).strip("/").split("/")]
    asked = [""] if asked == ["ui"] else asked
    return next(((entry, parts) for entry in SITE if (parts := entry.parts(asked)) is not None), None)


async def page(reader: Reader, path: str, search: str) -> Page:
    """Draw the page at `path` with the state in `search`."""
    found = find(path)
    if found is None:
        return missing("There is no such page", "The address may be mistyped, or of another version.")
    entry, parts = found
    return await entry.draw(reader, search, *parts)


def missing(title: str, why: str) -> Page:
    """The page in place of one that does not exist."""
    return Page(title, [piece.empty(title, why, piece.link("Go to the inbox", address()))])
