"""The page of a column: how does it differ from its baseline, and since when?"""

from __future__ import annotations

from asyncio import gather
from typing import Any

import msgspec
from dash import html

from core import moment
from core.contract import Column, Kind
from core.measure import Family, Subject
from core.reading import Query
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, controls, windows
from dashboard.figure.timeline import timeline
from dashboard.graph import graph
from dashboard.pages import board
from dashboard.pages.calibration import calibration
from dashboard.pages.column_quality import quality
from dashboard.pages.distribution import Looked, distribution
from dashboard.pages.head import there
from dashboard.pages.segments import segments
from dashboard.panel import Page, panel
from dashboard.period import Period, period, shift
from dashboard.ports import Reader
from dashboard.series import Series, limits
from dashboard.state import PageState, address
from dashboard.taken import Taken, of_window, question, readings, series, taken
from dashboard.view_model import ModelView, against, bare, looked, newest, nothing, of, reach, unknown, view, window_of


async def draw(reader: Reader, search: str, model: str, name: str) -> Page:
    """Baseline against target in one window; drift and its calibration, quality over time; by segment."""
    found, state = await view(reader, model), PageState.of(search)
    shared = state.shared
    trail = piece.crumbs(
        ("Models", address("models")), (model, there(model, "", shared)), ("Drift", there(model, "drift", shared)), (name, None)
    )
    column = _known(found, name)
    if found is None:
        return Page(name, [trail, unknown(model)])
    if column is None:
        return Page(name, [trail, piece.empty(f"{model} has no column {name}", "The page Drift of the model lists its columns.")])

    def here(changed: PageState) -> str:
        return address("models", model, "columns", name, state=changed)

    about = f"{column.kind} · {_size(column)} · contract {found.contract.version}"
    head = [
        trail,
        html.Div([html.H1(piece.name(name, 120)), html.P(about, className="faint")], className="title"),
        *controls(found, state, here, computed=True),
    ]
    if found.row.last_ts is None:
        return Page(name, [*head, piece.empty("No event yet", "There is nothing to compare with the reference.")])
    drawn = await gather(
        panel(_drift(reader, found, column, state, here), "drift"), panel(quality(reader, found, column, state, here), "quality over time")
    )
    chosen = found.measures.get(state.measure)
    first = drawn[::-1] if chosen is not None and chosen.family is Family.QUALITY else drawn  # who comes from a quality episode asks for it
    return Page(f"{name} of {model}", [*head, *(part for each in first for part in piece.several(each) if part is not None)])


def _size(column: Column) -> str:
    """How many bins a column has, or how many numbers its vectors."""
    if column.embedding is not None:
        return f"{column.embedding.size} numbers each"
    return f"{column.values} " + ("value bins" if column.numeric else "states" if column.kind == Kind.TEXT else "categories")


def _known(view: ModelView | None, name: str) -> Column | None:
    try:
        return None if view is None else view.contract.column(name)
    except KeyError:
        return None


async def _drift(reader: Reader, view: ModelView, column: Column, state: PageState, here: Here) -> list[Any]:
    """The distribution in one window, a measure of drift over time, its calibration, and its segments."""
    names = [
        name
        for name, about in view.measures.items()
        if about.family is Family.DRIFT and about.subject is Subject.COLUMN and column.kind in about.kinds
    ]
    measure = state.measure if state.measure in names else board.usual_measure(view, names, column.name)
    how = taken(view, measure, state, column.name)
    monitor = how.monitor
    over = period(view.row, state, monitor.window)
    shown = await series(reader, question(how, state.segment, over.start, over.end, (column.name,)), over)
    slot = window_of(state, shown)
    seen = await _looked(reader, view, how, column, state, shown, slot)
    return list(
        await gather(
            panel(distribution(reader, view, column, state, seen, view.measures[measure]), "distribution"),
            panel(_over(view, how, names, column, state, here, over, shown), "drift over time"),
            panel(calibration(reader, view, how, column.name, shown, slot), "calibration"),
            panel(segments(reader, view, monitor, state, over, here, column=column.name, window=seen.start), "segments"),
        )
    )


async def _looked(reader: Reader, view: ModelView, how: Taken, column: Column, state: PageState, shown: Series, slot: int | None) -> Looked:
    """The window of the distribution: the selected one, else that which is selected for all traffic; and what its reading says."""
    monitor = how.monitor
    if slot is None:
        over = period(view.row, state, monitor.window)
        all_traffic = taken(view, monitor.measure, state.but(segment=ALL), column.name)
        whole = await series(reader, question(all_traffic, ALL, over.start, over.end, (column.name,)), over)
        start, at = newest([whole], over), window_of(state, whole)
        window = monitor.window.at(start) if at is None else whole.window(at)
        where = f"Window of {moment.period(*window)}" if at is None else looked(state, whole, at)
        return Looked(start, window, where, "No reading in this period" if state.segment == ALL else "No reading of this segment")
    start, window, where = shown.time(slot), shown.window(slot), looked(state, shown, slot)
    if not shown.verdict[slot]:
        return Looked(start, window, where, "No reading of it")
    found = "no value" if shown.value[slot] is None else f"{word.number(shown.value[slot])} {against(monitor, window)}"
    table = await readings(reader, of_window(how, state.segment, window, (column.name,)))
    evidence = msgspec.json.decode(table["evidence"][0].as_py() or "{}") if table.num_rows else {}
    value = f"{view.measures[monitor.measure].title}: {found}"
    return Looked(start, window, where, value, evidence.get("contributions", ()))


async def _over(
    view: ModelView, how: Taken, names: list[str], column: Column, state: PageState, here: Here, over: Period, shown: Series
) -> Any:
    """The measure of drift over time, with its thresholds."""
    monitor, about = how.monitor, view.measures[how.monitor.measure]
    title = f"{about.title}, {word.stretch(over.start, over.end)}"
    slot = window_of(state, shown)
    choices = board.measures(view, names, how, state, here, column.name)
    said = "No window evaluated." if slot is None else f"{word.number(shown.value[slot])}, {of(shown, slot, monitor)}."
    said += "" if shown.limited or slot is None or not how.stored else " No threshold set."
    if slot is not None and not shown.verdict[slot]:
        said = f"No reading of {moment.period(*shown.window(slot))}."
    if (without := bare(view, monitor)) is not None:
        return piece.card(title, [choices, without], note=reach(state))
    note = f"{reach(state)}, {shift(over)}. {said}{how.note}"
    if not any(shown.verdict):
        return piece.card(title, [choices, nothing(view, monitor, state, here, column.name)], note=note)
    figure = timeline(
        shown,
        measure=about,
        limits=limits(monitor, about, shown),
        marks=view.marks(monitor.name, column.name, state.segment),
        chosen=None if slot is None else shown.time(slot),
        height=300,
    )
    breached = sum(verdict in {"warn", "critical"} for verdict in shown.verdict)
    sentence = f"{about.title} of {column.name} over {shift(over)}: {breached} of {len(shown)} windows reached a threshold."
    asked = question(how, state.segment, over.start, over.end, (column.name,))
    foot = piece.source(asked) if isinstance(asked, Query) else None
    return piece.card(
        title, [choices, windows(shown, slot, state, here), graph("drift", figure, sentence, view.retrains)], note=note, foot=foot
    )
