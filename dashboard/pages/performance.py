"""The page Performance of a model: how right is it, since when, and where does it err?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment
from core.contract import Task
from core.error import ConfigError, Retryable
from core.measure import Family, Measure, Need, Subject
from core.monitor import Monitor
from core.reading import Query
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, controls, windows
from dashboard.figure.timeline import LABELLED, timeline
from dashboard.graph import meant
from dashboard.pages import board
from dashboard.pages.confusion import confusion
from dashboard.pages.errors import errors, residuals
from dashboard.pages.head import head, there
from dashboard.pages.scores import scores
from dashboard.pages.segments import segments
from dashboard.panel import Page, ask, panel, panels
from dashboard.period import Period, period, shift
from dashboard.ports import LabelledRows, Reader
from dashboard.series import Series, limits
from dashboard.state import PageState, address
from dashboard.taken import Taken, question, readings, taken
from dashboard.taken import series as series_of
from dashboard.view_model import ModelView, looked, nothing, of, reach, traffic, unknown, view, window_of

_ESTIMATED = "performance.estimated_"
_PLAIN: tuple[dict[str, str], ...] = ({}, {"average": "macro"})  # params of the measures that estimates are of, besides the positive class


async def draw(reader: Reader, search: str, name: str) -> Page:
    """A measure over time with its interval and its estimate, the confusion matrix of the selected window, and the measure by segment."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return there(name, "performance", changed)

    title, top = f"Performance of {name}", head(found.row, state, "performance")
    if found.row.last_ts is None:
        why = "Send predictions and their labels; the first window that closes is evaluated."
        return Page(title, [*top, piece.empty("No event yet", why, html.Pre(f"watchkeeper replay stream.parquet --model {name}"))])
    drawn = await panels(performance=_performance(reader, found, state, here))
    parts = [part for each in drawn.values() for part in piece.several(each)]
    return Page(title, [*top, *controls(found, state, here, computed=True), *parts])


def measures_of(view: ModelView) -> list[str]:
    """The measures of performance that the model can have, and user measures of monitors: those that a monitor takes come first, estimates after what labels give."""
    fit = [one.name for one in view.measures.values() if one.family is Family.PERFORMANCE and one.subject is Subject.MODEL]
    watched = {one.measure for one in view.monitors}
    own = sorted(name for name in watched if name.startswith(f"{Family.USER}."))
    kept = [*(name for name in fit if view.measures[name].fits(view.contract)), *own]
    return sorted(kept, key=lambda name: (name not in watched, name.startswith(_ESTIMATED)))


async def _performance(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    """The measure over time, and what the selected window holds."""
    names = measures_of(view)
    measure = state.measure if state.measure in names else board.usual_measure(view, names)
    about, how = view.measures[measure], taken(view, measure, state)
    chosen = board.measures(view, names, how, state, here)
    over = period(view.row, state, how.monitor.window)
    asked = question(how, state.segment, over.start, over.end)
    try:
        table, volume, other = await gather(
            readings(reader, asked), traffic(reader, view.row.model, state.segment, over), _other(reader, view, how, state, over)
        )
    except (ConfigError, Retryable) as error:
        return [board.unavailable(about.title, chosen, error)]
    shown = (
        Series.of(table, over.start, over.end, over.step, over.window)
        if table.num_columns
        else Series.none(over.start, over.end, over.step, over.window)
    )
    if not any(shown.verdict):
        return [piece.card(about.title, [chosen, nothing(view, how.monitor, state, here)])]
    slot = window_of(state, shown)
    picture = _picture(view, how, shown, slot, volume, other, state)
    note = _note(about, shown, slot, over, state, how)
    chart = piece.card(
        f"{about.title}, {word.stretch(over.start, over.end)}",
        [chosen, windows(shown, slot, state, here), *picture],
        note=note,
        foot=piece.source(asked) if isinstance(asked, Query) else None,
    )
    if slot is None:
        return [chart]
    facts = piece.figures(*_facts(about, shown, slot, volume, other, how))
    parts = await gather(
        panel(_window(reader, view, state, here, how.monitor, shown.window(slot)), "window"),
        panel(_segments(reader, view, how, state, over, here, shown.time(slot)), "segments"),
    )
    return [facts, chart, *(part for each in parts for part in piece.several(each) if part is not None)]


def _picture(
    view: ModelView,
    how: Taken,
    shown: Series,
    slot: int | None,
    volume: Sequence[int | None],
    other: tuple[str, Series] | None,
    state: PageState,
) -> list[Component]:
    """The measure over time, below the sentence that says what it means."""
    about = view.measures[how.monitor.measure]
    labelled = Need.LABELS in about.requires
    figure = timeline(
        shown,
        measure=about,
        limits=limits(how.monitor, about, shown),
        traffic=volume if labelled else None,
        marks=view.marks(how.monitor.name, "", state.segment),
        chosen=None if slot is None else shown.time(slot),
        rows=LABELLED if labelled else "rows",
        beside=other,
    )
    sentence = _sentence(about, shown, how.monitor, slot)
    return meant("measure", figure, sentence, view.retrains)


def _note(about: Measure, shown: Series, slot: int | None, over: Period, state: PageState, how: Taken) -> str:
    """What the picture is of."""
    band = "" if slot is None else f" {looked(state, shown, slot)}; click another to look at it."
    bars = "Bars: labelled rows, and hatched those without a label." if Need.LABELS in about.requires else "Bars: rows."
    return f"{reach(state)}, {shift(over)}; the band around the line is an interval of 95 %. {bars}{band}{how.note}"


async def _other(reader: Reader, view: ModelView, how: Taken, state: PageState, over: Period) -> tuple[str, Series] | None:
    """The estimate of a measure, or what labels give of an estimated one, in the same windows: its title and readings. None if there is none."""
    name = how.monitor.measure.removeprefix("performance.")
    partner = f"performance.{name.removeprefix('estimated_')}" if name.startswith("estimated_") else f"{_ESTIMATED}{name}"
    params = {
        key: value for key, value in how.monitor.params.items() if value is not None and (key, value) != ("class", view.contract.positive)
    }
    if (
        partner not in view.measures
        or not view.measures[partner].fits(view.contract)
        or (partner.startswith(_ESTIMATED) and params not in _PLAIN)
    ):
        return None
    other = taken(view, partner, state.but(monitor=""), like=how.monitor)
    if not other.stored and view.contract.task is Task.REGRESSION:
        return None  # the model of its errors is trained, which a page does not wait for
    try:
        shown = await series_of(reader, question(other, state.segment, over.start, over.end), over)
    except Retryable:  # the measure is there all the same
        return None
    return (view.measures[partner].title, shown) if any(value is not None for value in shown.value) else None


async def _segments(reader: Reader, view: ModelView, how: Taken, state: PageState, over: Period, here: Here, window: int) -> Any:
    """The measure by segment. It is not computed on demand, because that may read every labelled row of the period."""
    return await segments(reader, view, how.monitor, state, over, here, column="", window=window) if how.stored else None


async def _window(reader: Reader, view: ModelView, state: PageState, here: Here, monitor: Monitor, window: tuple[int, int]) -> list[Any]:
    """What the labelled rows of a window tell."""
    if view.contract.task is Task.REGRESSION:
        return [
            await errors(reader, view, state, here, monitor.version, window),
            await residuals(reader, view, state, monitor.version, window),
        ]
    labelled: LabelledRows = await ask(reader.labelled, view.row.model, state.segment, monitor.version, *window)
    return [confusion(labelled, view.contract.classes, window), *scores(labelled, view.contract, state, window)]


def _facts(
    about: Measure, shown: Series, slot: int, volume: Sequence[int | None], other: tuple[str, Series] | None, how: Taken
) -> list[tuple[str, Any, Any]]:
    """The value of the selected window with its interval, its estimate, and how many of its rows have a label."""
    badge = piece.badge(shown.verdict[slot], shown.reason[slot], limited=shown.limited)
    said = html.Span(f"{_interval(shown, slot)}{of(shown, slot, how.monitor)}", className="faint")
    facts: list[tuple[str, Any, Any]] = [(about.title, word.value(shown.value[slot], about), [badge, said])]
    if other is not None:
        title, beside = other
        why = _interval(beside, slot) or beside.reason[slot] or ""
        facts.append((title, word.value(beside.value[slot], about), f"{why}the same window"))
    if Need.LABELS in about.requires and shown.length in {None, shown.step} and (rows := volume[slot]):
        n = shown.n[slot] or 0
        facts.append(("Labelled", word.share(min(n / rows, 1.0)), f"{word.count(n)} of {word.count(rows)} predictions of the window"))
    return facts


def _interval(shown: Series, slot: int) -> str:
    lower, upper = shown.lower[slot], shown.upper[slot]
    return "" if lower is None or upper is None else f"95 %: {word.number(lower)} to {word.number(upper)}; "


def _sentence(about: Measure, shown: Series, monitor: Monitor, slot: int | None) -> str:
    """What the picture means."""
    if slot is None:
        return f"{about.title}: no value in this period."
    when = moment.period(*shown.window(slot))
    if shown.value[slot] is None:
        return f"{when}: there is no value, {shown.reason[slot] or 'and no reason is given'}."
    breached = sum(verdict in {"warn", "critical"} for verdict in shown.verdict)
    there = sum(value is not None for value in shown.value)
    held = f"{word.count(breached)} of {word.count(there)} windows reached a threshold" if monitor.alarms else "no threshold is set"
    better = {1: "; more is better", -1: "; less is better"}.get(about.directed(monitor.params).better, "")
    return f"{when}: {about.title.lower() if about.title[1:2].islower() else about.title} is {word.value(shown.value[slot], about)}{better}. In this period {held}."
