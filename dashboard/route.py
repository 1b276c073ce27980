"""From an address to its page."""

from __future__ import annotations

from urllib.parse import unquote

from dashboard import piece
from dashboard.pages import column, episode, fleet, history, inbox, model
from dashboard.panel import Page
from dashboard.seam import Reader
from dashboard.state import ROOT, State, address


async def page(reader: Reader, path: str, search: str) -> Page:
    """Draw the page at `path` (percent-encoded, under `/ui/`) with the state in `search`."""
    state = State.of(search)
    match [unquote(part) for part in path.removeprefix(ROOT).strip("/").split("/")]:
        case [""] | ["ui"]:
            return await inbox.draw(reader)
        case ["alerts"]:
            return await history.draw(reader, search)
        case ["alerts", id_]:
            return await episode.draw(reader, id_, state)
        case ["models"]:
            return await fleet.draw(reader, search)
        case ["models", name]:
            return await model.draw(reader, name, state)
        case ["models", name, "columns", watched]:
            return await column.draw(reader, name, watched, state)
    return missing("There is no such page", "The address may be mistyped, or of another version.")


def missing(title: str, why: str) -> Page:
    """The page in the place of one that is not there."""
    return Page(title, "", [piece.empty(title, why, piece.link("Go to the inbox", address()))])
