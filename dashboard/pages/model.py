"""The overview of a model: how good are its predictions, what has drifted, and in which segment?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html

from core import text
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import controls
from dashboard.pages.head import head
from dashboard.pages.moved import moved
from dashboard.pages.proposal import proposed
from dashboard.pages.watched import watched
from dashboard.pages.whole import performance, quality
from dashboard.panel import Page, ask, panels
from dashboard.ports import Reader
from dashboard.series import choose
from dashboard.state import PageState, address
from dashboard.view_model import unknown, view

_NAMED = 10  # classes that a notice lists


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Performance and quality over time above the volume, both by segment, and the columns that drifted most."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        seen = await ask(reader.proposal, name)
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), *(proposed(seen) if seen else [unknown(name)])])

    def here(changed: PageState) -> str:
        return address("models", name, state=changed)

    row = found.row
    notices = [*_strangers(found.row.outside, found.contract.classes), *found.row.advice]
    top: list[Any] = [*head(row, state, ""), *(html.P(said, className="notice", role="status") for said in notices)]
    if row.last_ts is None:
        why = "The contract is there, so events are accepted. Send some, and the first closed window is evaluated:"
        return Page(name, [*top, piece.empty("No event yet", why, html.Pre(f"watchkeeper replay stream.parquet --model {name}"))])
    judged = {
        measure: monitor
        for measure in found.measures
        if (monitor := choose(found.monitors, measure, state.monitor, segment=state.segment)) is not None
    }
    if not judged:
        return Page(name, [*top, piece.empty("No monitor watches this model", "Apply one:", html.Pre("watchkeeper apply monitors.yaml"))])
    drawn = await panels(
        performance=performance(reader, found, judged, state, here),
        quality=quality(reader, found, judged, state, here),
        drift=moved(reader, found, judged, state, here),
        watched=watched(found),
    )
    parts = [part for each in drawn.values() for part in piece.several(each)]
    return Page(name, [*top, *controls(found, state, here), *parts])


def _strangers(outside: Mapping[str, int], classes: tuple[str, ...]) -> list[str]:
    """A notice if predictions or labels came that are none of the model's classes."""
    if not any(outside.values()):
        return []
    known = ", ".join(map(text.unquote, classes[:_NAMED])) + (", ..." if len(classes) > _NAMED else "")
    came = " and ".join(f"{word.count(n)} {topic if n > 1 else topic.removesuffix('s')}" for topic, n in outside.items() if n)
    return [f"{came} came with a class that the model does not have ({known}). Each counts as a class of its own."]
