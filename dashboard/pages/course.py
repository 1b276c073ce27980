"""The course of an episode: its readings at firing, at its worst and now, each with its window, and the measure over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from dash import html

from core import moment
from core.episode import Episode, Level
from core.measure import Measure
from core.reading import Query
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here
from dashboard.figure.timeline import Mark, timeline
from dashboard.graph import graph
from dashboard.panel import ask
from dashboard.period import Period, shift
from dashboard.ports import Reader
from dashboard.rank import worse
from dashboard.series import JUDGED, LONGEST, Calendric, Series, anchor, limits
from dashboard.state import PageState
from dashboard.subject import page_of, what
from dashboard.view_model import LIMIT, RETRAINS, against

BEFORE = 12  # windows before the episode
AFTER = 4  # and after it

Row = dict[str, Any]


async def course(reader: Reader, one: Episode, choice: PageState, here: Here) -> list[Any]:
    """The facts above the chart. Worst and now are of the readings as they are today, at firing is what was reported then."""
    over, about = _around(one), reader.measures[one.measure]
    name = word.cut(what(one, reader.measures), 80)
    query = await asked(
        reader, one, column=one.column, segment=one.segment, start=over.start, end=None if one.ended_at is None else over.end
    )
    table: pa.Table = await ask(reader.readings, query)
    rows = table.select([name for name in _FIELDS if name in table.column_names]).to_pylist()
    facts = piece.figures(*(_fact(fact, row, note, one) for fact, row, note in episode_facts(one, about, rows)))
    if not rows:
        return [facts, piece.card(name, piece.empty("No reading", "The readings around this episode are gone."))]
    over = _clipped(over, [anchor(one.definition.window, row["window_start"], row["window_end"]) for row in rows])
    over, chips = _chosen(over, choice, here)
    shown = Series.of(table, over.start, over.end, over.step, over.window)
    state = PageState(segment=one.segment, measure=one.measure, monitor=one.monitor)
    figure = timeline(
        shown,
        measure=about,
        limits=limits(one.definition, about, shown),
        marks=[Mark(one.fired_at, "fired", one.level), *(Mark(each.at, each.text, "") for each in one.changes)],
        chosen=anchor(one.definition.window, one.window_start, one.window_end),
        height=320,
        page=page_of(one, one.column, state),
    )
    title = f"{name}, {word.stretch(over.start, over.end)}"
    note = f"{shift(over)} around the episode; the band is the window of {moment.period(one.window_start, one.window_end)}. Click a window to look at it."
    chart = piece.card(
        title,
        [chips, graph("measure", figure, one.reason, await ask(reader.ran, one.model, RETRAINS))],
        note=note,
        foot=piece.source(query),
    )
    return [facts, _persisting(one, rows), chart]


def _chosen(over: Period, choice: PageState, here: Here) -> tuple[Period, Any]:
    """The part of the period that was selected in the chart, and the chip that shows the whole period again."""
    start, end = over.start, over.end
    if choice.start is not None:
        start = max(start, start + (choice.start - start) // over.step * over.step)
    if choice.end is not None:
        end = min(end, end - (end - choice.end) // over.step * over.step)
    if start >= end or (start, end) == (over.start, over.end):
        return over, None
    whole = here(choice.but(start=None, end=None))
    return Period(start, end, over.step, window=over.window), piece.chips(("Period", word.stretch(start, end), whole))


_FIELDS = ("window_start", "window_end", "value", "baseline_value", "n_target", "n_baseline", "verdict", "reason", "revision")


async def asked(
    reader: Reader, one: Episode, *, column: str | None, segment: str | None, start: int, end: int | None, closes: int | None = None
) -> Query:
    """Readings of the monitor as it was defined when the episode fired, also if it has been changed since."""
    known = [monitor for monitor in await ask(reader.monitors, one.model) if monitor.name == one.monitor]
    held = any(monitor.evaluated_revision == one.definition.evaluated_revision for monitor in known)
    return Query(
        model=one.model,
        monitor=one.monitor,
        measure=one.measure,
        column=column,
        segment=segment,
        start=start,
        end=end,
        closes=closes,
        limit=LIMIT,
        definition=None if held else (one.definition.evaluated_revision, one.reading.contract),
    )


def episode_facts(one: Episode, about: Measure, rows: Sequence[Row]) -> list[tuple[str, Row | None, str]]:
    """The facts of an episode, each as (name, reading or None, what else is to be said): at firing, worst, and now or at its end.

    `rows` are the readings around it, newest revisions. The worst is one of those that were judged while it lasted; a comparison has none.
    """
    judged = sorted((row for row in rows if row["verdict"] in JUDGED and row["value"] is not None), key=_end)
    lasted = [
        row for row in judged if row["window_start"] >= one.started_at and (one.ended_at is None or row["window_end"] <= one.ended_at)
    ]
    worst = max(lasted, key=lambda row: _worse(one, about, row), default=None)
    first = next((row for row in rows if row["window_end"] == one.fired_at), None)
    again = ""
    if one.first is not None:
        now, first = first, {name: getattr(one.first, name) for name in _FIELDS}
        if now is not None and now["revision"] > first["revision"] and now["value"] != first["value"]:
            again = f"evaluated again since: {word.number(now['value'])}"
    facts = [("At firing", first, again), ("Worst", worst, "")]
    if one.definition.other is not None:  # a verdict is of all windows so far, so that none is the worst
        del facts[1]
    newest = judged[-1] if judged else None
    if one.ended_at is None:
        later = max((row for row in rows if newest and row["window_end"] > newest["window_end"]), key=_end, default=None)
        since = f"since then: {word.state_of(later['verdict'], later['reason'], limited=True)[2].lower()}" if later else ""
        return [*facts, ("Now", newest, since)]
    return [*facts, ("At its end", next((row for row in reversed(judged) if row["window_end"] <= one.ended_at), None), "")]


def _end(row: Row) -> int:
    return int(row["window_end"])


def _worse(one: Episode, about: Measure, row: Row) -> float:
    found = worse(one.definition, about, row["value"], row["baseline_value"])
    return float("-inf") if found is None else found


def _fact(name: str, row: Row | None, note: str, one: Episode) -> tuple[str, str, Any]:
    """A reading with its verdict, its baseline, its n and its window."""
    if row is None:
        return name, word.NONE, "no reading is left of it"
    baseline = "" if row["baseline_value"] is None else f"{_against(one)} {word.number(row['baseline_value'])}, "
    window = row["window_start"], row["window_end"]
    rows = "" if row["n_baseline"] is None else f", {against(one.definition, window)}, {word.count(row['n_baseline'])} rows"
    of = f"{baseline}n {word.count(row['n_target'])}, {moment.period(*window)}{rows}"
    faint = [html.Span(said, className="faint") for said in (of, note) if said]
    return name, word.number(row["value"]), [piece.badge(row["verdict"], row["reason"]), *faint]


def _against(one: Episode) -> str:
    return one.definition.baseline.brief if one.definition.baseline else "baseline"


def _persisting(one: Episode, rows: Sequence[Row]) -> Any:
    """Why an episode at warn has critical windows; None if it has the level of its worst window."""
    critical = sum(row["verdict"] == "critical" and row["window_start"] >= one.started_at for row in rows)
    m, n = one.definition.persist
    if one.level is Level.CRITICAL or not critical or n == 1:
        return None
    said = f"{critical} window{'' if critical == 1 else 's'} reached critical; the episode is critical when {m} of the last {n} are."
    return html.P(said, className="faint")


def _around(one: Episode) -> Period:
    """Some windows before the episode and after it; up to the newest while it is open."""
    step = one.definition.window.step
    start = one.window_start - (BEFORE + -(-(one.window_start - one.started_at) // step)) * step
    longest = start + LONGEST * step
    return Period(start, longest if one.ended_at is None else min(one.ended_at + AFTER * step, longest), step, window=one.definition.window)


def _clipped(over: Period, starts: Sequence[int]) -> Period:
    """The period without the time before the first reading and after the last; `cut` is set if the last one is beyond what is drawn."""
    first, last = min(starts), max(starts) + over.step
    if isinstance(over.window, Calendric):  # their slots are aligned to steps
        first, last = first // over.step * over.step, -(-last // over.step) * over.step
        return Period(first, last, over.step, cut=over.end < max(starts) - over.step, window=over.window)
    return Period(first, min(last, over.end), over.step, cut=last > over.end, window=over.window)
