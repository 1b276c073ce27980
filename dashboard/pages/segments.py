"""The table of segments: where is it worst, in one window, over one grouping?"""

from __future__ import annotations

from typing import Any

from dash import html

from core import measure, moment, text
from core.monitor import Monitor
from core.reading import Query
from dashboard import piece, word
from dashboard.control import Here
from dashboard.panel import ask
from dashboard.period import Period
from dashboard.scene import LIMIT, Scene
from dashboard.seam import Reader
from dashboard.series import Series, by_key
from dashboard.state import State

ROWS = 60


async def segments(
    reader: Reader, scene: Scene, monitor: Monitor, state: State, period: Period, here: Here, *, column: str, window: int | None
) -> Any:
    """One row a segment value, the worst first. `window` is the start of the window that values are of, None for the last of the period."""
    watched = ["*".join(grouping) for grouping in scene.groupings]
    if not watched:
        return None
    by = state.by if state.by in watched else next((name for name in watched if name in monitor.segments), watched[0])
    tabs = piece.choice("By", [(name, here(state.but(by=name)), name == by) for name in watched])
    query = Query(
        model=monitor.model,
        monitor=monitor.name,
        measure=monitor.measure,
        column=column,
        segment=by,
        start=period.start,
        end=period.end,
        limit=LIMIT,
    )
    found = by_key(await ask(reader.readings, query), "segment")
    title = f"{word.title(monitor.measure)} by segment"
    if not found:
        why = f"The monitor {monitor.name} does not watch {by}." if by not in monitor.segments else "No reading in this period."
        return piece.card(title, [tabs, piece.empty("Nothing to compare", why)])
    table = {name: Series.of(rows, period.start, period.end, period.step) for name, rows in found.items()}
    start = window if window is not None else period.end - period.step
    valued = any(value is not None for one in table.values() for value in one.baseline)
    rows = [_row(name, one, start, monitor, state, here, valued=valued) for name, one in _ranked(table, monitor, start)[:ROWS]]
    total = sum(one.n[slot] or 0 for one in table.values() if (slot := one.slot(start)) is not None)
    more = html.P(f"{len(table) - ROWS} more segments are in the export.", className="faint") if len(table) > ROWS else None
    head = ("Segment", "Value", *(["Baseline"] if valued else []), "n", "n baseline", "State", "Over the period")
    return piece.card(
        title,
        [tabs, piece.table(head, rows, caption=f"{title}, by {by}", numbers=(1, 2, 3, 4) if valued else (1, 2, 3)), more],
        note=f"Window of {moment.period(start, start + period.step)}, n {word.count(total)} in all; the worst first, thin ones last.",
        foot=piece.source(query),
    )


def _ranked(table: dict[str, Series], monitor: Monitor, start: int) -> list[tuple[str, Series]]:
    """The worst in the window that starts at `start` first, then thin ones, then those without a value."""
    worse = -measure.BUILT[monitor.measure].better or 1

    def rank(item: tuple[str, Series]) -> tuple[int, float]:
        slot = item[1].slot(start)
        value = None if slot is None else item[1].value[slot]
        if slot is None or value is None:
            return 2, 0.0
        return int(item[1].verdict[slot] == "insufficient"), -worse * value

    return sorted(table.items(), key=rank)


def _row(name: str, one: Series, start: int, monitor: Monitor, state: State, here: Here, *, valued: bool) -> tuple[Any, ...]:
    link = piece.link(text.unquote(name.split("=", 1)[1]) if "," not in name else text.unquote(name), here(state.but(segment=name)))
    spark = piece.line(one.value, f"{word.title(monitor.measure)} over the period", zero=word.from_zero(monitor.measure))
    limited = monitor.warn is not None or monitor.critical is not None
    if (slot := one.slot(start)) is None or not one.verdict[slot]:
        return (link, *[word.NONE] * (4 if valued else 3), piece.badge("nodata", "No reading"), spark)
    return (
        link,
        word.number(one.value[slot]),
        *([word.number(one.baseline[slot])] if valued else []),
        word.count(one.n[slot]),
        word.count(one.n_baseline[slot]),
        piece.badge(one.verdict[slot], one.reason[slot], limited=limited),
        spark,
    )
