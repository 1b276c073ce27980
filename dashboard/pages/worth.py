"""What the episodes of a monitor were worth, and a change of its rule that would have made less noise."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from core.error import ConfigError, Retryable
from core.noise import advice
from dashboard import components as piece
from dashboard import texts as word
from dashboard.panel import ask, ask_long
from dashboard.ports import Reader


async def worth(reader: Reader, model: str, monitor: str, look: str) -> Component | None:
    """The card; nothing of a monitor without episodes. `look` is the address at which a change is looked for; empty: look now."""
    found = await ask(reader.worth, model, monitor)
    if found is None:
        return None
    facts = piece.figures(
        ("Fired", word.count(found.fired), f"{word.count(found.open)} open"),
        ("Told", word.count(found.told), f"by {word.count(found.notices)} notice{'' if found.notices == 1 else 's'}"),
        ("Acknowledged", word.count(found.acknowledged), "by a person"),
        ("Useful", word.count(found.useful), f"{word.count(found.noise)} called noise"),
        ("Brief", word.count(found.brief), "cleared within one window"),
    )
    if look:
        said: Component = html.P(piece.link("Would another rule have been quieter?", look))
    else:
        said = html.P(await _advice(reader, model, monitor))
    return piece.card(f"What the episodes of {word.cut(monitor, 40)} were worth", [facts, said])


async def _advice(reader: Reader, model: str, monitor: str) -> str:
    """What a back-test of other rules says."""
    try:
        said = advice(await ask_long(reader.quieter, model, monitor))
    except (ConfigError, Retryable) as error:
        return str(error)
    return f"{said[0].upper()}{said[1:]}."
