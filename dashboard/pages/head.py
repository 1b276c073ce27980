"""The head of the pages of a model: where it is, and the model with its counts."""

from __future__ import annotations

from typing import Any

from dash import html

from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import notice
from dashboard.pages.history import Choice
from dashboard.ports import ModelRow
from dashboard.state import PageState, address


def head(row: ModelRow, state: PageState, place: str) -> list[Any]:
    """Breadcrumbs, the name, counts, the age of the newest event, and the link to the model's episodes. `place` is the last step of the page's address, "" for the overview."""
    about = f"{row.task} · contract {row.contract_version}"
    if row.known:
        about += f" · {word.count(row.predictions)} predictions, {word.count(row.labels)} labelled"
    if row.known and row.last_ts is not None:
        about += f" · last event {word.instant(row.last_ts)}, {word.ago(row.last_ts)}"
    episodes: list[Any] = [
        piece.link(f"{row.open_episodes} open episode{'' if row.open_episodes == 1 else 's'}", Choice("open", row.model).address),
        " · ",
        piece.link("all its episodes", Choice(model=row.model).address),
    ]
    lines = [html.H1(piece.name(row.model, 120)), html.P(about, className="faint"), html.P(episodes, className="next")]
    own = ((row.model, there(row.model, "", state.shared)), (place.capitalize(), None)) if place else ((row.model, None),)
    return [piece.crumbs(("Models", address("models")), *own), html.Div(lines, className="title"), *notice(known=row.known)]


def there(model: str, place: str, state: PageState) -> str:
    """The address of one of the model's pages."""
    return address("models", model, *([place] if place else []), state=state)
