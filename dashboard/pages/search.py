"""The page of search: models, columns, segments, monitors and episodes by a part of their names."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from urllib.parse import parse_qsl

from dash import html
from dash.development.base_component import Component

from core import text
from core.contract import Contract
from core.episode import Episode
from core.measure import Measures
from core.monitor import Monitor
from dashboard import components as piece
from dashboard import texts as word
from dashboard.pages.history import Choice as Episodes
from dashboard.panel import Page, ask
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.subject import subject

SHOWN = 12  # of each kind
EPISODES = 500  # the newest, which are searched
_LONGEST = 200  # characters of what is searched for

Found = tuple[str, str, Callable[[], str]]
"""Something by its name, what else tells it apart, and what makes its address: of 100,000 names few are shown."""


async def draw(reader: Reader, search: str) -> Page:
    """The field, and by kind what holds every word of it: those whose name begins with it first. Each kind is one query."""
    asked = dict(parse_qsl(search.removeprefix("?"))).get("q", "").strip()[:_LONGEST]
    heading = html.Div([html.H1("Search"), html.P("The key / leads here from every page.", className="faint")], className="title")
    field = html.Div(piece.search("q", "Search", asked, hint="Parts of names, then Enter", width=360), className="controls find")
    body = [heading, field]
    if not asked:
        why = "Models, columns, segments, monitors and the newest episodes are searched, by parts of their names."
        return Page("Search", [*body, piece.empty("Write what you look for", why)])
    contracts, monitors, episodes = await gather(
        ask(reader.contracts), ask(reader.monitors, None), ask(reader.episodes, None, None, EPISODES)
    )
    kinds: dict[str, Iterable[Found]] = {
        "Models": ((one.model, "", partial(address, "models", one.model)) for one in contracts),
        "Columns": _columns(contracts),
        "Segments": _segments(contracts),
        "Monitors": map(_monitor, monitors),
        "Episodes": (_episode(one, reader.measures) for one in episodes),
    }
    cards = [_card(kind, found, asked) for kind, those in kinds.items() if (found := await ask(_fit, those, asked))]
    return Page(f"Search: {word.cut(asked)}", [*body, *(cards or [piece.empty("Nothing found", "Nothing holds all of these words.")])])


def _columns(contracts: Sequence[Contract]) -> Iterator[Found]:
    for one in contracts:
        yield from ((column.name, one.model, partial(address, "models", one.model, "columns", column.name)) for column in one.summarised)


def _segments(contracts: Sequence[Contract]) -> Iterator[Found]:
    for one in contracts:
        for dimension in one.dimensions:
            for value in dimension.kept:
                segment = f"{dimension.name}={value}"
                yield text.unquote(segment), one.model, partial(_within, one.model, segment)


def _within(model: str, segment: str) -> str:
    return address("models", model, state=PageState(segment=segment))


def _monitor(one: Monitor) -> Found:
    return one.name, f"{one.model}, {one.measure}", lambda: Episodes(model=one.model, monitor=one.name).address


def _episode(one: Episode, measures: Measures) -> Found:
    told = (one.model, one.monitor, "open" if one.ended_at is None else "ended", f"fired {word.instant(one.fired_at)}", one.id)
    return subject(one, measures), ", ".join(told), partial(address, "alerts", one.id)


def _fit(those: Iterable[Found], asked: str) -> list[Found]:
    """Those that hold every word, in names first; of these the ones that begin with what was asked for."""
    whole, words = asked.casefold(), asked.casefold().split()
    held = [(one, one[0].casefold()) for one in those]
    fit = [(one, name) for one, name in held if all(part in f"{name} {one[1].casefold()}" for part in words)]
    return [one for one, name in sorted(fit, key=lambda pair: (not pair[1].startswith(whole), not all(part in pair[1] for part in words)))]


def _card(kind: str, found: Sequence[Found], asked: str) -> Component:
    rows = [
        (piece.link(piece.name(name, 60), href()), html.Div(piece.name(more, 90), className="words") if more else "")
        for name, more, href in found[:SHOWN]
    ]
    note = f"{SHOWN} of {word.count(len(found))}; write more of the name to see others." if len(found) > SHOWN else None
    return piece.card(kind, piece.table(("Name", "Of"), rows, caption=f"{kind} that hold {word.cut(asked)}"), note=note)
