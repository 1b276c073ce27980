"""The table of segments: in which segment of a grouping is the measure worst, in one window?"""

from __future__ import annotations

from typing import Any

from dash import html

from core import moment
from core.measure import Judged, Measure
from core.monitor import Monitor
from core.reading import Query
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here
from dashboard.period import Period
from dashboard.ports import Reader
from dashboard.rank import RANKED, Slice, ranked
from dashboard.series import Series, by_key
from dashboard.state import PageState
from dashboard.taken import Taken, question, readings, taken
from dashboard.view_model import ModelView, newest, watching, who

ROWS = 60


async def segments(
    reader: Reader, view: ModelView, monitor: Monitor, state: PageState, period: Period, here: Here, *, column: str, window: int | None
) -> Any:
    """One row a segment, the largest gap times share first. `window` is the start of the window of the values, None for the newest whole one."""
    watched = ["*".join(grouping) for grouping in view.groupings]
    if not watched:
        return None
    by = state.by if state.by in watched else next((name for name in watched if name in monitor.segments), watched[0])
    tabs = piece.choice("By", [(name, here(state.but(by=name)), name == by) for name in watched])
    how = _taken(view, monitor, state, column, by)
    asked = question(how, by, period.start, period.end, (column,) if column else ())
    found = by_key(table, "segment") if (table := await readings(reader, asked)).num_rows else {}
    found.pop(ALL, None)  # on demand it comes with every grouping
    about = view.measures[monitor.measure]
    title = f"{about.title} by {by}"
    if not found:
        why: list[Any] = ["No reading in this period."]
        if by not in monitor.segments:
            why = [f"The monitor {monitor.name} does not watch {by}.", who(watching(view, by, monitor.measure, column), state, here)]
        return piece.card(title, [tabs, piece.empty("Nothing to compare", *why)])
    lines = {name: Series.of(rows, period.start, period.end, period.step, period.window) for name, rows in found.items()}
    start = window if window is not None else newest(lines.values(), period)
    valued = any(value is not None for one in lines.values() for value in one.baseline)
    counted = any(n is not None for one in lines.values() for n in one.n_baseline)
    slices = ranked([_slice(name, one, start) for name, one in lines.items()], monitor, about, parts=True)
    gaps = about.judged is Judged.WORSE
    rows = [_row(one, lines[one.name], about, state, here, valued=valued, gaps=gaps, counted=counted) for one in slices[:ROWS]]
    total = sum(one.n or 0 for one in slices)
    more = html.P(f"{len(lines) - ROWS} more segments are in the export.", className="faint") if len(lines) > ROWS else None
    middle = [*(["Baseline"] if valued else []), *(["Gap"] if gaps else []), "n", "Share", *(["n baseline"] if counted else [])]
    head = ("Segment", "Value", *middle, "State", "Over the period")
    return piece.card(
        title,
        [tabs, piece.table(head, rows, caption=title, numbers=range(1, len(head) - 2)), more],
        note=f"Window of {moment.period(*monitor.window.at(start))}, n {word.count(total)} in all. {RANKED}{how.note}",
        foot=piece.source(asked) if isinstance(asked, Query) else None,
    )


def _taken(view: ModelView, monitor: Monitor, state: PageState, column: str, by: str) -> Taken:
    """How the values of a grouping are taken. Performance is not computed on demand, because that reads outcomes."""
    if not column or (monitor.name and by in monitor.segments):
        return Taken(monitor, stored=True, as_of=state.as_of)
    return taken(view, monitor.measure, state, column, by, monitor)


def _slice(name: str, one: Series, start: int) -> Slice:
    """A segment in the window that starts at `start`."""
    slot = one.slot(start)
    if slot is None:
        return Slice(name, None, None, None, None, "", None)
    return Slice(name, one.value[slot], one.baseline[slot], one.n[slot], one.n_baseline[slot], one.verdict[slot], one.reason[slot])


def _row(
    one: Slice, over: Series, about: Measure, state: PageState, here: Here, *, valued: bool, gaps: bool, counted: bool
) -> tuple[Any, ...]:
    link = piece.link(piece.name(piece.value(one.name)), here(state.but(segment=one.name)))
    spark = piece.line(over.value, f"{about.title} over the period", zero=about.from_zero)
    if not one.verdict:
        return (link, *[word.NONE] * (3 + valued + gaps + counted), piece.badge("nodata", "No reading"), spark)
    return (
        link,
        word.number(one.value),
        *([word.number(one.baseline)] if valued else []),
        *([word.number(one.gap)] if gaps else []),
        word.count(one.n),
        word.NONE if one.share is None else word.share(one.share),
        *([word.count(one.n_baseline)] if counted else []),
        piece.badge(one.verdict, one.reason, limited=over.limited),
        spark,
    )
