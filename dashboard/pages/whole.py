"""The parts of a model's page that show measures of the whole model: its performance, and the quality of its stream. Since when, and in which segments?"""

from __future__ import annotations

from asyncio import gather
from typing import Any

from dash import html

from core import moment
from core.measure import Family, Measure, Subject
from core.monitor import Monitor
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, choices, windows
from dashboard.figure.timeline import timeline
from dashboard.graph import graph
from dashboard.pages.segments import segments
from dashboard.panel import panel
from dashboard.period import period, shift
from dashboard.ports import Reader
from dashboard.series import Series, limits
from dashboard.state import PageState
from dashboard.view_model import ModelView, looked, nothing, of, question, reach, series, traffic, window_of


async def performance(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """How good are the model's predictions? `judged` holds the monitor of each measure."""
    shown = _shown(Family.PERFORMANCE, view, judged)
    if not shown:
        return [piece.card("Performance", piece.empty("Not watched", "No monitor takes a performance measure of this model."))]
    return await _whole("performance", reader, view, shown, state, here)


async def quality(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """Do its events and labels come as they should? Nothing if no monitor watches that."""
    shown = _shown(Family.QUALITY, view, judged)
    return await _whole("quality", reader, view, shown, state, here) if shown else []


def _shown(family: Family, view: ModelView, judged: dict[str, Monitor]) -> dict[str, Monitor]:
    """The monitors of the family's measures of the whole model, by measure."""
    known = view.measures
    return {name: monitor for name, monitor in judged.items() if known[name].family is family and known[name].subject is Subject.MODEL}


async def _whole(part: str, reader: Reader, view: ModelView, shown: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """The newest value of each measure; the selected measure over time, and by segment. `part` names the chart."""
    name = state.measure if state.measure in shown else next(iter(shown))
    monitor, about = shown[name], view.measures[name]
    over = {other: period(view.row, state, one.window.step) for other, one in shown.items()}
    asked = {other: question(one, state, over[other], column="") for other, one in shown.items()}
    answers, volume = await gather(
        gather(*(series(reader, query, over[other]) for other, query in asked.items())),
        traffic(reader, view.row.model, state.segment, over[name]),
    )
    found = dict(zip(shown, answers, strict=True))
    one = found[name]
    slot = window_of(state, one)
    chosen = None if slot is None else one.time(slot)
    marks = view.marks(monitor.name, "", state.segment)
    rows, counted = ("labelled", "labelled ones") if about.family is Family.PERFORMANCE else ("rows", "the rows of n")
    figure = timeline(one, measure=about, limits=limits(monitor, about, one), traffic=volume, marks=marks, chosen=chosen, rows=rows)
    chart = graph(part, figure, _sentence(one, about, monitor, slot)) if any(one.verdict) else nothing(view, monitor, state, here)
    band = "" if slot is None else f" {looked(state, one, slot)}; click another to look at it."
    card = piece.card(
        f"{about.title}, {word.stretch(over[name].start, over[name].end)}",
        [choices(shown, monitor, view, state, here), windows(one, slot, state, here), chart],
        note=f"{reach(state)}, {shift(over[name])}. Bars: predictions in light, {counted} in dark.{band}",
        foot=piece.source(asked[name]),
    )
    facts = piece.figures(*(_fact(view.measures[other], one, shown[other], state) for other, one in found.items()))
    if about.of_stream:
        return [facts, card]
    by = await panel(segments(reader, view, monitor, state, over[name], here, column="", window=chosen), "segments")
    return [facts, card, by]


def _fact(about: Measure, one: Series, monitor: Monitor, state: PageState) -> tuple[str, Any, Any]:
    slot = window_of(state, one)
    if slot is None or not one.verdict[slot]:
        where = "in this period" if slot is None else f"of {moment.period(one.time(slot), one.time(slot + 1))}"
        return (about.title, word.NONE, f"no reading {where}")
    baseline = one.baseline[slot]
    against = f"baseline {word.number(baseline)}, " if baseline is not None else ""
    shown = [
        piece.badge(one.verdict[slot], one.reason[slot], limited=one.limited),
        html.Span(against + of(one, slot, monitor), className="faint"),
    ]
    return (about.title, word.value(one.value[slot], about), shown)


def _sentence(one: Series, about: Measure, monitor: Monitor, slot: int | None) -> str:
    if slot is None:
        return f"{about.title}: no value in this period."
    breached = sum(verdict in {"warn", "critical"} for verdict in one.verdict)
    found = (
        f"was {word.value(one.value[slot], about)} ({of(one, slot, monitor)})"
        if one.value[slot] is not None
        else "has no value in this window"
    )
    return f"{about.title} {found}; {breached} of {len(one)} windows reached a threshold."
