"""The drift part of a model's page: which columns moved, when, and how far?"""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from core import moment
from core.measure import BUILT, Family
from core.monitor import Monitor
from core.reading import Query
from dashboard import piece, word
from dashboard.control import Here, choices
from dashboard.figure.heat import heat
from dashboard.graph import graph
from dashboard.panel import ask
from dashboard.period import Period, period, shift
from dashboard.scene import LIMIT, Scene, nothing, question, reach
from dashboard.seam import Reader
from dashboard.series import Series, by_key
from dashboard.state import State, address


async def drift(reader: Reader, scene: Scene, judged: dict[str, Monitor], state: State, here: Here) -> list[Any]:
    """Every column over time, and a table that leads to each. `judged` gives each measure its monitor."""
    shown = {name: monitor for name, monitor in judged.items() if BUILT[name].family is Family.DRIFT}
    if not shown:
        return [piece.card("Drift", piece.empty("Not watched", "No monitor takes a drift measure of this model."))]
    name = state.measure if state.measure in shown else next(iter(shown))
    monitor = shown[name]
    over = period(scene.row, state, monitor.window)
    query = question(monitor, state, over, column=None)
    table = await ask(reader.readings, query)
    found = {column: Series.of(rows, over.start, over.end, over.step) for column, rows in by_key(table, "column").items()}
    head = choices(shown, monitor, scene.monitors, state, here)
    if not found:
        return [piece.card("Drift by column", [head, nothing(monitor, state, scene.segments)])]
    start = _start(found, over, state)
    ranked = dict(sorted(found.items(), key=lambda item: -(item[1].highest if item[1].highest is not None else -1.0)))
    top = monitor.critical if isinstance(monitor.critical, int | float) else None
    sentence = f"{word.title(name)} of {len(ranked)} columns over {shift(over)}; {next(iter(ranked))} moved furthest."
    map_ = piece.card(
        "Drift by column",
        [head, graph("drift", heat(ranked, measure=name, top=top, chosen=start), sentence)],
        note=f"{reach(state)}, {shift(over)}; the column that moved furthest on top. Blank is no value: point at it for the reason. Click a window to look at it.",
        foot=piece.source(query),
    )
    nulls = judged.get("quality.null_rate")
    missing = await _nulls(reader, nulls, state, start, over) if nulls else {}
    return [map_, _columns(ranked, missing, monitor, start, state, scene)]


def _start(found: dict[str, Series], over: Period, state: State) -> int:
    """The start of the window that is looked at: the chosen one, else the newest that was judged, else the newest with a value."""
    if state.window is not None and over.start <= state.window < over.end:
        return over.start + (state.window - over.start) // over.step * over.step
    for newest in ("judged", "last"):
        if times := [one.time(slot) for one in found.values() if (slot := getattr(one, newest)) is not None]:
            return max(times)
    return over.end - over.step


def _columns(found: dict[str, Series], missing: dict[str, float | None], monitor: Monitor, start: int, state: State, scene: Scene) -> Any:
    """The table: one row a column, those furthest in the window that starts at `start` first."""
    return piece.card(
        "Columns",
        piece.table(
            ("Column", word.brief(monitor.measure), "n", "State", "Highest", "Null rate", "Over the period"),
            [_column(column, one, missing.get(column), monitor, start, state, scene) for column, one in _now(found, start)],
            caption=f"Columns by {word.title(monitor.measure)}",
            numbers=(1, 2, 4, 5),
        ),
        note=f"Window of {moment.period(start, start + monitor.window)}, against {monitor.baseline or 'nothing'}; the furthest first.",
    )


def _now(found: dict[str, Series], start: int) -> list[tuple[str, Series]]:
    def value(one: Series) -> float:
        slot = one.slot(start)
        return -1.0 if slot is None or one.value[slot] is None else float(one.value[slot] or 0.0)

    return sorted(found.items(), key=lambda item: -value(item[1]))


def _column(column: str, one: Series, null: float | None, monitor: Monitor, start: int, state: State, scene: Scene) -> tuple[Any, ...]:
    link = piece.link(column, address("models", scene.row.model, "columns", column, state=state.but(by="")))
    slot = one.slot(start)
    spark = piece.line(one.value, f"{word.title(monitor.measure)} over the period", zero=True)
    limited = monitor.warn is not None or monitor.critical is not None
    if slot is None or not one.verdict[slot]:
        return (link, word.NONE, word.NONE, piece.badge("nodata", "No reading"), word.number(one.highest), word.NONE, spark)
    return (
        link,
        word.number(one.value[slot]),
        word.count(one.n[slot]),
        piece.badge(one.verdict[slot], one.reason[slot], limited=limited),
        word.number(one.highest),
        word.number(null),
        spark,
    )


async def _nulls(reader: Reader, monitor: Monitor, state: State, start: int, over: Period) -> dict[str, float | None]:
    """The null rate of every column over the window looked at: of all its rows where the null rate has shorter windows."""
    query = Query(
        model=monitor.model,
        monitor=monitor.name,
        measure=monitor.measure,
        segment=state.segment,
        start=start // monitor.window * monitor.window,
        end=start + over.step,
        limit=LIMIT,
    )
    table = await ask(reader.readings, query)
    table = table.filter(pc.is_valid(table["value"]))
    weighted = table.append_column("nulls", pc.multiply(table["value"], table["n_target"]))
    sums = weighted.group_by("column").aggregate([("nulls", "sum"), ("n_target", "sum")])
    rates = pc.divide(sums["nulls_sum"], sums["n_target_sum"])
    return dict(zip(sums["column"].to_pylist(), rates.to_pylist(), strict=True))
