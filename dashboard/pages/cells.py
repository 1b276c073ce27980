"""A part of the page Segments: a heat map of segments over time, in which a selection of cells is compared with the rest."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dash import html
from dash.development.base_component import Component

from core import bin_text, moment
from core.cause import CauseQuery
from core.error import ConfigError, Retryable
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here
from dashboard.figure.cells import cells
from dashboard.figure.heat import ROWS
from dashboard.graph import graph
from dashboard.pages import board
from dashboard.pages.apart import apart
from dashboard.panel import panel
from dashboard.period import Period, period, shift
from dashboard.ports import Reader
from dashboard.selection import Part, Selection, compared
from dashboard.series import Series
from dashboard.state import PageState
from dashboard.taken import Taken, question, readings, taken
from dashboard.view_model import LIMIT, ModelView

_NAMED = 3  # segments in a sentence


async def over_time(reader: Reader, view: ModelView, measure: str, state: PageState, here: Here) -> list[Any]:
    """The map of one dimension, and what is selected in it against the rest; nothing for a model without segments."""
    groupings = ["*".join(one) for one in view.groupings]
    if not groupings:
        return []
    by = state.by if state.by in groupings else groupings[0]
    about, how = view.measures[measure], taken(view, measure, state.but(segment=ALL), segment=by)
    over = period(view.row, state, how.monitor.window)
    tabs = (
        piece.choice("By", [(name, here(state.but(by=name, cells="")), name == by) for name in groupings]) if len(groupings) > 1 else None
    )
    title = f"{about.title} by {by} over time"
    try:
        table = await readings(reader, question(how, by, over.start, over.end))
    except (ConfigError, Retryable) as error:
        return [board.unavailable(title, tabs, error)]
    if how.stored and table.num_rows >= LIMIT:  # the newest are missing
        return [board.unavailable(title, tabs, ConfigError(f"these are more than {LIMIT:,} readings", remedy="look at a shorter period"))]
    rows = {name: table.filter(pc.equal(table["segment"], name)) for name in _largest(table)}
    lines = {name: Series.of(own, over.start, over.end, over.step, over.window) for name, own in rows.items()}
    if not any(value is not None for one in lines.values() for value in one.value):
        return [piece.card(title, [tabs, piece.empty("No reading", "No segment has a value in this period.")])]
    asked = Selection.of(state.cells)
    chosen = None if asked is None else asked.within(lines)
    sentence = f"{about.title} of {len(lines)} segments by {by}, over {shift(over)}; the segment with most rows is first."
    note = f"{shift(over)}; darker is {'lower' if about.better > 0 else 'higher'}. Drag over cells, or click one, to compare them with the rest.{how.note}"
    quick = _quick(lines, state, here)
    card = piece.card(title, [tabs, graph("cells", cells(lines, measure=about, chosen=chosen), sentence, view.retrains), quick], note=note)
    if chosen is None:
        return [card]
    return [card, *piece.several(await panel(_against(reader, view, how, lines, chosen, over, state, here), "selection"))]


def _largest(table: pa.Table) -> list[str]:
    """The segments with most rows, the largest first, as many as the map has."""
    if not table.num_rows:
        return []
    named = pa.table({"segment": table["segment"].cast(pa.string()), "n": table["n_target"]})
    found = {row["segment"]: row["n_sum"] or 0 for row in named.group_by("segment").aggregate([("n", "sum")]).to_pylist()}
    return sorted(found.keys() - {ALL}, key=lambda name: (-found[name], name))[:ROWS]


def _quick(lines: dict[str, Series], state: PageState, here: Here) -> Component:
    """Links that select the last windows of one segment: what a brush does, for the keyboard."""
    first = next(iter(lines.values()))
    slots = [slot for slot in range(len(first)) if any(one.verdict[slot] for one in lines.values())][-4:]
    start, end = first.time(slots[0]), first.window(slots[-1])[1]
    links = [
        (piece.name(piece.value(name), 16), here(state.but(cells=Selection(start, end, (name,)).written)), False)
        for name in list(lines)[:8]
    ]
    return piece.choice("Last 4 windows of", links)


async def _against(
    reader: Reader, view: ModelView, how: Taken, lines: dict[str, Series], chosen: Selection, over: Period, state: PageState, here: Here
) -> list[Any]:
    """The selected cells and the rest of the map in numbers, and what differs from the time before the selection, else after it."""
    about = view.measures[how.monitor.measure]
    own, rest = compared(lines, chosen)
    names = [bin_text.of_slice(name) for name in chosen.segments]
    said = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
    clear = piece.chips(
        ("Selected", f"{said or 'nothing of this map'}, {moment.period(chosen.start, chosen.end)}", here(state.but(cells="")))
    )
    if not own.cells:
        return [piece.card("The selection and the rest", [clear, piece.empty("No value", "None of the selected cells has a value.")])]

    def row(name: str, part: Part) -> tuple[str, ...]:
        return (name, word.value(part.mean, about), word.count(part.rows), word.count(part.cells), f"{part.reached} of {part.judged}")

    head = (about.title, "Mean of cells, by rows", "Rows", "Cells", "Reached a threshold")
    table = piece.table(head, [row("Selection", own), row("Rest", rest)], caption="The selection and the rest", numbers=range(1, len(head)))
    card = piece.card("The selection and the rest", [clear, table], note="Each cell is one segment in one window.")
    first = next(iter(lines.values()))
    windows = [first.window(slot) for slot in range(len(first)) if chosen.start <= first.time(slot) < chosen.end]
    begin, last = min(start for start, _ in windows), max(end for _, end in windows)  # a window may be longer than its cell
    before = (over.start, begin) if over.start < begin else (last, over.end)
    if before[0] >= before[1]:
        return [card, html.P("The selection fills the period: there is no other time to compare it with.", className="faint")]
    segment = chosen.segments[0] if len(chosen.segments) == 1 else state.segment
    pane = view.contract.pane
    start, end = begin // pane * pane, -(-last // pane) * pane
    asked = CauseQuery(
        model=view.row.model,
        measure=about.name,
        start=start,
        end=end,
        baseline={"from": moment.text(before[0] // pane * pane), "to": moment.text(before[1] // pane * pane)},
        segment=segment,
        version=how.monitor.version,
    )
    within = bin_text.of_slice(segment) if segment != ALL else "all traffic"
    note = f"{within}: {moment.period(start, end)} against {moment.period(*before)}."
    kept = state.shared.but(segment=segment, window=None, start=start, end=end)
    return [card, await apart(reader, asked, kept, title="What differs in the selected time", names=("selected", "else"), note=note)]
