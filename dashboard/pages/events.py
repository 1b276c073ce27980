"""The page Events of a model: which rows are behind a number?"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from dash import html
from dash.development.base_component import Component

from core import bin_text, moment, text
from core.contract import Column, Task
from core.error import ConfigError
from core.event_query import EventCounts, EventQuery, Order
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import controls
from dashboard.event_filter import LABELS, ORDERS, OUTSIDE, WRONG, EventFilter, span
from dashboard.figure.strip import strip
from dashboard.graph import graph
from dashboard.grid import BLOCK, columns, grid, row
from dashboard.pages.head import head
from dashboard.panel import Page, ask, failed, panel
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.then import reader_of
from dashboard.timing import timed
from dashboard.view_model import ModelView, unknown, view

BARS = 90  # at most
_STEPS = [moment.MINUTE * minutes for minutes in (1, 5, 15, 60, 180, 360, 720, 1_440, 10_080, 40_320)]
_ANY = "*"  # in a list of values: no filter
_NAMES = 60  # bins of a column that are offered
_ESTIMATED = "The period holds more than half a million events, so these are estimated from some of them; the list is exact, and so are the bars of a period with fewer."


async def draw(reader: Reader, search: str, name: str) -> Page:
    """The filters, how many events fit over time, and the events."""
    found, state, chosen = await view(reader, name), PageState.of(search), EventFilter.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return chosen.address(name, changed)

    title, top = f"Events of {name}", head(found.row, state, "events")
    if found.row.last_ts is None:
        return Page(title, [*top, piece.empty("No event yet", "What is sent is listed here within seconds.")])
    try:
        asked = await chosen.query(reader, found, state)
        counted = await _counted(reader, found, state, chosen, asked)
    except ConfigError as error:
        without = piece.link("Show events without filters", EventFilter().address(name, state.but(segment="all", version="")))
        return Page(
            title, [*top, *controls(found, state, here, any_cross=True), piece.empty("These events cannot be listed", str(error), without)]
        )
    total, count = counted
    filters = piece.several(await panel(_filters(found, state, chosen), "filters"))
    parts = [part for part in (*filters, count, _rows(found, state, chosen, search, total)) if part is not None]
    return Page(title, [*top, *controls(found, state, here, any_cross=True), *parts])


async def _filters(view: ModelView, state: PageState, chosen: EventFilter) -> list[Any]:
    """The choice of filters, and a chip for each that is set."""
    model, roles = view.row.model, sorted({role for _, role in view.served})
    summarised = view.contract.summarised
    column = next((one for one in summarised if one.name == chosen.column), None)
    fields = [_field("column", "Column", chosen.column, [(one.name, one.name) for one in summarised], 190)]
    if column is not None:
        fields.append(_field("value", "Value", chosen.value, _values(column, chosen.value), 190))
    if len(roles) > 1 or chosen.role:
        fields.append(_field("role", "Role", chosen.role, [(one, one) for one in sorted({*roles, chosen.role} - {""})], 140))
    labels = [("", "All"), *LABELS.items()]
    choices = [
        piece.choice(
            "Label", [(words.capitalize(), chosen.but(label=key).address(model, state), key == chosen.label) for key, words in labels]
        ),
        piece.choice(
            "Order",
            [(_ordered(view, key), chosen.but(order=key).address(model, state), key == (chosen.order or "newest")) for key in ORDERS],
        ),
    ]
    return [html.Div([*fields, *choices], className="controls"), piece.chips(*_chips(model, state, chosen))]


def _ordered(view: ModelView, order: Order) -> str:
    """An order in words: of classes the error is 0 or 1, so that the largest are all that are wrong."""
    return WRONG if order == "worst" and view.contract.task is not Task.REGRESSION else ORDERS[order]


def _field(key: str, label: str, value: str, options: Sequence[tuple[str, str]], width: int) -> Component:
    """A list that sets `key` of the address, or leaves it out."""
    return piece.select(key, label, value or _ANY, [(_ANY, f"Any {label.lower()}"), *options], _ANY, width=width)


def _chips(model: str, state: PageState, chosen: EventFilter) -> list[tuple[str, str, str]]:
    found = []
    if chosen.column and chosen.value:
        found.append((chosen.column, f"is {said(chosen.value)}", chosen.but(column="", value="").address(model, state)))
    if chosen.label:
        found.append(("Label", LABELS[next(one for one in LABELS if one == chosen.label)], chosen.but(label="").address(model, state)))
    if chosen.role:
        found.append(("Role", chosen.role, chosen.but(role="").address(model, state)))
    return found


def said(value: str) -> str:
    """The name of a bin for people."""
    return {"unseen": "new"}.get(value, bin_text.words(text.unquote(value)))


def _values(column: Column, chosen: str) -> list[tuple[str, str]]:
    """What a column can be asked for: null, invalid, out of range or new; then its values."""
    if column.numeric:
        own = [f"[{low},{high})" for low, high in _intervals(column)]
        first = ["null", "invalid", *([OUTSIDE] if column.range is not None else [])]
    else:
        own, first = [*column.categories[:_NAMES], "other"], ["null", "invalid", "unseen"]
    names = [*first, *own]
    return [(one, said(one)) for one in (names if chosen in names or not chosen else [*names, chosen])]


def _intervals(column: Column) -> list[tuple[str, str]]:
    """About twelve intervals between edges of a numeric column, which reach from end to end."""
    every = max(1, len(column.edges) // 11)
    cuts = ["-inf", *(text.of(edge) for edge in column.edges[::every]), "inf"]
    return list(pairwise(cuts))


def _step(asked: EventQuery) -> int:
    """The width of the bars."""
    length = (asked.end or 0) - (asked.start or 0)
    return next((step for step in _STEPS if length <= BARS * step), -(-length // (BARS * moment.DAY)) * moment.DAY)


async def _counts(reader: Reader, view: ModelView, chosen: EventFilter, asked: EventQuery) -> EventCounts:
    """How many events fit, by slot: of a segment that panes hold from panes, which is quick whatever the period; else from the events."""
    step, pane = _step(asked), view.contract.pane
    whole = chosen.but(order="") == EventFilter() and not asked.version and asked.segment in view.segments
    if not whole or any(time % pane for time in (step, asked.start or 0, asked.end or 0)):
        return await ask(reader.event_counts, asked, step)
    table = await ask(reader.traffic, asked.model, asked.segment, asked.start, asked.end, step)
    counts: dict[int, int] = {}
    for start, n in zip(table["start"].to_pylist(), table["n"].to_pylist(), strict=True):
        counts[start] = counts.get(start, 0) + n
    return EventCounts(counts)


async def _counted(
    reader: Reader, view: ModelView, state: PageState, chosen: EventFilter, asked: EventQuery
) -> tuple[int | None, Component]:
    """How many events fit, None where that is not known exactly, and the card that says so over time. Raises ConfigError."""
    try:
        with timed("count"):
            counts = await _counts(reader, view, chosen, asked)
    except ConfigError:
        raise
    except Exception:  # what cannot be counted can be listed all the same
        return None, failed("count")
    return None if counts.estimated else sum(counts.by_slot.values()), _count(view, state, chosen, asked, counts)


def _count(view: ModelView, state: PageState, chosen: EventFilter, asked: EventQuery, found: EventCounts) -> Component:
    """How many events fit, over time."""
    start, end, step = asked.start or 0, asked.end or 0, _step(asked)
    counts, about = found.by_slot, "about " if found.estimated else ""
    total = sum(counts.values())
    title = f"{about.capitalize()}{word.count(total)} event{'' if total == 1 else 's'}, {moment.period(start, end)}"
    if not total and found.estimated:  # rare ones lie between the parts that were looked at
        return piece.card(f"Few events, {moment.period(start, end)}", html.P(_ESTIMATED, className="faint"))
    if not total:
        return piece.card(title, piece.empty("No event fits", "Take a filter away, or look at another period."))
    first = start // step * step
    starts = range(first, end, step)
    links = [chosen.address(view.row.model, state.but(start=max(at, start), end=min(at + step, end), window=None)) for at in starts]
    figure = strip(first, step, [counts.get(at, 0) for at in starts], links)
    most = max(counts, key=lambda at: counts[at])
    sentence = f"Events that fit over time: {about}{word.count(total)} in all, most of them, {about}{word.count(counts[most])}, in {moment.period(most, most + step)}."
    return piece.card(
        title,
        graph("strip", figure, sentence, view.retrains),
        note=" ".join([_ESTIMATED] * found.estimated + ["Click a bar to look at its events, or drag over several."]),
    )


def _rows(view: ModelView, state: PageState, chosen: EventFilter, search: str, total: int | None) -> Component | None:
    """The grid, and the events as files; nothing if no event fits. `total` is None where it is not known."""
    if total == 0:
        return None
    query = chosen.search(view.row.model, state, span(view, state))
    foot = [
        *(
            html.A(label, href=f"/v1/events?{query}&format={kind}", download=f"events.{kind}")
            for kind, label in (("csv", "CSV"), ("parquet", "Parquet"))
        ),
        html.A("JSON", href=f"/v1/events?{query}", target="_blank", rel="noopener"),
        html.Details([html.Summary("Show query"), html.Code(f"GET /v1/events?{query}")]),
    ]
    order = _ordered(view, next((one for one in ORDERS if one == chosen.order), "newest"))
    first = f"{order}, of these the newest" if order == WRONG else f"{order} first"
    left = "; events without a label are left out" if chosen.order == "worst" else ""
    note = f"{first}{left}; more come as you scroll. This address is the filter: keep it as a bookmark, or send it."
    return piece.card(
        "Events",
        grid(
            columns(view.contract, chosen.column, worst=chosen.order == "worst"),
            f"{view.row.model} {search}",
            BLOCK if total is None else total,
        ),
        note=note,
        foot=foot,
    )


async def block(reader: Reader, search: str, name: str, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """A block of rows of the grid, and the cursor of the next. None of a model that is not there, and of filters that cannot be read."""
    state, chosen = PageState.of(search), EventFilter.of(search)
    reader = reader_of(reader, state)
    found = await view(reader, name)
    if found is None or found.row.last_ts is None:
        return [], None
    try:
        asked = await chosen.query(reader, found, state)
        events, following = await ask(reader.events, msgspec.structs.replace(asked, limit=BLOCK, after=after))
    except ConfigError:
        return [], None
    shown = columns(found.contract, chosen.column, worst=chosen.order == "worst")
    return [row(one, shown, chosen.address(name, state, one["prediction_id"])) for one in events], following
