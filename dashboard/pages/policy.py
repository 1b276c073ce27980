"""The page of the policy: what is told to whom, what is held back now, and where would this go?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment
from core.episode import Episode
from core.policy import Match, Policy, Route
from dashboard import components as piece
from dashboard import texts as word
from dashboard.panel import Page, ask
from dashboard.ports import Goes, Reader
from dashboard.state import address
from dashboard.subject import subject

LISTED = 100  # rows of a table

_WITHOUT = "Every destination gets each episode that it takes. A policy groups, holds back, routes and escalates. Apply one:"
_ANY = "everything"


async def draw(reader: Reader, _search: str = "") -> Page:
    """The stages with their settings, the tree of routes, where each monitor's episodes go, and the open episodes that are not told."""
    policy, silences, goes, opened = await gather(ask(reader.policy), ask(reader.silences), ask(reader.goes), ask(reader.open_ones))
    heading = html.Div(
        [html.H1("Policy"), html.P("What is told, to whom, and what is held back.", className="faint")],
        className="title",
    )
    stages = piece.card(
        "Stages",
        piece.empty("There is no policy", _WITHOUT, html.Pre("watchkeeper apply policy.yaml"))
        if policy is None
        else _stages(policy, len(silences)),
    )
    body = [heading, stages, *([_routes(policy)] if policy is not None else []), _where(goes), _held(opened, reader)]
    return Page("Policy", body)


def _stages(policy: Policy, silences: int) -> Component:
    """The stages in the order in which they run."""
    inhibited = [
        f"{matched(one.target)} while {matched(one.source)} is open" + (f", with the same {', '.join(one.equal)}" if one.equal else "")
        for one in policy.inhibit
    ]
    muted = [f"{matched(one.match)}, {_hours(one.days, one.start, one.end)} ({one.timezone})" for one in policy.mute]
    wait, interval, repeat = (moment.long(one) for one in (policy.group_wait, policy.group_interval, policy.repeat_interval))
    rows = [
        ("Inhibit", "; ".join(inhibited) or "nothing"),
        (
            "Silence",
            piece.link(f"what {silences} silence{' matches' if silences == 1 else 's match'}, and what is snoozed", address("silences")),
        ),
        ("Mute", "; ".join(muted) or "nothing"),
        ("Group", f"by {', '.join(policy.group_by)}; the first notice after {wait}"),
        ("Deduplicate", f"news after {interval} at the earliest; what is open and not acknowledged again after {repeat}"),
        ("Cap", _cap(*policy.cap) if policy.cap else "none"),
        ("Route", "by the tree below"),
        ("Escalate", "where a route says so, until somebody acknowledges"),
    ]
    return piece.table(("Stage", "What it does"), rows, caption=f"Stages of the policy {policy.name}")


def _routes(policy: Policy) -> Component:
    rest = f"all else to {', '.join(policy.to)}" if policy.to else "all else to every destination that takes it"
    return piece.card(
        "Routes", html.Ul([*map(_route, policy.routes), html.Li(rest)]), note="The first that matches, the deepest of its branch."
    )


def _route(route: Route) -> Component:
    to = f" to {', '.join(route.to)}" if route.to else ""
    escalates = f"; after {moment.long(route.escalate_after)} also to {', '.join(route.escalate_to)}" if route.escalate_after else ""
    goes_on = "; then the routes behind it" if route.goes_on else ""
    below = [html.Ul([*map(_route, route.routes)])] if route.routes else []
    return html.Li([piece.name(f"{matched(route.match)}{to}{escalates}{goes_on}", 300), *below])


def _where(goes: Sequence[Goes]) -> Component:
    """Where the episodes of each monitor that can fire would go."""
    if not goes:
        return piece.card("Where would this go?", piece.empty("No monitor has a threshold", "So no episode can open."))
    rows = [
        (
            piece.link(piece.name(one.model, 24), address("models", one.model)),
            piece.name(one.monitor),
            one.severity,
            piece.name(", ".join(one.to) or one.nowhere, 100),
            piece.name(", ".join(one.escalates) or word.NONE, 60),
            piece.name(one.held or word.NONE, 100),
        )
        for one in goes[:LISTED]
    ]
    more = f" These are the first {LISTED} of {len(goes)}." if len(goes) > LISTED else ""
    head = ("Model", "Monitor", "Notifies", "Goes to", "Escalates to", "Held back now")
    note = f"An episode of each monitor that can fire, of no column and all traffic, at the level warn.{more}"
    return piece.card("Where would this go?", piece.table(head, rows, caption="Where episodes go"), note=note)


def _held(opened: Sequence[Episode], reader: Reader) -> Component:
    held = [one for one in opened if one.decision.suppressed]
    if not held:
        return piece.card("Not told", piece.empty("None", "Every open episode was told, or goes to each destination that takes it."))
    rows: list[tuple[Any, ...]] = [
        (
            piece.link(piece.name(subject(one, reader.measures), 60), address("alerts", one.id)),
            piece.name(one.model, 24),
            one.decision.stage,
            piece.name(one.decision.suppressed, 160),
        )
        for one in held[:LISTED]
    ]
    table = piece.table(("What", "Model", "Stage", "Why"), rows, caption="Open episodes that were not told")
    return piece.card(
        "Not told", table, note=f"Open episodes that were not told, and why{f': the first {LISTED}' if len(held) > LISTED else ''}."
    )


def matched(match: Match) -> str:
    """A match in words."""
    return ", ".join(f"{field} {' or '.join(values)}" for field, values in match.items()) or _ANY


def _hours(days: Sequence[int], start: int, end: int) -> str:
    names = "every day" if len(days) == 7 else ", ".join(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day] for day in days)
    return f"{names} {start // 60:02}:{start % 60:02} to {end // 60:02}:{end % 60:02}"


def _cap(most: int, period: int) -> str:
    return f"{most} notice{'' if most == 1 else 's'} of a model in {moment.long(period)}, the rest as a digest"
