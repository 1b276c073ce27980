"""The drift part of a model's overview: the columns that moved most in the selected window, over time."""

from __future__ import annotations

from typing import Any

from core.error import ConfigError, Retryable
from core.measure import Family, Subject
from core.monitor import Monitor
from core.reading import Query
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, choices, windows
from dashboard.figure.heat import heat
from dashboard.graph import graph
from dashboard.pages.board import unavailable
from dashboard.pages.head import there
from dashboard.period import shift
from dashboard.ports import Reader
from dashboard.run import over_time, run
from dashboard.state import PageState
from dashboard.taken import Taken, picked, question
from dashboard.view_model import ModelView, bare, nothing, reach

SHOWN = 12  # columns


async def moved(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """The heat map, and the way to all columns. `judged` holds the monitor of each measure."""
    known = view.measures
    watched = {
        name: monitor for name, monitor in judged.items() if known[name].family is Family.DRIFT and known[name].subject is Subject.COLUMN
    }
    if not watched:
        return [piece.card("Drift", piece.empty("Not watched", "No monitor takes a drift measure of this model."))]
    name = state.measure if state.measure in watched else next(iter(watched))
    monitor, about = watched[name], view.measures[name]
    kept = state.but(by="", find="", sort="", page=1)
    how = picked(view, Taken(monitor, stored=True, as_of=state.as_of), state, segment=state.segment)
    head = choices(watched, monitor, view, state, here)
    try:
        shown = await run(reader, view, how, kept, size=SHOWN)
        series = {column: one for (column, _), one in (await over_time(reader, shown, kept)).items()}
    except (ConfigError, Retryable) as error:
        return [unavailable(about.title, head, error)]
    title = f"{about.title} by column, {word.stretch(shown.over.start, shown.over.end)}"
    every = piece.link(
        f"All {word.count(shown.found)} columns, ranked" if shown.found else "All columns",
        there(view.row.model, "drift", state.shared.but(measure=name, monitor=state.monitor)),
    )
    if (without := bare(view, monitor)) is not None:
        return [piece.card(title, [head, without], foot=every)]
    if not series:
        return [piece.card(title, [head, nothing(view, monitor, state, here)], foot=every)]
    first = next(iter(series.values()))
    top = monitor.critical if isinstance(monitor.critical, int | float) else None
    sentence = f"{about.title} of {len(series)} columns over {shift(shown.over)}; {next(iter(series))} has moved most."
    parts = [
        head,
        windows(first, first.slot(shown.start), state, here),
        graph("drift", heat(series, measure=about, top=top, chosen=shown.start), sentence, view.retrains),
    ]
    which = "Every column" if shown.found <= SHOWN else f"The {SHOWN} columns with the strongest evidence of {word.count(shown.found)}"
    note = f"{reach(state)}, {shift(shown.over)}. {which}, by the selected window. Blank is no value: point at it for the reason. Click a window to look at it.{how.note}"
    query = question(shown.of, state.segment, shown.over.start, shown.over.end)
    return [piece.card(title, parts, note=note, foot=[every, *(piece.source(query) if isinstance(query, Query) else [])])]
