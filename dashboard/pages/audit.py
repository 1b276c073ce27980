"""The page of the audit: who changed what, when, and from what to what. Only an admin reads it, as by `GET /v1/audit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from dash import html
from dash.development.base_component import Component

from core.error import ConfigError
from core.principal import Role
from dashboard import components as piece
from dashboard import texts as word
from dashboard.listed import Listed
from dashboard.panel import Page, ask
from dashboard.person import role
from dashboard.ports import Audited, Reader

ROWS = 50  # a page
_FIELDS, _CUT = 6, 60  # fields of a change that are shown, and characters of each value


@dataclass(frozen=True)
class Choice(Listed):
    """The page of the list."""

    PATH = "audit"


async def draw(reader: Reader, search: str) -> Page:
    """One page of changes, the newest first."""
    choice = Choice.of(search)
    heading = html.Div([html.H1("Audit"), html.P("Who changed what, the newest first.", className="faint")], className="title")
    if role.get() is not Role.ADMIN:
        why = f"Your role is {role.get()}. The audit holds what everybody has done, and needs the role admin."
        return Page("Audit", [heading, piece.empty("Not for your role", why)])
    try:
        entries, following = await ask(reader.audit, ROWS, choice.after or None)
    except ConfigError as error:
        return Page("Audit", [heading, piece.empty("No such page", str(error), piece.link("Newest", Choice().address))])
    if not entries:
        return Page("Audit", [heading, piece.empty("No change yet", "Definitions, references, acts and deletions are listed here.")])
    rows = [
        (
            word.second(one.at),
            piece.name(one.actor, 40),
            piece.name(one.action, 40),
            html.Div(piece.name(one.subject, 80), className="words"),
            _changed(one),
        )
        for one in entries
    ]
    ways = [
        piece.link("Newest", Choice().address) if choice.after else None,
        piece.link("Older", replace(choice, after=following).address) if following else None,
    ]
    table = piece.table(("When (UTC)", "Who", "What", "Of", "From and to"), rows, caption="Audit")
    return Page("Audit", [heading, piece.card("Changes", table, foot=[way for way in ways if way is not None] or None)])


def _changed(one: Audited) -> Component:
    """The fields that differ. Of something new its fields, of something that was removed that it was."""
    if one.after is None:
        return html.Div("removed" if one.before is not None else word.NONE, className="words")
    before: Mapping[str, Any] = one.before or {}
    names = [name for name in {**before, **one.after} if before.get(name) != one.after.get(name)]
    said = [
        f"{word.cut(name)}: " + (f"{_short(before[name])} to " if name in before else "") + _short(one.after.get(name))
        for name in names[:_FIELDS]
    ]
    more = [f"and {len(names) - _FIELDS} more"] if len(names) > _FIELDS else []
    return html.Div([html.Div(text) for text in [*said, *more]] or "nothing", className="words")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return word.cut(text, _CUT)
