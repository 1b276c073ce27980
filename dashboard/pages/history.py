"""The page of all episodes: a list with filters, page by page."""

from __future__ import annotations

from asyncio import gather
from dataclasses import dataclass, replace
from typing import Any

from dash import html

from core.episode import Episode
from core.error import ConfigError
from core.measure import Measures
from dashboard import components as piece
from dashboard import late
from dashboard import texts as word
from dashboard.listed import Listed
from dashboard.panel import Page, ask
from dashboard.ports import Reader
from dashboard.state import address
from dashboard.subject import subject

ROWS = 50  # a page
STATES = {"open": "Open", "closed": "Ended", "": "All"}
FEW = 12  # models that are shown as a row of links; more are a list to search


@dataclass(frozen=True)
class Choice(Listed):
    """The filters of the list."""

    PATH = "alerts"

    state: str = ""
    model: str = ""
    monitor: str = ""
    quieter: str = ""  # not empty: a change of the monitor's rule is looked for


async def draw(reader: Reader, search: str) -> Page:
    """One page of episodes, the last fired first."""
    choice = Choice.of(search)
    trail = piece.crumbs(("Inbox", address()), ("Episodes", None))
    state = choice.state if choice.state in STATES else ""
    models, found = await gather(ask(reader.contracts), _page(reader, replace(choice, state=state)))
    heading = html.Div([html.H1("Episodes"), html.P("Every episode there is, the last fired first.", className="faint")], className="title")
    chosen = replace(choice, after="")
    tabs = [piece.choice("State", [(words, replace(chosen, state=key).address, key == state) for key, words in STATES.items()])]
    if len(models) <= FEW:
        names = [("", "All"), *((row.model, word.cut(row.model, 24)) for row in models)]
        tabs.append(piece.choice("Model", [(words, replace(chosen, model=key).address, key == choice.model) for key, words in names]))
    chips = piece.chips(
        *(
            (key.capitalize(), value, replace(chosen, **{key: ""}).address)
            for key in ("model", "monitor")
            if (value := getattr(choice, key))
        )
    )
    wrong = [f"state: {word.cut(choice.state)!r} is none of open, closed"] if state != choice.state else []
    head = [trail, heading, piece.notice(wrong), html.Div(tabs, className="controls"), chips]
    if found is None:
        whole = piece.link("Show the list from its beginning", chosen.address)
        return Page("Episodes", [*head, piece.empty("This link names a page that is not in the list", whole)])
    episodes, after = found
    if not episodes:
        return Page("Episodes", [*head, piece.empty("No episode", "None fits this choice.")])
    ways = [
        piece.link("Newest", chosen.address) if choice.after else None,
        piece.link("Older", replace(choice, after=after, quieter="").address) if after else None,
    ]
    rows = [_row(one, choice, reader.measures) for one in episodes]
    titles = ("What", "Model", "Monitor", "Level", "Value", "State", "Fired (UTC)", "Ended (UTC)")
    table = piece.card(
        f"{len(rows)} episode{'' if len(rows) == 1 else 's'}, {word.stretch(episodes[-1].fired_at, episodes[0].fired_at + 1)}",
        piece.table(titles, rows, caption="Episodes", numbers=(4,)),
        foot=[way for way in ways if way is not None] or None,
    )
    look = "" if choice.quieter else replace(chosen, quieter="true").address
    worth = late.place("worth", "What they were worth is counted.", choice.model, choice.monitor, look, low=True)
    return Page("Episodes", [*head, *([worth] if choice.model and choice.monitor else []), table])


async def _page(reader: Reader, choice: Choice) -> tuple[list[Episode], str | None] | None:
    """The page; None if the address holds no valid cursor."""
    try:
        return await ask(reader.history, choice.state or None, choice.model or None, choice.monitor or None, ROWS, choice.after or None)
    except ConfigError:
        return None


def _row(one: Episode, choice: Choice, measures: Measures) -> tuple[Any, ...]:
    narrowed = replace(choice, after="", model=one.model, quieter="")
    return (
        piece.link(piece.name(subject(one, measures), 60), address("alerts", one.id)),
        piece.link(piece.name(one.model, 24), narrowed.address),
        piece.link(piece.name(one.monitor, 24), replace(narrowed, monitor=one.monitor).address),
        piece.badge(one.level),
        word.number(one.value),
        word.standing(one.state),
        word.minute(one.fired_at),
        word.minute(one.ended_at),
    )
