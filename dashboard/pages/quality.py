"""The page Quality of a model: do its events and labels come as they should, and which columns are broken?"""

from __future__ import annotations

from asyncio import gather
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment, text
from core.contract import Kind
from core.error import ConfigError, Retryable
from core.measure import Family
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, controls
from dashboard.pages import board
from dashboard.pages.head import head, there
from dashboard.pages.whole import every_quality
from dashboard.panel import Page, ask, panels
from dashboard.ports import Reader
from dashboard.run import Run, over_time, run
from dashboard.state import PageState, address
from dashboard.taken import measures_of, of_window, readings, taken
from dashboard.view_model import ModelView, unknown, view

_RATES = ("quality.null_rate", "quality.invalid_rate", "quality.out_of_range_rate", "quality.unseen_category_rate")


async def draw(reader: Reader, search: str, name: str) -> Page:
    """The measures of the whole model over time; the columns by a rate of bad values, ranked and over time; and new categories."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return there(name, "quality", changed)

    top = head(found.row, state, "quality")
    if found.row.last_ts is None:
        return Page(f"Quality of {name}", [*top, piece.empty("No event yet", "There is nothing whose quality could be measured.")])
    drawn = await panels(quality=every_quality(reader, found, state, here), columns=_columns(reader, found, state, here))
    parts = [part for each in drawn.values() for part in piece.several(each)]
    return Page(f"Quality of {name}", [*top, *controls(found, state, here, computed=True), *parts])


async def _columns(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    """The table and the heat map of a measure of columns, and the new categories of the window."""
    names = measures_of(view, Family.QUALITY)
    measure = state.measure if state.measure in names else board.usual_measure(view, names)
    of = taken(view, measure, state, segment=state.by or state.segment)
    about = view.measures[measure]
    chosen = board.choices(view, names, of, state, here)
    try:
        shown = await run(reader, view, of, state)
        others, series, new = await gather(
            _others(reader, view, state, shown), over_time(reader, shown, state), _new(reader, view, shown, state)
        )
    except (ConfigError, Retryable) as error:
        return [board.unavailable(about.title, chosen, error)]
    title = board.title_of(about, shown, state)
    found = (
        board.table(shown, series, others, view, state, here, title)
        if shown.rows
        else piece.empty(
            "No such column" if state.find else "No reading", "No column is found." if state.find else "This window has not been evaluated."
        )
    )
    first = "The strongest evidence of a change first." if shown.tested else "The largest value first."
    card = piece.card(
        title,
        [part for part in (chosen, board.partial(shown), found) if part is not None],
        note=f"{first} Rates are shares of all rows of the window.{of.note} A column opens in this window.",
        foot=board.source(shown, state),
    )
    return [card, board.over_time(shown, series, view, state, here, "columns"), new]


async def _others(reader: Reader, view: ModelView, state: PageState, shown: Run) -> board.Extras:
    """The other rates of the columns of the table, in the same window; nothing if segments are rows."""
    columns = [column for column, _ in shown.keys]
    if not columns or state.by:
        return {}
    others = [name for name in _RATES if name != shown.of.monitor.measure]

    async def rates(name: str) -> dict[str, float]:
        about = view.measures[name]
        suited = [column for column in columns if view.contract.column(column).kind in about.kinds]
        if not suited:
            return {}
        like = taken(view, name, state, like=shown.of.monitor)
        table = await readings(reader, of_window(like, state.segment, shown.window, suited))
        return dict(zip(table["column"].to_pylist(), table["value"].to_pylist(), strict=True)) if table.num_rows else {}

    found = await gather(*(rates(name) for name in others))
    return {view.measures[name].short.removesuffix(" rate"): one for name, one in zip(others, found, strict=True)}


async def _new(reader: Reader, view: ModelView, shown: Run, state: PageState) -> Component:
    """The values that the reference does not have, in the window."""
    pane = view.contract.pane
    start, end = shown.window[0] // pane * pane, shown.window[1]
    title = f"New categories, {moment.period(start, end)}"
    if not any(one.kind is Kind.CATEGORICAL for one in view.contract.features):
        return piece.card(
            title,
            piece.empty("No categorical feature", "New categories are values of categorical features that the reference does not have."),
        )
    found = await ask(reader.new_categories, view.row.model, start, end)
    if not found:
        return piece.card(title, piece.empty("None", "Every category of this window is in the reference."))

    def row(name: str, events: int, values: Any) -> tuple[Any, ...]:
        link = piece.link(piece.name(name), address("models", view.row.model, "columns", name, state=state.shared.but(window=shown.start)))
        told = [
            html.Span([piece.name(text.unquote(value)), html.Span(f" {word.count(n)}", className="faint")], className="tag")
            for value, n in values
        ]
        return link, word.count(events), html.Div(told, className="tags") if told else "raw events of this window are not kept any more"

    rows = [row(*one) for one in found]
    note = "Values that the reference does not have, all traffic, with their numbers of events; the most frequent first. A model has not learned them."
    return piece.card(title, piece.table(("Column", "Events", "Values"), rows, caption=title, numbers=(1,)), note=note)
