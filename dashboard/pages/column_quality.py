"""The quality of a column over time: missing, invalid, out of range, unseen."""

from __future__ import annotations

from dash.development.base_component import Component

from core.contract import Column
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, windows
from dashboard.figure.stack import stack
from dashboard.graph import graph
from dashboard.period import period, shift
from dashboard.ports import Reader
from dashboard.series import limits
from dashboard.state import PageState
from dashboard.taken import question, several, taken
from dashboard.view_model import ModelView, reach, window_of

RATES = ("quality.null_rate", "quality.invalid_rate", "quality.out_of_range_rate", "quality.unseen_category_rate")


async def quality(reader: Reader, view: ModelView, column: Column, state: PageState, here: Here) -> Component:
    """A strip for each rate that suits the column, in the windows of the first that is watched."""
    suited = [name for name in RATES if column.kind in view.measures[name].kinds]
    ways = [taken(view, name, state, column.name) for name in suited]
    like = next((way.monitor for way in ways if way.stored), ways[0].monitor)
    ways = [taken(view, name, state, column.name, like=like) for name in suited]
    over = period(view.row, state, like.window)
    asked = {name: question(way, state.segment, over.start, over.end, (column.name,)) for name, way in zip(suited, ways, strict=True)}
    found = list((await several(reader, asked, dict.fromkeys(asked, over))).values())
    title = f"Quality, {word.stretch(over.start, over.end)}"
    if not any(any(one.verdict) for one in found):
        return piece.card(title, piece.empty("No reading", "No window of this period has been evaluated yet."), note=reach(state))
    slot = next((at for one in found if (at := window_of(state, one)) is not None), None)
    chosen = None if slot is None else over.start + slot * over.step
    strips = [
        (view.measures[way.monitor.measure], one, limits(way.monitor, view.measures[way.monitor.measure], one))
        for way, one in zip(ways, found, strict=True)
    ]
    now = ", ".join(f"{about.title.lower()} {word.number(None if slot is None else one.value[slot])}" for about, one, _ in strips)
    unwatched = [about.title.lower() for (about, _, _), way in zip(strips, ways, strict=True) if not way.stored]
    aside = f" Computed now, because no monitor watches it: {', '.join(unwatched)}." if unwatched else ""
    note = f"{reach(state)}, {shift(over)}; shares of all rows, the reference's dashed. In the window: {now}.{aside}"
    chart = graph(
        "quality", stack(strips, chosen), f"Quality of {column.name} over {shift(over)}; in the selected window: {now}.", view.retrains
    )
    return piece.card(title, [windows(found[0], slot, state, here), chart], note=note)
