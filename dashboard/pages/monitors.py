"""The page of all monitors: what is watched, in which state is it, when was it evaluated, and who is responsible?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment
from core.episode import Episode, Level
from core.measure import Measures
from core.monitor import Monitor
from core.reading import Verdict
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import models as models_of
from dashboard.away import notice, or_else
from dashboard.listed import Listed
from dashboard.pages.history import Choice as Episodes
from dashboard.panel import Page, ask
from dashboard.ports import ModelRow, Reader
from dashboard.state import PageState, address

ROWS = 100  # a page
Standings = Mapping[tuple[str, str], tuple[int, int, int]]
_STATES = {"": "All", "firing": "Firing", "watching": "Watching", "paused": "Paused", "silent": "No threshold set"}


@dataclass(frozen=True)
class Choice(Listed):
    """The filters of the list; `first` is the number of the first row."""

    PATH = "monitors"

    state: str = ""
    model: str = ""
    first: str = ""


async def draw(reader: Reader, search: str = "") -> Page:
    """A row a monitor, those that fire first."""
    choice = Choice.of(search)
    monitors, opened = await gather(ask(reader.monitors, None), ask(reader.open_ones))
    firing = _firing(opened)
    standings = await _standings(reader, monitors)
    heading = html.Div([html.H1("Monitors"), html.P("What is watched, and whether it fires.", className="faint")], className="title")
    if not monitors:
        apply = html.Pre("watchkeeper apply monitors.yaml")
        return Page(
            "Monitors", [heading, piece.empty("No monitor", "A model with a reference is watched as soon as one is applied:", apply)]
        )
    chosen = replace(choice, first="")
    tabs = piece.choice("State", [(words, replace(chosen, state=key).address, key == choice.state) for key, words in _STATES.items()])
    chip = piece.chips(*([("Model", choice.model, replace(chosen, model="").address)] if choice.model else []))
    wrong = [] if choice.state in _STATES else [f"state: {word.cut(choice.state)!r} is none of {', '.join(filter(None, _STATES))}"]
    head = [heading, *notice(known=standings is not None), piece.notice(wrong), html.Div([tabs], className="controls"), chip]
    wanted = choice.state if choice.state in _STATES else ""
    found = [one for one in monitors if choice.model in ("", one.model) and wanted in ("", _state(one, firing))]
    if not found:
        return Page("Monitors", [*head, piece.empty("No such monitor", piece.link("Show all monitors", Choice().address))])
    found.sort(key=lambda one: (-len(firing.get((one.model, one.name), ())), one.model, one.name))
    first = int(choice.first) if choice.first.isascii() and choice.first.isdigit() and len(choice.first) < 8 else 0
    first = min(first, len(found) - 1) // ROWS * ROWS
    rows = [
        _row(one, reader.measures, firing.get((one.model, one.name), ()), (standings or {}).get((one.model, one.name)), choice)
        for one in found[first : first + ROWS]
    ]
    titles = ("Monitor", "Model", "State", "Notifies", "Evaluated (UTC)", "Budget used", "Owner")
    ways = [
        piece.link(text, replace(choice, first=str(to)).address)
        for text, to in (("Previous monitors", first - ROWS), ("Next monitors", first + ROWS))
        if 0 <= to < len(found)
    ]
    title = f"{word.count(len(found))} monitor{'' if len(found) == 1 else 's'}"
    return Page("Monitors", [*head, piece.card(title, piece.table(titles, rows, caption="Monitors"), foot=ways or None)])


async def _standings(reader: Reader, monitors: Collection[Monitor]) -> Standings | None:
    """When each monitor was evaluated last, and what it has used of its budget; None while that cannot be read."""
    budgeted = any(one.allowed is not None for one in monitors)
    models = await models_of(reader) if budgeted else []
    if not all(row.known for row in models):
        return None
    return await or_else(None, ask(reader.standings, _since(monitors, models)))


def _firing(opened: Collection[Episode]) -> dict[tuple[str, str], list[Level]]:
    """By model and monitor, the levels of its open episodes."""
    found: dict[tuple[str, str], list[Level]] = {}
    for one in opened:
        found.setdefault((one.model, one.monitor), []).append(one.level)
    return found


def _since(monitors: Collection[Monitor], models: Collection[ModelRow]) -> dict[tuple[str, str], int]:
    """By model and monitor, from when the windows are counted that use its budget: one period of it before the model's last event. Monitors without a budget are left out."""
    last = {row.model: row.last_ts for row in models}
    return {
        (one.model, one.name): end - one.allowed.period
        for one in monitors
        if one.allowed is not None and (end := last.get(one.model)) is not None
    }


def _state(one: Monitor, firing: Collection[tuple[str, str]]) -> str:
    if not one.enabled:
        return "paused"
    return "firing" if (one.model, one.name) in firing else "watching" if one.alarms else "silent"


def _row(
    one: Monitor, measures: Measures, levels: Collection[Level], standing: tuple[int, int, int] | None, choice: Choice
) -> tuple[Any, ...]:
    about = measures[one.measure]
    state = PageState(measure=one.measure, monitor=one.name)
    what = f"{about.title} · {one.window.text}" + ("" if len(one.segments) < 2 else f" · by {', '.join(one.segments[1:4])}")
    return (
        html.Div([piece.link(piece.name(one.name), address("models", one.model, *_place(about.family), state=state)), _below(what)]),
        piece.link(piece.name(one.model, 24), replace(choice, model=one.model, first="").address),
        _standing(one, levels),
        str(one.severity) if one.alarms else word.NONE,
        _evaluated(one, standing),
        _used(one, standing),
        piece.name(one.owner or word.NONE, 24),
    )


def _below(said: str) -> Component:
    return html.Span(piece.name(said, 60), className="faint under")


def _evaluated(one: Monitor, standing: tuple[int, int, int] | None) -> Any:
    """When it was evaluated last, and its newest window."""
    if standing is None:
        return word.NONE
    return html.Div([word.minute(standing[1]), _below(f"newest {moment.period(standing[0] - one.window.longest, standing[0])}")])


def _used(one: Monitor, standing: tuple[int, int, int] | None) -> str:
    """How many windows of its budget's period reached a threshold, of how many that it may raise by chance."""
    if one.allowed is None:
        return word.NONE
    return f"{word.NONE if standing is None else standing[2]} of {one.allowed.text}"


def _place(family: str) -> list[str]:
    """The page of a model that shows the measures of a family."""
    return [family] if family in {"performance", "drift", "quality", "fairness"} else []


def _standing(one: Monitor, levels: Collection[Level]) -> Any:
    if not one.enabled:
        return piece.mark(Verdict.NODATA, "Paused")
    if levels:
        worst = Level.CRITICAL if Level.CRITICAL in levels else Level.WARN
        episodes = f"{len(levels)} open episode{'' if len(levels) == 1 else 's'}"
        return html.Span([piece.badge(worst), " ", piece.link(episodes, Episodes("open", one.model, one.name).address)])
    return piece.mark(Verdict.OK, "Watching") if one.alarms else piece.badge(Verdict.OK, limited=False)
