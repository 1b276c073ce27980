"""The page Service of a model, a section of Performance: how fast does it answer, how often does it fail, and how much is it asked?"""

from __future__ import annotations

from dash import html

from dashboard import components as piece
from dashboard.control import controls
from dashboard.pages.head import head, there
from dashboard.pages.use import budget, use
from dashboard.pages.whole import served
from dashboard.panel import Page, panels
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import unknown, view

_PATH = "service"


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Each measure of service in the selected window; one of them over time, and by segment if a monitor has that; what is left of the error budget; and who uses the model."""
    found, state = await view(reader, name), PageState.of(search)
    title = f"Service of {name}"
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return there(name, _PATH, changed)

    top = head(found.row, state, _PATH)
    if found.row.last_ts is None:
        return Page(title, [*top, piece.empty("No event yet", "Send predictions; the first window that closes is evaluated.")])
    there_are = {column.name for column in found.contract.signals}
    of_budget = {"budget": budget(reader, found, state)} if "@status" in there_are else {}
    drawn = await panels(service=served(reader, found, state, here), **of_budget, use=use(reader, found, state))
    parts = [part for each in drawn.values() for part in piece.several(each)]
    missing = [text for signal, text in _MISSING.items() if signal not in there_are]
    told = [piece.card("Not measured", [html.P(f"{text}.") for text in missing])] if missing else []
    return Page(title, [*top, *controls(found, state, here, computed=True), *parts, *told])


_MISSING = {
    "@latency_ms": "Latency: the contract has no signal @latency_ms; send latency_ms with predictions, and give the reference with --latency",
    "@status": "Errors and availability: the contract has no signal @status; send status with predictions, and give the reference with --status",
}
