"""The inbox: is anything wrong, is it new, and where to begin?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core.episode import Episode, Level
from core.measure import Measures
from core.monitor import Monitor
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import models as models_of
from dashboard.away import notice
from dashboard.gathered import Narrowed, Taken, groups, listed, shows, taken
from dashboard.pages.first_run import first_run
from dashboard.pages.history import Choice
from dashboard.panel import Page, ask
from dashboard.ports import ModelRow, Reader
from dashboard.shell import problems
from dashboard.state import address
from dashboard.subject import subject


async def draw(reader: Reader, search: str = "") -> Page:
    """Groups of open episodes that hold one that nobody has acknowledged, by impact, with the sentence of each; then the episodes that ended lately."""
    at = Narrowed.of(search)
    opened, closed, models, status, monitors = await gather(
        ask(reader.open_ones),
        ask(reader.episodes, "closed", None, 10),
        models_of(reader),
        ask(reader.status),
        ask(reader.monitors, None),
    )
    heading = html.Div(
        [
            html.H1("Inbox"),
            html.P("What needs somebody now, the largest impact first. Keys: j and k move, Enter opens.", className="faint"),
        ],
        className="title",
    )
    wrong = problems(status)
    listed_ = [piece.card("Problems of the service", html.Ul([html.Li(one) for one in wrong], className="problems"))] if wrong else []
    if not models:
        return Page("Inbox", [heading, *listed_, *first_run(await ask(reader.waiting))])
    listed_ = [*notice(known=all(row.known for row in models)), *listed_]
    known, kept = sum(map(taken, opened)), at.kept(opened)
    found = [group for group in groups(kept) if at.all or not all(map(taken, group))]
    body = [heading, *listed_, piece.figures(*_facts(opened, known, models))]
    body += at.controls(opened, [shows(at)]) if opened else []
    if found:
        body += await listed(reader, found, monitors, at)
    elif kept:
        body.append(_all_taken(known))
    else:
        body.append(piece.empty("No open episode fits this choice") if opened else _quiet(models, status, monitors))
    if opened or closed:
        ways: list[Any] = [
            piece.link("All open episodes", Choice(state="open").address),
            " · ",
            piece.link("All episodes", Choice().address),
        ]
        body.append(html.P(ways, className="faint"))
    if closed:
        body.append(piece.card("Recently ended", _closed(closed, reader.measures)))
    return Page("Inbox", body)


async def acknowledged(reader: Reader, search: str = "") -> Page:
    """Open episodes that somebody has acknowledged, by impact, page by page."""
    at = Taken.of(search)
    opened, monitors = await gather(ask(reader.open_ones), ask(reader.monitors, None))
    known = [one for one in opened if taken(one)]
    heading = html.Div(
        [
            html.H1("Acknowledged"),
            html.P("Open episodes of which somebody takes care. Keys: j and k move, Enter opens.", className="faint"),
        ],
        className="title",
    )
    if not known:
        return Page(
            "Acknowledged",
            [heading, piece.empty("No acknowledged episode", "Acknowledge one on its page, and it moves here from the inbox.")],
        )
    found = groups(at.kept(known))
    shown = await listed(reader, found, monitors, at) if found else [piece.empty("No acknowledged episode fits this choice")]
    return Page("Acknowledged", [heading, *at.controls(known), *shown])


def _facts(opened: Sequence[Episode], known: int, models: Sequence[ModelRow]) -> list[tuple[str, str, str]]:
    """How many are open, and how bad they are."""
    among = len(groups(opened))
    noted, counted = f", {known} acknowledged" if known else "", all(row.known for row in models)
    return [
        ("Open episodes", word.count(len(opened)), f"in {among} group{'' if among == 1 else 's'}{noted}"),
        ("Critical", str(sum(one.level is Level.CRITICAL for one in opened)), "reached the critical threshold"),
        ("Paging", str(sum(one.severity == "page" for one in opened)), "notifies: page"),
        (
            "Models",
            str(len(models)),
            f"{word.short(sum(row.predictions for row in models))} predictions" if counted else "events are not counted",
        ),
    ]


def _all_taken(taken: int) -> Component:
    """The text if all open episodes are acknowledged."""
    said = "The open episode is acknowledged." if taken == 1 else f"All {taken} open episodes are acknowledged."
    return piece.empty("Nothing new", said, piece.link("Show acknowledged episodes", address("acknowledged")))


def _quiet(models: Sequence[ModelRow], status: dict[str, Any], monitors: Sequence[Monitor]) -> Component:
    """The text if no episode is open: whether that is good depends on whether any monitor could fire, and on how old the events are."""
    if not all(row.known for row in models):
        return piece.empty("No episode is open", "Whether events come is not known now.")
    newest = max((row.last_ts for row in models if row.last_ts is not None), default=None)
    evaluated = (status.get("evaluate") or {}).get("last")
    if newest is None:
        return piece.empty("No event yet", "No episode is open, for nothing has been evaluated.")
    said = f"The newest event is of {word.instant(newest)}, {word.ago(newest)}."
    if isinstance(evaluated, str):
        said += f" Last evaluated {evaluated}."
    if not any(monitor.alarms for monitor in monitors):
        return piece.empty("No threshold set", f"No monitor has a threshold, so no episode can open. {said}")
    return piece.empty("All quiet", f"No episode is open. {said}")


def _closed(episodes: Sequence[Episode], measures: Measures) -> Component:
    rows = [
        (
            piece.link(piece.name(subject(one, measures), 60), address("alerts", one.id)),
            piece.link(piece.name(one.model, 24), address("models", one.model)),
            piece.badge(one.level),
            word.number(one.value),
            word.minute(one.fired_at),
            word.minute(one.ended_at),
        )
        for one in episodes
    ]
    return piece.table(
        ("What", "Model", "Level", "Value", "Fired (UTC)", "Ended (UTC)"), rows, caption="Recently ended episodes", numbers=(3,)
    )
