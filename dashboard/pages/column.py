"""The page of a column: how does it differ from its baseline, and since when?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

from dash import html

from core import moment
from core.contract import Column
from core.measure import Family
from core.monitor import Monitor
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, choices, controls, windows
from dashboard.figure import histogram
from dashboard.figure.timeline import timeline
from dashboard.graph import graph
from dashboard.pages.segments import segments
from dashboard.panel import Page, ask, panel
from dashboard.period import period, shift
from dashboard.ports import Reader
from dashboard.series import choose, limits
from dashboard.state import PageState, address
from dashboard.view_model import ModelView, against, bare, looked, newest, nothing, of, question, reach, series, unknown, view, window_of

MOVED = 8  # parts listed


async def draw(reader: Reader, search: str, model: str, name: str) -> Page:
    """Baseline against target in one window; drift and null rate over time; by segment."""
    found, state = await view(reader, model), PageState.of(search)
    trail = piece.crumbs(("Models", address("models")), (model, address("models", model, state=state.but(by=""))), (name, None))
    column = _known(found, name)
    if found is None:
        return Page(name, [trail, unknown(model)])
    if column is None:
        return Page(name, [trail, piece.empty(f"{model} has no column {name}", "The page of the model lists its columns.")])

    def here(changed: PageState) -> str:
        return address("models", model, "columns", name, state=changed)

    about = (
        f"{column.kind} · "
        + (f"{column.values} value bins" if column.numeric else f"{column.values} {'states' if column.kind == 'text' else 'categories'}")
        + f" · contract {found.contract.version}"
    )
    head = [
        trail,
        html.Div([html.H1(piece.name(name, 120)), html.P(about, className="faint")], className="title"),
        *controls(found, state, here),
    ]
    if found.row.last_ts is None:
        return Page(name, [*head, piece.empty("No event yet", "There is nothing to compare with the reference.")])
    drifts = {
        measure: monitor
        for measure in found.measures
        if found.measures[measure].family is Family.DRIFT
        and (monitor := choose(found.monitors, measure, state.monitor, name, state.segment))
    }
    nulls = choose(found.monitors, "quality.null_rate", state.monitor, name, state.segment)
    body: list[Any] = []
    if drifts:
        measure = state.measure if state.measure in drifts else next(iter(drifts))
        body = await _drift(reader, found, drifts, measure, column, state, here)
    else:
        body = [await panel(_unwatched(reader, found, column, state), "distribution")]
    if nulls:
        body.append(await panel(_over(reader, found, nulls, column, state, here, "nulls"), "null rate"))
    return Page(f"{name} of {model}", [*head, *body])


def _known(view: ModelView | None, name: str) -> Column | None:
    try:
        return None if view is None else view.contract.column(name)
    except KeyError:
        return None


async def _drift(
    reader: Reader, view: ModelView, drifts: dict[str, Monitor], measure: str, column: Column, state: PageState, here: Here
) -> list[Any]:
    monitor = drifts[measure]
    over = period(view.row, state, monitor.window.step)
    shown = await series(reader, question(monitor, state, over, column=column.name), over)
    slot = window_of(state, shown)
    value = "No reading in this period" if state.segment == ALL else "No reading of this segment"
    if slot is None:  # the window that is selected for all traffic
        whole = await series(reader, question(monitor, state.but(segment=ALL), over, column=column.name), over)
        start = newest([whole], over)
        where = (
            f"Window of {moment.period(start, start + monitor.window.longest)}"
            if (at := window_of(state, whole)) is None
            else looked(state, whole, at)
        )
    else:
        start = shown.time(slot)
        found = "no value" if shown.value[slot] is None else f"{word.number(shown.value[slot])} {against(monitor)}"
        value = f"{view.measures[measure].title}: {found}" if shown.verdict[slot] else "No reading of it"
        where = looked(state, shown, slot)
    return list(
        await gather(
            panel(_distribution(reader, view, column, state, start, monitor.window.longest, (where, value)), "distribution"),
            panel(_over(reader, view, monitor, column, state, here, "drift", list(drifts)), "drift over time"),
            panel(segments(reader, view, monitor, state, over, here, column=column.name, window=start), "segments"),
        )
    )


async def _unwatched(reader: Reader, view: ModelView, column: Column, state: PageState) -> Any:
    """The distribution of a column whose drift no monitor watches, on the selected day, else on the newest."""
    newest_day = period(view.row, state, moment.DAY).end - moment.DAY
    start = newest_day if state.window is None else state.window // moment.DAY * moment.DAY
    where = "The newest day" if state.window is None else "The day of the chosen window"
    return await _distribution(reader, view, column, state, start, moment.DAY, (where, "No monitor takes a drift measure of it"))


async def _distribution(
    reader: Reader, view: ModelView, column: Column, state: PageState, start: int, length: int, about: tuple[str, str]
) -> Any:
    """The chart, and beside it the bins that changed most. `about` says which window it is, and what its reading is."""
    target, baseline = await ask(reader.histogram, view.row.model, column.name, state.segment, start, start + length)
    where, value = about
    alone = not sum(baseline)
    title = f"Distribution, {moment.period(start, start + length)}"
    side = (
        f"drawn against the reference, n {word.count(sum(baseline))}. {value}."
        if not alone
        else "drawn alone: the reference has no row of this segment."
        if view.referenced
        else "drawn alone: the model has no reference."
    )
    note = f"{where}: n {word.count(sum(target))}, {side}"
    if not sum(target):
        return piece.card(
            title, piece.empty("No row in this window", "Choose another window in the chart below, or another segment."), note=note
        )
    figure = (histogram.numeric if column.numeric else histogram.categorical)(column, target, baseline)
    parts = sorted(histogram.parts(column, target, baseline), key=lambda part: -abs(part.moved))[:MOVED]
    most = parts[0]
    if alone:
        rows: list[tuple[Any, ...]] = [(piece.name(part.name, 24), word.number(part.target)) for part in parts]
        sentence = f"{column.name}: {most.name} holds most, {word.number(most.target)} of rows."
        table = piece.table(("Most rows", "Target"), rows, caption="The parts with most rows", numbers=(1,))
    else:
        rows = [
            (
                piece.name(part.name, 24),
                word.number(part.baseline),
                word.number(part.target),
                f"{'+' if part.moved > 0 else ''}{word.number(part.moved)}",
            )
            for part in parts
        ]
        sentence = f"{column.name}: {most.name} moved most, from {word.number(most.baseline)} of rows in the baseline to {word.number(most.target)} in the target."
        table = piece.table(("Moved most", "Baseline", "Target", "Moved"), rows, caption="The parts that moved most", numbers=(1, 2, 3))
    return piece.card(title, html.Div([graph("distribution", figure, sentence), table], className="split"), note=note)


async def _over(
    reader: Reader,
    view: ModelView,
    monitor: Monitor,
    column: Column,
    state: PageState,
    here: Here,
    name: str,
    measures: Sequence[str] = (),
) -> Any:
    """One measure of the column over time."""
    over = period(view.row, state, monitor.window.step)
    about = view.measures[monitor.measure]
    title = f"{about.title}, {word.stretch(over.start, over.end)}"
    query = question(monitor, state, over, column=column.name)
    shown = await series(reader, query, over)
    slot = window_of(state, shown)
    head = [choices(measures, monitor, view, state, here, column.name), windows(shown, slot, state, here)] if measures else []
    said = "No window evaluated." if slot is None else f"{word.number(shown.value[slot])}, {of(shown, slot, monitor)}."
    said += "" if shown.limited or slot is None else " No threshold set."
    if slot is not None and not shown.verdict[slot]:
        said = f"No reading of {moment.period(shown.time(slot), shown.time(slot + 1))}."
    if (without := bare(view, monitor)) is not None:
        return piece.card(title, [*head[:1], without], note=reach(state))
    note = f"{reach(state)}, {shift(over)}. {said}"
    if not any(shown.verdict):
        return piece.card(title, [*head[:1], nothing(view, monitor, state, here, column.name)], note=note)
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
    return piece.card(title, [*head, graph(name, figure, sentence)], note=note, foot=piece.source(query))
