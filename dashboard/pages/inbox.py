"""The inbox: is anything wrong, is it new, and where to begin?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment
from core.episode import Episode, Level
from core.measure import Measures
from core.monitor import Monitor
from core.reading import Query
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.pages.first_run import first_run
from dashboard.pages.history import Choice
from dashboard.panel import Page, ask, panel
from dashboard.ports import ModelRow, Reader
from dashboard.shell import problems
from dashboard.state import PageState, address
from dashboard.subject import life, standing, subject

SHOWN = 500  # open episodes read at most
GROUPS = 20  # groups drawn at most
LISTED = 50  # episodes below the worst of a group
BEFORE = 30  # windows in a spark line before the episode's, and after it


async def draw(reader: Reader, _search: str = "") -> Page:
    """Open episodes that nobody has acknowledged, by impact, one row a monitor with the worst of its episodes; then the episodes that ended lately."""
    opened, closed, models, status, monitors = await gather(
        ask(reader.episodes, "open", None, SHOWN),
        ask(reader.episodes, "closed", None, 10),
        ask(reader.models),
        ask(reader.status),
        ask(reader.monitors, None),
    )
    taken = sum(_taken(one) for one in opened)
    fresh = [one for one in opened if not _taken(one)]
    groups = _groups(fresh)
    total = sum(row.open_episodes for row in models)
    among = f", of the newest {SHOWN}" if total > len(opened) else ""
    noted = f", {taken} acknowledged" if taken else ""
    facts = [
        (
            "Open episodes",
            word.count(max(total, len(opened))),
            f"of {len(_groups(opened))} monitor{'' if len(_groups(opened)) == 1 else 's'}{noted}{among}",
        ),
        ("Critical", str(sum(episode.level is Level.CRITICAL for episode in opened)), f"reached the critical threshold{among}"),
        ("Paging", str(sum(episode.severity == "page" for episode in opened)), f"notifies: page{among}"),
        ("Models", str(len(models)), f"{word.short(sum(row.predictions for row in models))} predictions"),
    ]
    heading = html.Div(
        [html.H1("Inbox"), html.P("What needs somebody now, the largest impact first.", className="faint")], className="title"
    )
    hidden = len(groups) - GROUPS
    more = [f"{hidden} more monitors have open episodes. "] if hidden > 0 else []
    ways: list[Any] = [piece.link("All open episodes", Choice(state="open").address), " · ", piece.link("All episodes", Choice().address)]
    wrong = problems(status)
    listed = [piece.card("Problems of the service", html.Ul([html.Li(one) for one in wrong], className="problems"))] if wrong else []
    empty = _all_taken(taken) if opened else _quiet(models, status, monitors)
    if not models:
        return Page("Inbox", [heading, *listed, *first_run(await ask(reader.waiting))])
    body = [heading, *listed, piece.figures(*facts), await _listed(reader, groups, monitors) if groups else empty]
    if opened or closed:
        body.append(html.P([*more, *ways], className="faint"))
    if closed:
        body.append(piece.card("Recently ended", _closed(closed, reader.measures)))
    return Page("Inbox", body)


async def acknowledged(reader: Reader, _search: str = "") -> Page:
    """Open episodes that somebody has acknowledged, by impact."""
    opened, monitors = await gather(ask(reader.episodes, "open", None, SHOWN), ask(reader.monitors, None))
    groups = _groups([one for one in opened if _taken(one)])
    heading = html.Div(
        [html.H1("Acknowledged"), html.P("Open episodes of which somebody takes care.", className="faint")], className="title"
    )
    if not groups:
        return Page(
            "Acknowledged",
            [heading, piece.empty("No acknowledged episode", "Acknowledge one on its page, and it moves here from the inbox.")],
        )
    hidden = len(groups) - GROUPS
    more = [html.P(f"{hidden} more monitors have acknowledged episodes.", className="faint")] if hidden > 0 else []
    return Page("Acknowledged", [heading, await _listed(reader, groups, monitors), *more])


def _taken(one: Episode) -> bool:
    """Whether somebody has acknowledged it."""
    return one.handling.acknowledged_by is not None


async def _listed(reader: Reader, groups: Sequence[Sequence[Episode]], monitors: Sequence[Monitor]) -> Component:
    """The first `GROUPS` groups."""
    drawn = await gather(*(panel(_group(reader, group, standing(group[0], monitors)), "an episode") for group in groups[:GROUPS]))
    return html.Div(drawn, className="episodes")


def _all_taken(taken: int) -> Component:
    """The text if all open episodes are acknowledged."""
    said = "The open episode is acknowledged." if taken == 1 else f"All {taken} open episodes are acknowledged."
    return piece.empty("Nothing new", said, piece.link("Show acknowledged episodes", address("acknowledged")))


def _groups(episodes: Sequence[Episode]) -> list[list[Episode]]:
    """Episodes by model and monitor; the worst first, within a group and among them."""
    ranked = sorted(episodes, key=lambda one: (one.model, one.monitor, _rank(one)))
    return sorted(
        (list(group) for _, group in groupby(ranked, key=lambda one: (one.model, one.monitor))), key=lambda group: _rank(group[0])
    )


def _rank(one: Episode) -> tuple[Any, ...]:
    """The sort key of an episode: severity, level, `all` before segments, many rows before few, new before old."""
    return (-one.severity.rank, one.level is not Level.CRITICAL, one.segment != ALL, -one.reading.n_target, -one.fired_at)


async def _group(reader: Reader, group: Sequence[Episode], monitor: str) -> Component:
    """The worst episode of a monitor with its spark line, and the others below it. `monitor` is the state of the monitor as a text, "" for none."""
    worst, measures = group[0], reader.measures
    about = measures[worst.measure]
    length = worst.window_end - worst.window_start
    query = Query(
        model=worst.model,
        monitor=worst.monitor,
        measure=worst.measure,
        column=worst.column,
        segment=worst.segment,
        start=worst.window_end - BEFORE * length,
        end=worst.window_end + BEFORE * length,
        limit=BEFORE * 2,
    )
    table, share = await gather(ask(reader.readings, query), _share(reader, worst))
    order = table.sort_by("window_start")
    side = [
        piece.line(order["value"].to_pylist(), f"{about.title} over the windows around it", zero=about.from_zero),
        html.Strong(word.number(worst.value)),
        html.Span(moment.period(worst.window_start, worst.window_end), className="faint"),
    ]
    others = group[1:]
    rest = (
        html.Details(
            [
                html.Summary(f"{len(others)} more of this monitor"),
                html.Ul([html.Li(_brief(one, measures)) for one in others[:LISTED]]),
                piece.link("All of this monitor", Choice("open", worst.model, worst.monitor).address) if len(others) > LISTED else None,
            ]
        )
        if others
        else None
    )
    return html.Article(
        [html.Div(_summary(worst, measures, share, monitor)), html.Div(side, className="side"), rest], className=f"episode {worst.level}"
    )


def _summary(one: Episode, measures: Measures, share: float | None, monitor: str) -> list[Component]:
    """What happened, since when, why, and how much of the traffic is affected."""
    state = PageState(segment=one.segment, measure=one.measure, monitor=one.monitor, window=one.window_start)
    reach = "all traffic" if one.segment == ALL else f"{word.share(share)} of traffic" if share is not None else "traffic unknown"
    return [
        html.Div(
            [
                piece.badge(one.level),
                html.Span(f"notifies: {one.severity}", className="tag"),
                *([html.Span(monitor, className="tag")] if monitor else []),
                *(html.Span(said, className="tag") for said in word.handling(one.handling)),
                *([html.Span(f"not told: {one.decision.suppressed}", className="tag")] if one.decision.suppressed else []),
                html.Span(life(one), className="faint"),
            ],
            className="line",
        ),
        html.H2(piece.link(piece.name(subject(one, measures), 100), address("alerts", one.id))),
        html.P(one.reason, className="why"),
        html.P(
            [piece.link(piece.name(one.model), address("models", one.model, state=state)), " · ", piece.name(one.monitor), f" · {reach}"],
            className="faint",
        ),
    ]


async def _share(reader: Reader, one: Episode) -> float | None:
    """The share of the episode's segment in the model's traffic of the window; None if no event came."""
    if one.segment == ALL:
        return 1.0
    length = one.window_end - one.window_start
    mine, whole = await gather(
        *(ask(reader.traffic, one.model, segment, one.window_start, one.window_end, length) for segment in (one.segment, ALL))
    )
    total = sum(whole["n"].to_pylist())
    return sum(mine["n"].to_pylist()) / total if total else None


def _brief(one: Episode, measures: Measures) -> list[Any]:
    return [
        piece.badge(one.level),
        " ",
        piece.link(piece.name(subject(one, measures), 60), address("alerts", one.id)),
        html.Span(f" {word.number(one.value)}, {moment.period(one.window_start, one.window_end)}", className="faint"),
    ]


def _quiet(models: Sequence[ModelRow], status: dict[str, Any], monitors: Sequence[Monitor]) -> Component:
    """The text if no episode is open: whether that is good depends on whether any monitor could fire, and on how old the events are."""
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
