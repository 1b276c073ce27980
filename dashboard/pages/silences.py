"""The page of silences: what is hidden, by whom, why, until when, and what was not told because of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from dash import html

from core.reading import Verdict
from dashboard import components as piece
from dashboard import texts as word
from dashboard.act import button
from dashboard.listed import Listed
from dashboard.pages.policy import matched
from dashboard.panel import Page, ask
from dashboard.ports import Reader, Silenced
from dashboard.state import address

ROWS = 50  # a page
_HELD = 5  # episodes that a row names
_STATES = {"": "Not over", "over": "Over", "all": "All"}
_HOW = "An episode has a button that silences its monitor. By command line, which with --dry-run says what it would hold:"
_END = "It ends now. Episodes that it holds may be told."


@dataclass(frozen=True)
class Choice(Listed):
    """The filters of the list; `after` is the number of the page's first row."""

    PATH = "silences"

    state: str = ""


async def draw(reader: Reader, search: str) -> Page:
    """One page of silences, the last to end first, each with what it matches now and what it has held back."""
    choice = Choice.of(search)
    state = choice.state if choice.state in _STATES else ""
    now = time.time_ns() // 1_000
    chosen = replace(choice, after="")
    heading = html.Div(
        [html.H1("Silences"), html.P("What is not told, by whom and why, and until when.", className="faint")], className="title"
    )
    wrong = [f"state: {word.cut(choice.state)!r} is none of over, all"] if state != choice.state else []
    tabs = piece.choice("State", [(words, replace(chosen, state=key).address, key == state) for key, words in _STATES.items()])
    head = [heading, piece.notice(wrong), html.Div([tabs], className="controls")]
    found = [one for one in await ask(reader.silenced) if state == "all" or (one.silence.ends_at <= now) == (state == "over")]
    if not found:
        how = html.Pre("watchkeeper silence add --match model=NAME --for 2h --comment deploy")
        return Page("Silences", [*head, piece.empty("No silence", _HOW, how)])
    first = min(int(choice.after), len(found) - 1) if choice.after.isascii() and choice.after.isdigit() and len(choice.after) < 9 else 0
    columns = ("What", "State", "Until (UTC)", "End", "Matches now", "Has held back", "By", "Why", "From (UTC)")
    rows = [_row(one, now) for one in found[first : first + ROWS]]
    ways = [
        piece.link("Newest", chosen.address) if first else None,
        piece.link("Older", replace(choice, after=str(first + ROWS)).address) if first + ROWS < len(found) else None,
    ]
    note = "Where there is a policy, an episode that a silence matches is not told. It is evaluated and shown as always."
    table = piece.table(columns, rows, caption="Silences", numbers=(4,))
    return Page(
        "Silences",
        [
            *head,
            piece.card(
                f"{len(found)} silence{'' if len(found) == 1 else 's'}",
                table,
                note=note,
                foot=[way for way in ways if way is not None] or None,
            ),
        ],
    )


def _row(one: Silenced, now: int) -> tuple[Any, ...]:
    made = one.silence
    over, begun = made.ends_at <= now, made.starts_at <= now
    verdict, state = (Verdict.NODATA, "over") if over else (Verdict.WARN, "active") if begun else (Verdict.OK, "has not begun")
    end = button("End now", f"/v1/silences/{quote(made.id, safe='')}", {}, _END, method="DELETE", says=f"End {made.id} now")
    links = [
        part
        for place, name in enumerate(one.held[-1 : -_HELD - 1 : -1])
        for part in ([", "] * bool(place) + [piece.link(f"{place + 1}", address("alerts", name), says=f"episode {name}")])
    ]
    held = [f"{word.count(len(one.held))} episode{'' if len(one.held) == 1 else 's'}", *([": ", *links] if links else [])]
    return (
        piece.name(matched(made.match), 60),
        piece.mark(verdict.value, state),
        word.minute(made.ends_at),
        word.NONE if over else end,
        word.NONE if over else word.count(one.matches),
        html.Span(held),
        piece.name(made.created_by, 30),
        piece.name(made.comment, 80) if made.comment else word.NONE,
        word.minute(made.starts_at),
    )
