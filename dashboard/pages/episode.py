"""The page of an episode: what happened, how bad was it, where, and what next?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

import msgspec
from dash import html
from dash.development.base_component import Component

from core import moment, number, text
from core.baseline.words import words
from core.episode import Delivery, DeliveryState, Episode, State, Transition
from core.monitor import Compare, Gate, Monitor, Unjudged
from core.segment import ALL
from dashboard import components as piece
from dashboard import late
from dashboard import texts as word
from dashboard.act import buttons
from dashboard.pages.beside import columns, where
from dashboard.pages.course import course
from dashboard.panel import Page, ask, panel
from dashboard.ports import Reader
from dashboard.state import PageState as Choice
from dashboard.state import address
from dashboard.subject import life, of_groups, page_of, standing, what


async def draw(reader: Reader, search: str, id_: str) -> Page:
    """Why it fired, the measure over time, where it was worst in the same window, and its timeline."""
    one, choice = await ask(reader.episode, id_), Choice.of(search)
    if one is None:
        trail = piece.crumbs(("Inbox", address()), (id_, None))
        return Page("Episode", [trail, piece.empty("There is no such episode", "It may have been of another installation.")])
    subject = what(one, reader.measures)

    def here(changed: Choice) -> str:
        return address("alerts", id_, state=changed)

    drawn = await gather(
        panel(course(reader, one, choice, here), "facts and measure over time"),
        panel(where(reader, one, choice, here), "segments in the same window"),
        panel(columns(reader, one), "columns in the same window"),
        panel(_life(reader, one), "timeline"),
        panel(_similar(reader, one), "similar episodes"),
    )
    monitors = await ask(reader.monitors, one.model)
    facts, *course_ = piece.several(drawn[0])
    body = [
        piece.crumbs(("Inbox", address()), (one.model, address("models", one.model, state=_state(one))), (subject, None)),
        _title(one, subject, standing(one, monitors)),
        facts,
        html.Div(
            [html.Div(course_, className="stack"), late.place("causes", "Looking for causes …", one.id, choice.query)], className="halves"
        ),
        _telling(one),
        *drawn[1:4],
        piece.card("Monitor when it fired", _monitor(one), note=f"Revision {one.definition.revision} of {one.monitor}."),
        drawn[4],
    ]
    return Page(subject, [part for part in body if part is not None])


def _title(one: Episode, subject: str, monitor: str) -> Component:
    """The title, why it fired, who is responsible, and links."""
    segment = "all traffic" if one.segment == ALL else text.unquote(one.segment)
    tags = [
        piece.badge(one.level),
        html.Span(f"notifies: {one.severity}", className="tag"),
        html.Span(word.standing(one.state), className="tag"),
        *([html.Span(monitor, className="tag")] if monitor else []),
        *(html.Span(said, className="tag") for said in word.handling(one.handling)),
    ]
    state = _state(one)
    ways: list[Any] = [piece.link("See the model in this window", address("models", one.model, state=state))]
    if one.column:
        name = piece.name(one.column)
        said = ["See the groups of ", name] if of_groups(one) else ["See ", name, " against its baseline"]
        ways += [" · ", piece.link(said, page_of(one, one.column, state))]
    return html.Div(
        [
            html.Div([*tags, html.Span(life(one), className="faint")], className="line"),
            html.H1(piece.name(f"{subject} in {segment}", 120)),
            html.P(one.reason, className="why large"),
            _described(one),
            html.P(ways, className="next"),
            buttons(one),
        ],
        className="title",
    )


def _state(one: Episode) -> Choice:
    """The state of the pages to which its links lead: its window, and the way back."""
    return Choice(segment=one.segment, measure=one.measure, monitor=one.monitor, window=one.window_start, episode=one.id)


def _telling(one: Episode) -> Component | None:
    """Why it was not told, or in which group it was; None without a policy."""
    decided = one.decision
    if not (decided.suppressed or decided.group):
        return None
    facts: list[tuple[str, Any]] = [("Not told", decided.suppressed), ("Held by the stage", decided.stage), ("Group", decided.group)]
    if decided.silenced_by:
        facts.append(("Silence", decided.silenced_by))
    if decided.inhibited_by:
        facts.append(("Inhibited by", piece.link(decided.inhibited_by, address("alerts", decided.inhibited_by))))
    items = [html.Div([html.Dt(name), html.Dd(said)]) for name, said in facts if said]
    return piece.card("What was told", html.Dl(items, className="rule"), note=piece.link("The policy", address("policy")))


def _described(one: Episode) -> Component | None:
    """Owner, runbook, description, and the retraining that it asked for; None if there are none."""
    facts: list[tuple[str, Any]] = [("Owner", one.owner), ("Description", one.description)]
    if one.retrains:
        facts.append(("Retraining", piece.link(", ".join(one.retrains), address("models", one.model, "retraining"))))
    if one.runbook:
        facts.insert(1, ("Runbook", html.A(piece.name(one.runbook, 80), href=one.runbook, target="_blank", rel="noopener noreferrer")))
    items = [html.Div([html.Dt(name), html.Dd(said)]) for name, said in facts if said]
    return html.Dl(items, className="rule") if items else None


async def _life(reader: Reader, one: Episode) -> Any:
    steps: Sequence[Transition] = await ask(reader.transitions, one.id)
    items = [
        html.Li([html.Time(word.instant(step.at), className="faint"), html.Strong(_step(step)), html.Span(step.reason)]) for step in steps
    ]
    acts = [
        html.Li(
            [
                html.Time(word.instant(act.at), className="faint"),
                html.Strong(f"{word.act(act)} by {act.actor}"),
                html.Span(piece.name(act.comment, 400)),
            ]
        )
        for act in one.handling.acts
    ]
    sent = [
        html.Li([html.Time(word.instant(row.created), className="faint"), html.Strong(_delivery(row)), html.Span(_why(row))])
        for row in one.deliveries
    ]
    changed = [
        html.Li([html.Time(word.instant(each.at), className="faint"), html.Strong("changed"), html.Span(piece.name(each.text, 200))])
        for each in one.changes
    ]
    return piece.card(
        "Timeline",
        html.Ol([*changed, *items, *acts, *sent], className="life"),
        note="What changed of the model near the onset; changes of state in event time; what people did and notifications by the clock.",
    )


def _step(step: Transition) -> str:
    """A change of state in words. An episode begins when it fires, whatever the state of its rule was before.

    A rule that fires again while it recovers continues the same episode; a rule that fires already has reached another level.
    """
    match step.before, step.after:
        case State.FIRING, State.FIRING:
            return f"{step.level} reached"
        case State.RECOVERING | State.NODATA | State.ERROR, State.FIRING:
            return "firing again"
        case _, State.FIRING:
            return "fired"
        case _:
            return word.standing(step.after)


def _delivery(row: Delivery) -> str:
    if row.state is DeliveryState.NOT_SENT:
        return f"Not sent to {row.destination}: {row.reason}"
    tried = f", {row.attempts} attempt{'' if row.attempts == 1 else 's'}" if row.attempts else ""
    status = f", last answer {row.last_status}" if row.last_status else ""
    kind = row.type.removeprefix("episode.")
    # An episode that got worse has two notifications of its firing.
    level = msgspec.json.decode(row.body).get("data", {}).get("level", "") if kind == "fired" else ""
    return kind + (f" ({level})" if level else "") + f" to {row.destination}: {str(row.state).replace('_', ' ')}{tried}{status}"


def _why(row: Delivery) -> str:
    return "" if row.state is DeliveryState.NOT_SENT else row.reason


async def _similar(reader: Reader, one: Episode) -> Any:
    past, _ = await ask(reader.history, None, one.model, one.monitor, 500, None)
    close = [other for other in past if other.id != one.id and (other.column, other.segment) == (one.column, one.segment)][:8]
    if not close:
        return None
    rows = [
        (
            piece.link(moment.period(other.window_start, other.window_end), address("alerts", other.id)),
            piece.badge(other.level),
            word.number(other.value),
            word.standing(other.state),
        )
        for other in close
    ]
    table = piece.table(("Window", "Level", "Value", "State"), rows, caption="Similar episodes", numbers=(2,))
    return piece.card("Similar episodes", table, note="Of the same monitor, column and segment, newest first.")


def _monitor(one: Episode) -> Any:
    monitor = one.definition
    facts = {
        "Measure": monitor.measure,
        "Baseline": words(monitor.baseline, monitor.window) if monitor.baseline else "none",
        **({"Left out of it": ", ".join(moment.period(*span) for span in monitor.exclude)} if monitor.exclude else {}),
        "Window": monitor.window.text,
        **({"Budget": f"{monitor.allowed.text} alarm windows"} if monitor.allowed else _thresholds(monitor)),
        "Fires at": f"{monitor.persist[0]} of {monitor.persist[1]} windows",
        **_ending(monitor),
        "Minimum samples": word.count(monitor.min_samples),
        "Segments": ", ".join(monitor.segments),
    }
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()], className="rule")


def _ending(monitor: Monitor) -> dict[str, str]:
    """What else says when an episode begins and ends, as far as the monitor says it."""
    found = {
        "Clear below": "" if monitor.clear is None else _threshold(monitor.clear),
        "Kept firing for": f"{monitor.keep_firing} more windows" if monitor.keep_firing else "",
        "Goes on within": moment.long(monitor.reopen_within) if monitor.reopen_within else "",
        "Without data": "alerts" if monitor.on_nodata is Unjudged.ALERT else "",
        "Without a value": "alerts" if monitor.on_error is Unjudged.ALERT else "",
    }
    return {name: said for name, said in found.items() if said}


def _thresholds(monitor: Monitor) -> dict[str, str]:
    """The thresholds, and what they are compared with, if that is not the value as its measure is judged."""
    compared = {
        Compare.VALUE: {},
        Compare.EXCESS: {"Compared": "excess over chance"},
        Compare.RISE: {"Compared": "rise above the baseline"},
    }
    gate = {"Gate": "p must be evidence, too"} if monitor.gate is Gate.EVIDENCE else {}
    return {"Warn": _threshold(monitor.warn), "Critical": _threshold(monitor.critical), **compared[monitor.compare], **gate}


def _threshold(threshold: float | dict[str, float] | None) -> str:
    return "no threshold" if threshold is None else number.reached(threshold)
