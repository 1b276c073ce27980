"""The page of deliveries: did what was told arrive, and if not, why?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from core.endpoint import Tried
from core.episode import Delivery, DeliveryState
from core.error import ConfigError
from core.reading import Verdict
from dashboard import components as piece
from dashboard import texts as word
from dashboard.act import button
from dashboard.listed import Listed
from dashboard.panel import Page, ask
from dashboard.ports import Reader
from dashboard.state import address

ROWS = 50  # a page
_AGAIN = "It is sent again at once, under the same webhook-id, for three more days. A receiver that has it already may drop it."
_ALL = "All that was given up is sent again at once, but that of which the receiver has taken later news."
_WORDS = {
    DeliveryState.PENDING: (Verdict.WARN, "waiting"),
    DeliveryState.DELIVERED: (Verdict.OK, "delivered"),
    DeliveryState.DEAD: (Verdict.CRITICAL, "given up"),
    DeliveryState.NOT_SENT: (Verdict.NODATA, "not sent"),
}


@dataclass(frozen=True)
class Choice(Listed):
    """The filters of the list; `show` is the delivery whose attempts are shown."""

    PATH = "deliveries"

    state: str = ""
    destination: str = ""
    show: str = ""


async def draw(reader: Reader, search: str) -> Page:
    """One page of deliveries, the newest first, and the attempts of the chosen one."""
    choice = Choice.of(search)
    state = choice.state if choice.state in list(DeliveryState) else ""
    chosen = replace(choice, after="", show="")
    heading = html.Div(
        [html.H1("Deliveries"), html.P("What was told to destinations, and what became of it.", className="faint")], className="title"
    )
    states = [("", "All"), *((one.value, words.capitalize()) for one, (_, words) in _WORDS.items())]
    tabs = piece.choice("State", [(words, replace(chosen, state=key).address, key == state) for key, words in states])
    chip = piece.chips(*([("Destination", choice.destination, replace(chosen, destination="").address)] if choice.destination else []))
    wrong = [f"state: {word.cut(choice.state)!r} is none of {', '.join(DeliveryState)}"] if state != choice.state else []
    head = [heading, piece.notice(wrong), html.Div([tabs], className="controls"), chip]
    wanted = DeliveryState(state) if state else None
    try:
        found, after = await ask(reader.deliveries, wanted, choice.destination or None, ROWS, choice.after or None)
    except ConfigError:
        whole = piece.link("Show the list from its beginning", chosen.address)
        return Page("Deliveries", [*head, piece.empty("This link names a page that is not in the list", whole)])
    if not found:
        return Page("Deliveries", [*head, piece.empty("No delivery", "None fits this choice.")])
    columns = ("Made (UTC)", "Destination", "What", "State", "Attempts", "Send again", "Reason")
    table = piece.table(columns, [_row(one, choice) for one in found], caption="Deliveries", numbers=(4,))
    ways = [
        piece.link("Newest", chosen.address) if choice.after else None,
        piece.link("Older", replace(choice, after=after, show="").address) if after else None,
    ]
    many = html.P(_replay_dead(choice.destination)) if state == DeliveryState.DEAD else None
    body = [
        *head,
        piece.card("Deliveries", [part for part in (many, table) if part is not None], foot=[way for way in ways if way is not None]),
    ]
    if choice.show:
        body.append(_shown(await ask(reader.delivery, choice.show)))
    return Page("Deliveries", body)


def _row(one: Delivery, choice: Choice) -> tuple[Any, ...]:
    verdict, words = _WORDS[one.state]
    what = piece.link(one.type, address("alerts", one.episode)) if one.episode.startswith("ep_") else one.type
    return (
        word.second(one.created),
        piece.link(word.cut(one.destination), replace(choice, destination=one.destination, after="", show="").address),
        what,
        piece.mark(verdict.value, words),
        piece.link(word.count(one.attempts), replace(choice, show=one.id).address, says=f"{word.count(one.attempts)} attempts of {one.id}"),
        _replay(one),
        word.cut(one.reason, 120),
    )


def _replay(one: Delivery) -> Any:
    """Sends it again; what waits is sent anyway."""
    if one.state is DeliveryState.PENDING:
        return word.NONE
    return button("Send again", f"/v1/deliveries/{quote(one.id, safe='')}/replay", {}, _AGAIN, says=f"Send {one.id} again")


def _replay_dead(destination: str) -> Component:
    """Sends again what was given up, of the chosen destination or of all."""
    path = "/v1/deliveries/replay" + (f"?destination={quote(destination, safe='')}" if destination else "")
    return button("Send all again", path, {}, _ALL, dry=True, counted="notification would be sent|notifications would be sent")


def _shown(found: tuple[Delivery, list[Tried]] | None) -> Any:
    """The attempts of a delivery, and how it is sent again."""
    if found is None:
        return piece.empty("This link names a delivery that is not there")
    one, tried = found
    rows = [(word.second(each.began), str(each.status or "none"), word.cut(each.reason, 300) or "taken") for each in tried]
    table = piece.table(("Began (UTC)", "Status", "Result"), rows, caption="Attempts") if rows else piece.empty("No attempt", one.reason)
    due = f"The next attempt is at {word.second(one.due)} UTC at the earliest. " if one.state is DeliveryState.PENDING else ""
    again = f"By command line: watchkeeper deliveries replay {one.id}"
    return piece.card(f"Attempts of {one.id} to {word.cut(one.destination)}", [table, html.P(_replay(one))], note=due + again)
