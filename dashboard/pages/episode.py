"""An episode: what happened, how bad was it, and what next?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow.compute as pc
from dash import html
from dash.development.base_component import Component

from core import measure, moment, text
from core import window as windows
from core.episode import Delivery, Episode, State, Transition
from core.reading import Query
from core.segment import ALL
from dashboard import piece, word
from dashboard.figure.timeline import Mark, timeline
from dashboard.graph import graph
from dashboard.panel import Page, ask, panel
from dashboard.period import Period, shift
from dashboard.scene import LIMIT
from dashboard.seam import Reader
from dashboard.series import LONGEST, Series, limits
from dashboard.state import State as Choice
from dashboard.state import address

BEFORE = 12  # windows before the episode
AFTER = 4  # and after it
BESIDE = 12  # other segments or columns listed


async def draw(reader: Reader, id_: str) -> Page:
    """Why it fired, the measure around it, what else was off in the same window, and its life step by step."""
    one = await ask(reader.episode, id_)
    if one is None:
        trail = piece.crumbs(("Inbox", address()), (id_, None))
        return Page("Episode", "inbox", [trail, piece.empty("There is no such episode", "It may have been of another installation.")])
    subject = word.title(one.measure) + (f" of {one.column}" if one.column else "")
    drawn = await gather(
        panel(_measure(reader, one), "measure over time"),
        panel(_beside(reader, one), "what else was off"),
        panel(_life(reader, one), "timeline"),
        panel(_similar(reader, one), "similar episodes"),
    )
    body = [
        piece.crumbs(("Inbox", address()), (one.model, address("models", one.model)), (subject, None)),
        _title(one, subject),
        _facts(one),
        *drawn[:3],
        piece.card("Rule as it was", _rule(one), note=f"Revision {one.definition.revision} of {one.monitor}, as it was when it fired."),
        drawn[3],
    ]
    return Page(subject, "inbox", [part for part in body if part is not None])


def _title(one: Episode, subject: str) -> Component:
    """What it is, why it fired, and where to look next."""
    segment = "all traffic" if one.segment == ALL else text.unquote(one.segment)
    tags = [piece.badge(one.level), html.Span(one.severity, className="tag"), html.Span(str(one.state), className="tag")]
    state = Choice(segment=one.segment, measure=one.measure, monitor=one.monitor, window=one.window_start)
    ways: list[Any] = [piece.link("See the model in this window", address("models", one.model, state=state))]
    if one.column:
        column = address("models", one.model, "columns", one.column, state=state)
        ways += [" · ", piece.link(f"See {one.column} against its baseline", column)]
    return html.Div(
        [
            html.Div(tags, className="line"),
            html.H1(f"{subject} in {segment}"),
            html.P(one.reason, className="why large"),
            html.P(ways, className="next"),
        ],
        className="title",
    )


def _facts(one: Episode) -> Component:
    """The value that fired, what it was compared with, and how long it lasted."""
    lasted = word.span((one.ended_at or one.window_end) - one.started_at)
    window = moment.period(one.window_start, one.window_end)
    ended = (
        ("Ended", word.day(one.ended_at), f"{word.clock(one.ended_at)}, lasted {lasted}")
        if one.ended_at
        else ("Still open", lasted, "since it started, in event time")
    )
    return piece.figures(
        ("Value", word.number(one.value), f"n {word.count(one.reading.n_target)}, {window}"),
        ("Baseline", *_baseline(one)),
        ("Started", word.day(one.started_at), f"{word.clock(one.started_at)}, fired {word.instant(one.fired_at)}"),
        ended,
    )


def _baseline(one: Episode) -> tuple[str, str]:
    reading = one.reading
    if reading.baseline is None:
        return ("none", "compared with the limit itself")
    value = word.number(reading.baseline_value) if reading.baseline_value is not None else reading.baseline
    return (value, f"{reading.baseline}, n {word.count(reading.n_baseline)}")


async def _measure(reader: Reader, one: Episode) -> Any:
    over = _around(one)
    query = Query(
        model=one.model,
        monitor=one.monitor,
        measure=one.measure,
        column=one.column,
        segment=one.segment,
        start=over.start,
        end=over.end,
        limit=LIMIT,
    )
    table = await ask(reader.readings, query)
    if not len(table):
        return piece.card("The measure around it", piece.empty("No reading", "The readings around this episode are gone."))
    over = _clipped(over, table["window_start"].to_pylist())
    shown = Series.of(table, over.start, over.end, over.step)
    figure = timeline(
        shown,
        measure=one.measure,
        limits=limits(one.definition, shown),
        marks=[Mark(one.fired_at, "fired", one.level)],
        chosen=one.window_start,
        height=320,
    )
    note = f"{shift(over)} around the episode; the band is the window of the value above, n {word.count(one.reading.n_target)}."
    return piece.card("The measure around it", graph("measure", figure, one.reason), note=note, foot=piece.source(query))


def _around(one: Episode) -> Period:
    """Some windows before the episode and after it; up to the newest while it is open."""
    step = one.window_end - one.window_start
    start = one.window_start - (BEFORE + -(-(one.window_start - one.started_at) // step)) * step
    longest = start + LONGEST * step
    return Period(start, longest if one.ended_at is None else min(one.ended_at + AFTER * step, longest), step)


def _clipped(over: Period, starts: Sequence[int]) -> Period:
    """The period without what lies before the first reading and after the last."""
    return Period(min(starts), max(starts) + over.step, over.step)


async def _beside(reader: Reader, one: Episode) -> Any:
    """The other columns of the segment in the same window, or the other segments where the measure is of the whole model."""
    key, fixed = ("column", {"segment": one.segment}) if one.column else ("segment", {"column": ""})
    query = Query(
        model=one.model,
        monitor=one.monitor,
        measure=one.measure,
        start=one.window_start,
        end=one.window_start + 1,
        limit=LIMIT,
        column=fixed.get("column"),
        segment=fixed.get("segment"),
    )
    table = await ask(reader.readings, query)
    table = table.filter(pc.is_valid(table["value"]))
    rows = table.select([key, "value", "baseline_value", "n_target", "verdict", "reason"]).to_pylist()
    better = measure.BUILT[one.measure].better or -1
    rows.sort(key=lambda row: (row["verdict"] == "insufficient", better * row["value"]))
    if len(rows) < 2:
        return None
    title = "Other columns in this window" if one.column else "Segments in this window"
    return piece.card(
        title,
        piece.table(
            (key.capitalize(), "Value", "Baseline", "n", "State"),
            [_other(row, row[key], one) for row in rows[:BESIDE]],
            caption=title,
            numbers=(1, 2, 3),
        ),
        note=f"{word.title(one.measure)}, {moment.period(one.window_start, one.window_end)}; the worst first, thin ones last.",
        foot=piece.source(query),
    )


def _other(row: dict[str, Any], name: str, one: Episode) -> tuple[Any, ...]:
    """The row of a column or segment, which leads to its page in the episode's window."""
    state = Choice(segment=one.segment if one.column else name, measure=one.measure, monitor=one.monitor, window=one.window_start)
    href = address("models", one.model, "columns", name, state=state) if one.column else address("models", one.model, state=state)
    mine = name == (one.column or one.segment)
    return (
        [
            piece.link("all traffic" if name == ALL else text.unquote(name), href),
            html.Span(" this episode", className="faint") if mine else None,
        ],
        word.number(row["value"]),
        word.number(row["baseline_value"]),
        word.count(row["n_target"]),
        piece.badge(row["verdict"], row["reason"]),
    )


async def _life(reader: Reader, one: Episode) -> Any:
    steps: Sequence[Transition] = await ask(reader.transitions, one.id)
    items = [
        html.Li([html.Time(word.instant(step.at), className="faint"), html.Strong(_step(step)), html.Span(step.reason)]) for step in steps
    ]
    sent = [
        html.Li([html.Time(word.instant(row.created), className="faint"), html.Strong(_delivery(row)), html.Span(row.reason)])
        for row in one.deliveries
    ]
    return piece.card(
        "Timeline", html.Ol([*items, *sent], className="life"), note="Changes of state in event time, notifications by the clock."
    )


def _step(step: Transition) -> str:
    """A change of state in words. An episode begins when it fires, whatever its rule was before.

    A rule that fires again while it recovers goes on with the same episode; one that stays in firing reached another level.
    """
    match step.before, step.after:
        case State.FIRING, State.FIRING:
            return f"{step.level} reached"
        case State.RECOVERING | State.NODATA | State.ERROR, State.FIRING:
            return "firing again"
        case _, State.FIRING:
            return "fired"
        case _, State.NODATA:
            return "no data"
        case _:
            return str(step.after)


def _delivery(row: Delivery) -> str:
    tried = f", {row.attempts} attempt{'' if row.attempts == 1 else 's'}" if row.attempts else ""
    status = f", last answer {row.last_status}" if row.last_status else ""
    return f"{row.type.removeprefix('episode.')} to {row.destination}: {str(row.state).replace('_', ' ')}{tried}{status}"


async def _similar(reader: Reader, one: Episode) -> Any:
    past = [other for other in await ask(reader.episodes, None, one.model, 500) if other.id != one.id and other.monitor == one.monitor]
    close = [other for other in past if (other.column, other.segment) == (one.column, one.segment)][:8]
    if not close:
        return None
    rows = [
        (
            piece.link(moment.period(other.window_start, other.window_end), address("alerts", other.id)),
            piece.badge(other.level),
            word.number(other.value),
            str(other.state),
        )
        for other in close
    ]
    return piece.card(
        "Similar episodes", piece.table(("Window", "Worst", "Value", "How it is"), rows, caption="Similar episodes", numbers=(2,))
    )


def _rule(one: Episode) -> Any:
    rule = one.definition
    facts = {
        "Measure": rule.measure,
        "Baseline": rule.baseline or "none",
        "Window": windows.duration_text(rule.window),
        "Warn": _limit(rule.warn),
        "Critical": _limit(rule.critical),
        "Persist": f"{rule.persist[0]} of {rule.persist[1]} windows",
        "Least samples": word.count(rule.min_samples),
        "Segments": ", ".join(rule.segments),
    }
    return html.Dl([html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts.items()], className="rule")


def _limit(limit: Any) -> str:
    return (
        "none"
        if limit is None
        else f"{limit:g}"
        if isinstance(limit, int | float)
        else msgspec.json.encode(limit).decode().strip("{}").replace('"', "").replace(":", " ")
    )
