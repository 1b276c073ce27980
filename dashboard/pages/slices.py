"""The page Segments of a model: where is the problem?"""

from __future__ import annotations

from typing import Any

from dash import html

from core import bin_text, moment
from core.baseline.words import words
from core.cause import CauseQuery, Causes, SegmentCause
from core.error import ConfigError, Retryable
from core.segment import ALL
from dashboard import components as piece
from dashboard import late
from dashboard import texts as word
from dashboard.control import Here, controls, windows
from dashboard.figure.bubbles import bubbles
from dashboard.graph import graph
from dashboard.pages import board
from dashboard.pages.cells import over_time
from dashboard.pages.head import head, there
from dashboard.pages.performance import measures_of
from dashboard.panel import Page, ask, panel
from dashboard.period import Period, period
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.taken import Taken, question, series, taken
from dashboard.view_model import ModelView, nothing, unknown, view, window_of


async def draw(reader: Reader, search: str, name: str) -> Page:
    """Bubbles of slices and their list, of a measure of performance in the selected window."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])
    title, top = f"Segments of {name}", head(found.row, state, "segments")
    if found.row.last_ts is None:
        return Page(title, [*top, piece.empty("No event yet", "Slices are made of events with their labels.")])

    def here(changed: PageState) -> str:
        return there(name, "segments", changed)

    return Page(
        title, [*top, *controls(found, state, here, computed=True), late.place("segments", "Looking for slices …", name, state.query)]
    )


async def slices(reader: Reader, name: str, search: str) -> Any:
    """The slices, which take seconds."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return None

    def here(changed: PageState) -> str:
        return there(name, "segments", changed)

    names = measures_of(found)
    measure = state.measure if state.measure in names else board.usual_measure(found, names)
    how = taken(found, measure, state)
    chosen = board.measures(found, names, how, state, here)
    over = period(found.row, state, how.monitor.window)
    return [
        *await _now(reader, found, measure, state, here, how, chosen, over),
        *piece.several(await panel(over_time(reader, found, measure, state, here), "cells")),
    ]


async def _now(
    reader: Reader, found: ModelView, measure: str, state: PageState, here: Here, how: Taken, chosen: Any, over: Period
) -> list[Any]:
    """The slices of the selected window."""
    about, name = found.measures[measure], found.row.model
    try:
        held = state.segment if state.segment in found.segments else ALL  # whose windows are those of the slice, too
        shown = await series(reader, question(how, held, over.start, over.end), over)
        slot = window_of(state, shown)
        if slot is None:
            return [piece.card(about.title, [chosen, nothing(found, how.monitor, state, here)])]
        start, end = shown.window(slot)
        baseline = how.monitor.baseline
        asked = CauseQuery(
            model=name,
            measure=measure,
            start=start,
            end=end,
            baseline=None if baseline is None else baseline.written,
            segment=state.segment,
            version=how.monitor.version,
        )
        causes: Causes = await ask(reader.cause, asked)
    except (ConfigError, Retryable) as error:
        return [board.unavailable(about.title, chosen, error)]
    top = [chosen, windows(shown, slot, state, here)]
    note = f"Against {words(baseline, how.monitor.window) if baseline else 'the reference'}. {causes.sentence}"
    links = {one.segment: _link(name, one.segment, found.segments, state, measure) for one in causes.segments}
    return _cards(f"{about.title} by slice, {moment.period(start, end)}", top, note, causes, links, f"worse by, {about.short}")


def _cards(title: str, top: list[Any], note: str, causes: Causes, links: dict[str, str], unit: str) -> list[Any]:
    """The picture, and the list."""
    if not causes.segments:
        return [piece.card(title, [*top, piece.empty("No slice is worse", "Each is as it was, or has too few rows.")], note=note)]
    said = f"{len(causes.segments)} slices; {bin_text.of_slice(causes.segments[0].segment)} contributes most."
    return [
        piece.card(title, [*top, graph("bubbles", bubbles(causes.segments, links, unit=unit), said)], note=note),
        piece.card(
            "Ranked", _table(causes.segments, links), note="By share of rows times how much worse each is; those that may be chance last."
        ),
    ]


def _link(model: str, segment: str, held: Any, state: PageState, measure: str) -> str:
    """Performance within a segment that panes hold; else the slices within the slice."""
    if segment in held:
        return there(model, "performance", state.shared.but(segment=segment, measure=measure))
    return there(model, "segments", state.but(segment=segment))


def _table(found: tuple[SegmentCause, ...], links: dict[str, str]) -> Any:
    head_ = ("Slice", "Value", "Baseline", "Contributes", "Share", "n", "p")
    rows = [
        (
            piece.link(piece.name(bin_text.of_slice(one.segment)), links[one.segment]),
            word.NONE if one.value is None else word.number(one.value),
            word.NONE if one.baseline is None else word.number(one.baseline),
            word.number(one.contribution),
            word.share(one.share),
            word.count(one.n),
            html.Span(word.chance(one.p), className="" if one.certain else "faint"),
        )
        for one in found
    ]
    return piece.table(head_, rows, caption="Slices, ranked", numbers=range(1, len(head_)))
