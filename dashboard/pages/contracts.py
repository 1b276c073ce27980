"""The page Contracts and baselines of a model: which versions its contract had, what each changed, when and by whom, and what monitors compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from dash import html

from core import moment
from core.contract_version import ContractVersion
from core.measure import Measures
from core.monitor import Monitor
from core.text import unquote
from dashboard import components as piece
from dashboard import texts as word
from dashboard.pages.baselines import in_use, monitor_of_model
from dashboard.pages.head import head
from dashboard.pages.history import Choice
from dashboard.pages.monitors import Choice as Monitors
from dashboard.panel import Page, ask, panel
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import ModelView, unknown, view

_NOTE = "A contract says which columns, bins, classes and segments a model has. Each version is evaluated over the whole history; readings of one version are never mixed with those of another."


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Versions, the newest first; below them the baselines in use, those of most monitors first."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])
    drawn = await panel(_held(reader, found), "contracts and baselines")
    return Page(f"Contracts and baselines of {name}", [*head(found.row, state, "contracts"), *piece.several(drawn)])


async def _held(reader: Reader, view: ModelView) -> list[Any]:
    model, versions = view.row.model, await ask(reader.contract_versions, view.row.model)
    return [_versions(model, versions), _baselines(model, view.monitors, versions, reader.measures)]


def _versions(model: str, versions: Sequence[ContractVersion]) -> Any:
    rows = [
        (str(one.version), _changed(one), word.minute(one.saved_at), piece.name(one.actor or word.NONE, 24), _reference(one))
        for one in versions
    ]
    many, document = len(versions), f"/v1/models/{quote(model, safe='')}/contract"
    foot = html.A("The newest as JSON", href=document, target="_blank", rel="noopener")
    table = piece.table(("Version", "What changed", "Saved (UTC)", "By", "Reference"), rows, caption="Versions of the contract")
    return piece.card(f"{many} version{'' if many == 1 else 's'} of the contract", table, note=_NOTE, foot=foot)


def _changed(one: ContractVersion) -> Any:
    said = one.changes or (("the first one",) if one.version == 1 else ("the same columns, classes and segments",))
    return html.Div([html.Div(unquote(text)) for text in said], className="words")


def _reference(one: ContractVersion) -> Any:
    """Rows and period of the reference."""
    if not one.reference:
        return "none: it was declared"
    rows = "its rows are not kept" if one.rows is None else f"{word.count(one.rows)} rows"
    return rows if one.start is None or one.end is None else f"{rows}, {moment.period(one.start, one.end)}"


def _baselines(model: str, monitors: Sequence[Monitor], versions: Sequence[ContractVersion], measures: Measures) -> Any:
    """The baselines that monitors of the model compare with, and the reference."""
    newest = next((one for one in versions if one.reference), None)
    note = None if newest is None else f"The reference came with version {newest.referred or newest.version}: {_reference(newest)}."
    foot = piece.link("All monitors of the model", Monitors(model=model).address)
    return in_use(
        monitors, measures, note=note, foot=[foot, " · ", piece.link("their episodes", Choice(model=model).address)], named=monitor_of_model
    )
