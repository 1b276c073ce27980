"""What else was unusual in the window of an episode: the segments, one dimension at a time, and the other columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from dash import html
from dash.development.base_component import Component

from core import moment, text
from core.episode import Episode
from core.measure import Judged, Measure
from core.monitor import Compare
from core.reading import Query, Verdict
from core.segment import ALL, grouping_of
from dashboard import components as piece
from dashboard import texts as word
from dashboard.pages.course import asked
from dashboard.panel import ask
from dashboard.ports import Reader
from dashboard.rank import RANKED, Slice, ranked
from dashboard.series import JUDGED
from dashboard.state import PageState
from dashboard.subject import page_of, what

MOST = 12  # segments or columns listed
_LEVELS: dict[str, int] = {Verdict.CRITICAL: 0, Verdict.WARN: 1}


async def where(reader: Reader, one: Episode, state: PageState, here: Callable[[PageState], str]) -> Component | None:
    """The segments of one dimension in the window, those with the largest impact first. None if the monitor has no dimension."""
    watched = [grouping for grouping in one.definition.segments if grouping != ALL]
    if not watched:
        return None
    own = "*".join(grouping_of(one.segment))
    by = state.by if state.by in watched else own if own in watched else watched[0]
    query = await asked(reader, one, column=one.column, segment=by, start=one.window_start, end=one.window_start + 1, closes=one.window_end)
    slices = ranked(await _slices(reader, query, "segment"), one.definition, reader.measures[one.measure], parts=True)
    tabs = piece.choice("By", [(name, here(state.but(by=name)), name == by) for name in watched]) if len(watched) > 1 else None
    title = f"{word.cut(what(one, reader.measures), 60)} by {by}"
    shown = (
        _table(one, reader.measures[one.measure], slices, "Segment", title)
        if slices
        else piece.empty("No reading", "No value of it had rows in this window.")
    )
    note = f"{moment.period(one.window_start, one.window_end)}, n {word.count(sum(part.n or 0 for part in slices))} in all. {RANKED}"
    return piece.card(title, [part for part in (tabs, shown) if part is not None], note=note, foot=piece.source(query))


async def columns(reader: Reader, one: Episode) -> Component | None:
    """The other columns of the segment in the same window; None for measures of the whole model."""
    if not one.column:
        return None
    query = await asked(
        reader, one, column=None, segment=one.segment, start=one.window_start, end=one.window_start + 1, closes=one.window_end
    )
    slices = ranked(await _slices(reader, query, "column"), one.definition, reader.measures[one.measure], parts=False)
    slices.sort(key=lambda part: _LEVELS.get(part.verdict, 2) if part.verdict in JUDGED else 3)
    if len(slices) < 2:
        return None
    title = f"{reader.measures[one.measure].title} of every column"
    enough = " Excess is what chance does not explain; it is OK, however large, while p is no evidence." if _excess(one) else ""
    note = f"{moment.period(one.window_start, one.window_end)}. Those that reached a threshold first, then the largest; too few samples last.{enough}"
    return piece.card(title, _table(one, reader.measures[one.measure], slices, "Column", title), note=note, foot=piece.source(query))


async def _slices(reader: Reader, query: Query, key: str) -> list[Slice]:
    names = [key, "value", "baseline_value", "n_target", "n_baseline", "verdict", "reason"]
    table = await ask(reader.readings, query)
    found = [row for row in table.select([*names, "evidence"]).to_pylist() if row["value"] is not None]
    evidence = [msgspec.json.decode(row["evidence"] or "{}") for row in found]
    return [
        replace(Slice(*(row[name] for name in names)), excess=told.get("excess"), p=told.get("p"))
        for row, told in zip(found, evidence, strict=True)
    ]


def _excess(one: Episode) -> bool:
    """Whether its monitor compares what is beyond chance."""
    return one.definition.compare is Compare.EXCESS


def _table(one: Episode, about: Measure, slices: Sequence[Slice], key: str, caption: str) -> Component:
    """A table with one row for each slice, which links to its page in the episode's window."""
    gaps = about.judged is Judged.WORSE
    parts = key == "Segment"
    valued, excess = any(part.baseline is not None for part in slices), _excess(one)
    head = (
        key,
        "Value",
        *(["Excess", "p"] if excess else []),
        *(["Baseline"] if valued else []),
        *(["Gap"] if gaps else []),
        "n",
        *(["Share"] if parts else []),
        "State",
    )
    rows = [
        (
            _link(one, part, parts=parts),
            word.number(part.value),
            *([word.number(part.excess), word.chance(part.p)] if excess else []),
            *([word.number(part.baseline)] if valued else []),
            *([word.number(part.gap)] if gaps else []),
            word.count(part.n),
            *([word.NONE if part.share is None else word.share(part.share)] if parts else []),
            piece.badge(part.verdict, part.reason),
        )
        for part in slices[:MOST]
    ]
    return piece.table(head, rows, caption=caption, numbers=range(1, len(head) - 1))


def _link(one: Episode, part: Slice, *, parts: bool) -> list[Any]:
    state = PageState(segment=part.name if parts else one.segment, measure=one.measure, monitor=one.monitor, window=one.window_start)
    column = one.column if parts else part.name
    href = page_of(one, column, state)
    mine = part.name == (one.segment if parts else one.column)
    said = piece.name(piece.value(part.name) if parts else text.unquote(part.name))
    return [piece.link(said, href), html.Span(" this episode", className="faint") if mine else None]
