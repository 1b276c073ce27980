"""The drift part of a model's page: which columns drifted, when, and how far?"""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc
from dash import html

from core import moment
from core.measure import Family, Measure
from core.monitor import Monitor
from core.reading import Query, Verdict
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here, choices, windows
from dashboard.figure.heat import heat
from dashboard.graph import graph
from dashboard.panel import ask
from dashboard.period import Period, period, shift
from dashboard.ports import Reader
from dashboard.series import Series, by_key
from dashboard.state import PageState, address
from dashboard.view_model import LIMIT, ModelView, against, bare, newest, nothing, question, reach

MOSTLY = 0.5  # the null rate from which on a column is not called OK


async def drift(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    """Every column over time, a table with a link to each, and the model's signals. `judged` holds the monitor of each measure."""
    return [*await _drift(reader, view, judged, state, here), *_signals(view, state)]


def _signals(view: ModelView, state: PageState) -> list[Any]:
    """Links to the signals, monitored or not; nothing if the contract has none."""
    links: list[Any] = []
    for column in view.contract.signals:
        there = address("models", view.row.model, "columns", column.name, state=state.but(by=""))
        links += [*([" · "] if links else []), piece.link(piece.name(column.name), there)]
    note = "Derived from the fields of each event. Monitors watch those that they name under columns."
    return [piece.card("Signals", html.P(links), note=note)] if links else []


async def _drift(reader: Reader, view: ModelView, judged: dict[str, Monitor], state: PageState, here: Here) -> list[Any]:
    shown = {name: monitor for name, monitor in judged.items() if view.measures[name].family is Family.DRIFT}
    if not shown:
        return [piece.card("Drift", piece.empty("Not watched", "No monitor takes a drift measure of this model."))]
    name = state.measure if state.measure in shown else next(iter(shown))
    monitor, about = shown[name], view.measures[name]
    over = period(view.row, state, monitor.window.step)
    query = question(monitor, state, over, column=None)
    table = await ask(reader.readings, query)
    found = {column: Series.of(rows, over.start, over.end, over.step) for column, rows in by_key(table, "column").items()}
    head = choices(shown, monitor, view, state, here)
    title = f"{about.title} by column, {word.stretch(over.start, over.end)}"
    start = _start(found, over, state)
    nulls = judged.get("quality.null_rate")
    missing = await _nulls(reader, nulls, state, start, over) if nulls else {}
    if (without := bare(view, monitor)) is not None:
        there = {
            column.name: found.get(column.name) or Series.of(table.slice(0, 0), over.start, over.end, over.step)
            for column in view.contract.summarised
        }
        return [piece.card(title, [head, without]), _columns(there, missing, monitor, start, state, view)]
    if not found:
        return [piece.card(title, [head, nothing(view, monitor, state, here)])]
    ranked = dict(sorted(found.items(), key=lambda item: -_size(about, item[1].largest(about.size))))
    first = next(iter(ranked.values()))
    top = monitor.critical if isinstance(monitor.critical, int | float) else None
    sentence = f"{about.title} of {len(ranked)} columns over {shift(over)}; {next(iter(ranked))} moved furthest."
    map_ = piece.card(
        title,
        [
            head,
            windows(first, first.slot(start), state, here),
            graph("drift", heat(ranked, measure=about, top=top, chosen=start), sentence),
        ],
        note=f"{reach(state)}, {shift(over)}; the column that moved furthest on top. Blank is no value: point at it for the reason. Click a window to look at it.",
        foot=piece.source(query),
    )
    return [map_, _columns(ranked, missing, monitor, start, state, view)]


def _start(found: dict[str, Series], over: Period, state: PageState) -> int:
    """The start of the selected window; without a selection, of the newest window that a column's page would show first."""
    if state.window is not None:
        return over.start + (state.window - over.start) // over.step * over.step
    return newest(found.values(), over)


def _columns(
    found: dict[str, Series], missing: dict[str, tuple[float, float]], monitor: Monitor, start: int, state: PageState, view: ModelView
) -> Any:
    """The table: one row a column, with the largest drift in the window that starts at `start` first."""
    about = view.measures[monitor.measure]
    return piece.card(
        f"Columns, {moment.period(start, start + monitor.window.longest)}",
        piece.table(
            ("Column", about.short, "n", "State", "Highest", "Null rate", "Over the period"),
            [_column(column, one, missing.get(column), monitor, start, state, view) for column, one in _now(found, start, about)],
            caption=f"Columns by {about.title}",
            numbers=(1, 2, 4, 5),
        ),
        note=("A" if bare(view, monitor) else f"{against(monitor).capitalize()}; the furthest first. A") + " column opens in this window.",
    )


def _size(about: Measure, value: float | None) -> float:
    """How far a column has moved; -1 without a value."""
    return -1.0 if value is None else about.size(value)


def _now(found: dict[str, Series], start: int, about: Measure) -> list[tuple[str, Series]]:
    def value(one: Series) -> float:
        slot = one.slot(start)
        return _size(about, None if slot is None else one.value[slot])

    return sorted(found.items(), key=lambda item: -value(item[1]))


def _column(
    column: str, one: Series, null: tuple[float, float] | None, monitor: Monitor, start: int, state: PageState, view: ModelView
) -> tuple[Any, ...]:
    link = piece.link(piece.name(column), address("models", view.row.model, "columns", column, state=state.but(by="")))
    slot = one.slot(start)
    about = view.measures[monitor.measure]
    spark = piece.line(one.value, f"{about.title} over the period", zero=True)
    if slot is None or not one.verdict[slot]:
        return (
            link,
            word.NONE,
            word.NONE,
            piece.badge("nodata", "No reading"),
            word.number(one.largest(about.size)),
            word.number(null[0] if null else None),
            spark,
        )
    return (
        link,
        word.number(one.value[slot]),
        word.count(one.n[slot]),
        _state(one.verdict[slot], one.reason[slot], null, limited=one.limited),
        word.number(one.largest(about.size)),
        word.number(null[0] if null else None),
        spark,
    )


def _state(verdict: str, reason: str | None, null: tuple[float, float] | None, *, limited: bool) -> Any:
    """The state of a column's drift. If most values of a window were null, the drift of the others says little, so it is not called OK."""
    if verdict == Verdict.OK and null is not None and null[1] >= MOSTLY:
        return piece.badge("nodata", "All null" if null[0] == 1 else f"Null rate up to {word.number(null[1])}")
    return piece.badge(verdict, reason, limited=limited)


async def _nulls(reader: Reader, monitor: Monitor, state: PageState, start: int, over: Period) -> dict[str, tuple[float, float]]:
    """The null rate of every column in the selected window; if the null rate has shorter windows, the largest of theirs."""
    query = Query(
        model=monitor.model,
        monitor=monitor.name,
        measure=monitor.measure,
        segment=state.segment,
        start=start // monitor.window.step * monitor.window.step,
        end=start + over.step,
        limit=LIMIT,
    )
    table = await ask(reader.readings, query)
    table = table.filter(pc.is_valid(table["value"]))
    weighted = table.append_column("nulls", pc.multiply(table["value"], table["n_target"]))
    sums = weighted.group_by("column").aggregate([("nulls", "sum"), ("n_target", "sum"), ("value", "max")])
    rates = pc.divide(sums["nulls_sum"], sums["n_target_sum"])
    return dict(zip(sums["column"].to_pylist(), zip(rates.to_pylist(), sums["value_max"].to_pylist(), strict=True), strict=True))
