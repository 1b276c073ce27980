"""The parts of a model's page that show measures of the whole model: its performance, and the quality of its stream. Since when, and in which segments?"""

from __future__ import annotations

from asyncio import gather
from typing import Any

from dash import html

from core import moment
from core.measure import Family, Judged, Measure, Need, Subject
from core.monitor import Monitor
from core.reading import Query
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, choices, windows
from dashboard.figure.timeline import LABELLED, timeline
from dashboard.graph import meant
from dashboard.pages.segments import segments
from dashboard.panel import panel
from dashboard.period import Period, period, shift
from dashboard.picked import pickers
from dashboard.ports import Reader
from dashboard.series import Limit, Series, choose, limits
from dashboard.state import PageState
from dashboard.taken import WHOLE, Taken, picked, question, several, taken
from dashboard.view_model import ModelView, looked, nothing, of, reach, traffic, window_of

_SIGNALS = {"service.latency": "@latency_ms", **{f"service.{name}": "@status" for name in ("error_rate", "availability", "burn_rate")}}
_SHORT = "7d"  # the period of what is made of all events
_WHY_SHORT = " It is made of all events, so over 7 days whatever the period; dates make it longer."
_PICKING = "performance"  # the part of a model's page that has the choices of windows and baseline


async def performance(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """How good are the model's predictions? `judged` holds the monitor of each measure."""
    shown = _shown(Family.PERFORMANCE, view, judged, state)
    if not shown:
        return [piece.card("Performance", piece.empty("Not watched", "No monitor takes a performance measure of this model."))]
    return await _whole(_PICKING, reader, view, shown, state, here)


async def quality(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """Do its events and labels come as they should? Nothing if no monitor watches that."""
    shown = _shown(Family.QUALITY, view, judged, state)
    return await _whole("quality", reader, view, shown, state, here) if shown else []


async def every_quality(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    """As `quality`, with the measures that no monitor takes, too. Of these, those that are made of all events come last, and only the chosen one is computed."""
    wanted = [about for about in view.measures.values() if about.family is Family.QUALITY and about.subject is Subject.MODEL]
    shown = {about.name: taken(view, about.name, state, segment=_segment(about, state)) for about in wanted if about.fits(view.contract)}
    ranked = dict(sorted(shown.items(), key=lambda one: _dear(view.measures[one[0]], one[1])))
    return await _whole("quality", reader, view, ranked, state, here)


async def served(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    """How does the model serve? Of latency and errors only what its contract has signals for."""
    signals = {column.name for column in view.contract.signals}
    wanted = [
        one
        for one in view.measures.values()
        if one.family is Family.SERVICE and _SIGNALS.get(one.name.partition("_p")[0]) in {None, *signals}
    ]
    shown = {one.name: taken(view, one.name, state) for one in wanted}
    return await _whole("service", reader, view, shown, state, here)


async def sure(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    """How sure is the model, and is it rightly? What monitors watch, and of the rest coverage and calibration, for what the contract has; nothing if it has none of these."""
    signals, watched = {column.name for column in view.contract.signals}, {one.measure for one in view.monitors}
    usual = {"uncertainty.interval_coverage"} if "@interval_width" in signals else set()
    usual |= {"uncertainty.ece"} if view.contract.scored else set()
    wanted = [one for one in view.measures.values() if one.family is Family.UNCERTAINTY and one.fits(view.contract)]
    shown = {one.name: taken(view, one.name, state) for one in wanted if one.name in watched | usual}
    return await _whole("sure", reader, view, shown, state, here) if shown else []


async def drift(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    """Has the model drifted as a whole? Nothing if no monitor watches that."""
    names = [about.name for about in view.measures.values() if about.family is Family.DRIFT and about.subject is Subject.MODEL]
    chosen = {name: monitor for name in names if (monitor := choose(view.monitors, name, state.monitor, segment=state.segment)) is not None}
    shown = _shown(Family.DRIFT, view, chosen, state)
    return await _whole("whole", reader, view, shown, state, here) if shown else []


def _shown(family: Family, view: ModelView, judged: dict[str, Monitor], state: PageState) -> dict[str, Taken]:
    """How the family's measures of the whole model are taken by monitors, by measure, or as they were picked."""
    known = view.measures
    return {
        name: picked(view, Taken(monitor, stored=True, as_of=state.as_of), state, segment=state.segment)
        for name, monitor in judged.items()
        if known[name].family is family and known[name].subject is Subject.MODEL
    }


def _dear(about: Measure, how: Taken) -> bool:
    """Whether its readings are made now of all events of a period, since panes do not hold how events came."""
    return about.of_stream and not how.stored


def _cut(about: Measure, how: Taken, state: PageState) -> bool:
    """Whether a measure is shown over less than the period that is chosen: of one that is made of all events a relative period is short."""
    return _dear(about, how) and state.start is None and state.range != _SHORT


def _over(view: ModelView, about: Measure, how: Taken, state: PageState) -> Period:
    """The period of a measure."""
    return period(view.row, state.but(range=_SHORT) if _cut(about, how, state) else state, how.monitor.window)


def _segment(about: Measure, state: PageState) -> str:
    """The segment of a measure's readings: how events come has no segments."""
    return ALL if about.of_stream else state.segment


async def _whole(part: str, reader: Reader, view: ModelView, shown: dict[str, Taken], state: PageState, here: Here) -> list[Any]:
    """The newest value of each measure; the selected measure over time, and by segment. `part` names the chart."""
    name = state.measure if state.measure in shown else next(iter(shown))
    how, about = shown[name], view.measures[name]
    monitor = how.monitor
    over = {other: _over(view, view.measures[other], one, state) for other, one in shown.items()}
    asked = {
        other: question(one, _segment(view.measures[other], state), over[other].start, over[other].end, (WHOLE,))
        for other, one in shown.items()
    }
    now = {other: asked[other] for other, one in shown.items() if other == name or not _dear(view.measures[other], one)}
    found, volume = await gather(several(reader, now, over), traffic(reader, view.row.model, state.segment, over[name]))
    one = found[name]
    slot = window_of(state, one)
    chosen = None if slot is None else one.time(slot)
    marks = view.marks(monitor.name, "", state.segment)
    labelled = about.family is Family.PERFORMANCE and Need.LABELS in about.requires
    rows, bars = (
        (LABELLED, "labelled rows, and hatched those without a label")
        if labelled
        else ("rows", "predictions in light, the rows of n in dark")
    )
    lines = [*limits(monitor, about, one), *_promise(monitor, about, one)]
    figure = timeline(one, measure=about, limits=lines, traffic=volume, marks=marks, chosen=chosen, rows=rows)
    said = _sentence(one, about, monitor, slot)
    chart = meant(part, figure, said, view.retrains) if any(one.verdict) else [nothing(view, monitor, state, here)]
    band = "" if slot is None else f" {looked(state, one, slot)}; click another to look at it."
    picks = pickers(view, monitor, state) if part == _PICKING else []  # once a page
    card = piece.card(
        f"{about.title}, {word.stretch(over[name].start, over[name].end)}",
        [choices(shown, monitor, view, state, here, more=picks), windows(one, slot, state, here), *chart],
        note=f"{reach(state)}, {shift(over[name])}. Bars: {bars}.{band}{how.note}{_WHY_SHORT if _cut(about, how, state) else ''}",
        foot=piece.source(query) if isinstance(query := asked[name], Query) else None,
    )
    facts = piece.figures(*(_fact(view.measures[other], found.get(other), one, state) for other, one in shown.items()))
    if about.of_stream or not how.stored:
        return [facts, card]
    by = await panel(segments(reader, view, monitor, state, over[name], here, column="", window=chosen), "segments")
    return [facts, card, by]


def _promise(monitor: Monitor, about: Measure, one: Series) -> list[Limit]:
    """What the model promises, as a line beside the thresholds."""
    promise = monitor.params.get("promise")
    return (
        []
        if promise is None or about.judged is not Judged.PROMISE
        else [Limit("", f"promise {word.number(promise)}", [promise] * len(one))]
    )


def _fact(about: Measure, one: Series | None, how: Taken, state: PageState) -> tuple[str, Any, Any]:
    if one is None:
        return (about.title, word.NONE, "computed once it is chosen below")
    slot = window_of(state, one)
    if slot is None or not one.verdict[slot]:
        where = "in this period" if slot is None else f"of {moment.period(*one.window(slot))}"
        return (about.title, word.NONE, f"no reading {where}")
    baseline = one.baseline[slot]
    against = f"baseline {word.number(baseline)}, " if baseline is not None else ""
    shown = [
        piece.badge(one.verdict[slot], one.reason[slot], limited=one.limited),
        html.Span(
            ("all traffic, " if _segment(about, state) != state.segment else "") + against + of(one, slot, how.monitor), className="faint"
        ),
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
