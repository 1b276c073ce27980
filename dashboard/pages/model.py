"""The page of a model: how good are its predictions, what has drifted, and in which segment?"""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from core import text
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import controls
from dashboard.pages.drift import drift
from dashboard.pages.history import Choice
from dashboard.pages.whole import performance, quality
from dashboard.panel import Page, ask, panels
from dashboard.ports import ModelRow, Reader
from dashboard.series import choose
from dashboard.state import PageState, address
from dashboard.view_model import unknown, view

_NAMED = 10  # classes that a notice lists


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Performance and quality over time above the volume, drift of every column, and all by segment."""
    found, state = await view(reader, name), PageState.of(search)
    trail = piece.crumbs(("Models", address("models")), (name, None))
    if found is None:
        return Page(
            name,
            [trail, unknown(name)],
        )

    def here(changed: PageState) -> str:
        return address("models", name, state=changed)

    row = found.row
    head: list[Any] = [trail, _title(row), *_strangers(await ask(reader.outside, name), found.contract.classes)]
    if row.last_ts is None:
        why = "The contract is there, so events are accepted. Send some, and the first closed window is evaluated:"
        return Page(name, [*head, piece.empty("No event yet", why, html.Pre(f"watchkeeper replay stream.parquet --model {name}"))])
    judged = {
        measure: monitor
        for measure in found.measures
        if (monitor := choose(found.monitors, measure, state.monitor, segment=state.segment)) is not None
    }
    if not judged:
        return Page(name, [*head, piece.empty("No monitor watches this model", "Apply one:", html.Pre("watchkeeper apply monitors.yaml"))])
    drawn = await panels(
        performance=performance(reader, found, judged, state, here),
        quality=quality(reader, found, judged, state, here),
        drift=drift(reader, found, judged, state, here),
    )
    return Page(name, [*head, *controls(found, state, here), *(part for each in drawn.values() for part in piece.several(each))])


def _strangers(outside: dict[str, int], classes: tuple[str, ...]) -> list[Any]:
    """A notice if predictions or labels came that are none of the model's classes."""
    if not any(outside.values()):
        return []
    known = ", ".join(map(text.unquote, classes[:_NAMED])) + (", ..." if len(classes) > _NAMED else "")
    came = " and ".join(f"{word.count(n)} {topic if n > 1 else topic.removesuffix('s')}" for topic, n in outside.items() if n)
    said = f"{came} came with a class that the model does not have ({known}). Each counts as a class of its own."
    return [html.P(said, className="notice", role="status")]


def _title(row: ModelRow) -> Component:
    """The model's name, its counts, the age of its newest event, and the link to its episodes."""
    about = f"{row.task} · contract {row.contract_version} · {word.count(row.predictions)} predictions, {word.count(row.labels)} labelled"
    if row.last_ts is not None:
        about += f" · last event {word.instant(row.last_ts)}, {word.ago(row.last_ts)}"
    episodes: list[Any] = [
        piece.link(f"{row.open_episodes} open episode{'' if row.open_episodes == 1 else 's'}", Choice("open", row.model).address),
        " · ",
        piece.link("all its episodes", Choice(model=row.model).address),
    ]
    lines = [html.H1(piece.name(row.model, 120)), html.P(about, className="faint"), html.P(episodes, className="next")]
    return html.Div(lines, className="title")
