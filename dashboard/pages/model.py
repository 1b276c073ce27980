"""A model over time: how right is it, what moved, and in which segment?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from typing import Any

import pyarrow.compute as pc
from dash import html
from dash.development.base_component import Component

from core.measure import BUILT, Family
from core.monitor import Monitor
from core.reading import Query
from core.segment import ALL
from dashboard import piece, word
from dashboard.figure.heat import heat
from dashboard.figure.timeline import timeline
from dashboard.graph import graph
from dashboard.pages.segments import segments
from dashboard.panel import Page, ask, panel, panels
from dashboard.period import Period, period, shift
from dashboard.scene import LIMIT, Here, Scene, controls, monitors_choice, of, question, scene, series, traffic, window_of
from dashboard.seam import Reader
from dashboard.series import Series, by_key, choose, limits
from dashboard.state import State, address


async def draw(reader: Reader, name: str, state: State) -> Page:
    """Performance above its volume, drift of every column, and both by segment."""
    found = await scene(reader, name)
    trail = piece.crumbs(("Models", address("models")), (name, None))
    if found is None:
        return Page(
            name,
            "models",
            [trail, piece.empty(f"There is no model {name}", "It may have another name; the list of models knows them all.")],
        )

    def here(changed: State) -> str:
        return address("models", name, state=changed)

    row = found.row
    about = f"{row.task} · contract {row.contract_version} · {word.count(row.predictions)} predictions, {word.count(row.labels)} labelled · last event {word.instant(row.last_ts)}"
    head: list[Any] = [trail, html.Div([html.H1(name), html.P(about, className="faint")], className="title")]
    if row.last_ts is None:
        why = "The contract is there, so events are accepted. Send some, and the first closed window is evaluated:"
        return Page(
            name, "models", [*head, piece.empty("No event yet", why, html.Pre(f"watchkeeper replay stream.parquet --model {name}"))]
        )
    judged = {measure: monitor for measure in BUILT if (monitor := choose(found.monitors, measure, state.monitor)) is not None}
    if not judged:
        return Page(
            name, "models", [*head, piece.empty("No monitor watches this model", "Apply one:", html.Pre("watchkeeper apply monitors.yaml"))]
        )
    drawn = await panels(
        performance=_performance(reader, found, judged, state, here),
        drift=_drift(reader, found, judged, state, here),
    )
    return Page(
        name, "models", [*head, *controls(found, state, here), *piece.several(drawn["performance"]), *piece.several(drawn["drift"])]
    )


async def _performance(reader: Reader, scene: Scene, judged: dict[str, Monitor], state: State, here: Here) -> list[Any]:
    """The newest number of each performance measure, the chosen one over time, and by segment."""
    shown = {name: monitor for name, monitor in judged.items() if BUILT[name].family is Family.PERFORMANCE}
    if not shown:
        return [piece.card("Performance", piece.empty("Not watched", "No monitor takes a performance measure of this model."))]
    name = state.measure if state.measure in shown else next(iter(shown))
    monitor = shown[name]
    over = period(scene.row, state, monitor.window)
    asked = {other: question(one, state, period(scene.row, state, one.window), column="") for other, one in shown.items()}
    answers, volume = await gather(
        gather(*(series(reader, query, period(scene.row, state, shown[other].window)) for other, query in asked.items())),
        traffic(reader, scene.row.model, state.segment, over),
    )
    found = dict(zip(shown, answers, strict=True))
    facts = [_fact(other, one, shown[other], state) for other, one in found.items()]
    one = found[name]
    slot = window_of(state, one)
    chosen = None if slot is None else one.time(slot)
    tabs = (
        piece.choice("Measure", [(word.title(other), here(state.but(measure=other, monitor="")), other == name) for other in shown])
        if len(shown) > 1
        else None
    )
    figure = timeline(
        one,
        measure=name,
        limits=limits(monitor, one),
        traffic=volume,
        marks=scene.marks(name, "", state.segment),
        chosen=chosen,
        rows="labelled",
    )
    chart = graph("performance", figure, _sentence(one, monitor, slot)) if any(one.verdict) else _nothing(monitor, state, scene.segments)
    note = f"{_segment(state)}, {shift(over)}. Bars: predictions in light, labelled ones in dark. Click a window to look at it."
    by = await panel(segments(reader, scene, monitor, state, over, here, column="", window=chosen), "segments")
    card = piece.card(
        "Performance",
        [html.Div([tabs, monitors_choice(scene.monitors, monitor, state, here)], className="controls"), chart],
        note=note,
        foot=piece.source(asked[name]),
    )
    return [piece.figures(*facts), card, by]


async def _drift(reader: Reader, scene: Scene, judged: dict[str, Monitor], state: State, here: Here) -> list[Any]:
    """Every column over time, and a table that leads to each."""
    shown = {name: monitor for name, monitor in judged.items() if BUILT[name].family is Family.DRIFT}
    if not shown:
        return [piece.card("Drift", piece.empty("Not watched", "No monitor takes a drift measure of this model."))]
    name = state.measure if state.measure in shown else next(iter(shown))
    monitor = shown[name]
    over = period(scene.row, state, monitor.window)
    query = question(monitor, state, over, column=None)
    nulls = judged.get("quality.null_rate")
    table, missing = await gather(ask(reader.readings, query), _nulls(reader, nulls, state, over) if nulls else _none())
    found = {column: Series.of(rows, over.start, over.end, over.step) for column, rows in by_key(table, "column").items()}
    tabs = (
        piece.choice("Measure", [(word.title(other), here(state.but(measure=other, monitor="")), other == name) for other in shown])
        if len(shown) > 1
        else None
    )
    head = html.Div([tabs, monitors_choice(scene.monitors, monitor, state, here)], className="controls")
    if not found:
        return [piece.card("Drift by column", [head, _nothing(monitor, state, scene.segments)])]
    newest = max((one.time(one.last) for one in found.values() if one.last is not None), default=over.end - over.step)
    start = state.window if state.window is not None and over.start <= state.window < over.end else newest
    start = over.start + (start - over.start) // over.step * over.step
    ranked = dict(sorted(found.items(), key=lambda item: -max((value for value in item[1].value if value is not None), default=-1.0)))
    top = monitor.critical if isinstance(monitor.critical, int | float) else None
    note = f"{_segment(state)}, {shift(over)}; the column that moved furthest on top. Blank is no value: point at it for the reason. Click a window to look at it."
    worst = next(iter(ranked))
    sentence = f"{word.title(name)} of {len(ranked)} columns over {shift(over)}; {worst} moved furthest."
    rows = [_column(column, one, missing.get(column), monitor, start, state, scene) for column, one in _now(ranked, start)]
    columns = piece.table(
        ("Column", word.brief(name), "n", "State", "Highest", "Null rate", "Over the period"),
        rows,
        caption=f"Columns by {word.title(name)}",
        numbers=(1, 2, 4, 5),
    )
    return [
        piece.card(
            "Drift by column",
            [head, graph("drift", heat(ranked, measure=name, top=top, chosen=start), sentence)],
            note=note,
            foot=piece.source(query),
        ),
        piece.card(
            "Columns",
            columns,
            note=f"Window of {word.period(start, start + over.step)}, against {monitor.baseline or 'nothing'}; the furthest first.",
        ),
    ]


def _now(found: dict[str, Series], start: int) -> list[tuple[str, Series]]:
    def value(one: Series) -> float:
        slot = one.slot(start)
        return -1.0 if slot is None or one.value[slot] is None else float(one.value[slot] or 0.0)

    return sorted(found.items(), key=lambda item: -value(item[1]))


def _column(column: str, one: Series, null: float | None, monitor: Monitor, start: int, state: State, scene: Scene) -> tuple[Any, ...]:
    link = piece.link(column, address("models", scene.row.model, "columns", column, state=state.but(by="")))
    slot = one.slot(start)
    highest = max((value for value in one.value if value is not None), default=None)
    spark = piece.line(one.value, f"{word.title(monitor.measure)} over the period", zero=True)
    limited = monitor.warn is not None or monitor.critical is not None
    if slot is None or not one.verdict[slot]:
        return (link, word.NONE, word.NONE, piece.badge("nodata", "No reading"), word.value(highest, monitor.measure), word.NONE, spark)
    return (
        link,
        word.value(one.value[slot], monitor.measure),
        word.count(one.n[slot]),
        piece.badge(one.verdict[slot], one.reason[slot], limited=limited),
        word.value(highest, monitor.measure),
        word.value(null, "quality.null_rate"),
        spark,
    )


async def _nulls(reader: Reader, monitor: Monitor, state: State, over: Period) -> dict[str, float | None]:
    """The null rate of every column in the window looked at, else in the newest."""
    start = state.window if state.window is not None else over.end - 2 * monitor.window
    end = start + monitor.window if state.window is not None else over.end
    query = Query(
        model=monitor.model, monitor=monitor.name, measure=monitor.measure, segment=state.segment, start=start, end=end, limit=LIMIT
    )
    table = (await ask(reader.readings, query)).sort_by("window_start")
    table = table.filter(pc.is_valid(table["value"]))
    return dict(zip(table["column"].to_pylist(), table["value"].to_pylist(), strict=True))


async def _none() -> dict[str, float | None]:
    return {}


def _fact(name: str, one: Series, monitor: Monitor, state: State) -> tuple[str, Any, Any]:
    slot = window_of(state, one)
    if slot is None:
        return (word.title(name), word.NONE, "no value in this period")
    baseline = one.baseline[slot]
    against = f"baseline {word.value(baseline, name)}, " if baseline is not None else ""
    limited = monitor.warn is not None or monitor.critical is not None
    shown = [
        piece.badge(one.verdict[slot], one.reason[slot], limited=limited),
        html.Span(against + of(one, slot, monitor), className="faint"),
    ]
    return (word.title(name), word.value(one.value[slot], name), shown)


def _sentence(one: Series, monitor: Monitor, slot: int | None) -> str:
    if slot is None:
        return f"{word.title(monitor.measure)}: no value in this period."
    breached = sum(verdict in {"warn", "critical"} for verdict in one.verdict)
    return f"{word.title(monitor.measure)} was {word.value(one.value[slot], monitor.measure)} ({of(one, slot, monitor)}); {breached} of {len(one)} windows reached a limit."


def _segment(state: State) -> str:
    return "All traffic" if state.segment == ALL else state.segment


def _nothing(monitor: Monitor, state: State, segments_there: Sequence[str]) -> Component:
    if state.segment not in segments_there:
        return piece.empty("No such segment", f"Nothing was seen of {state.segment}, and the reference has no such value.")
    watched = state.segment == ALL or "*".join(part.split("=", 1)[0] for part in state.segment.split(",")) in monitor.segments
    why = "No window of this period has been evaluated yet." if watched else f"The monitor {monitor.name} does not watch this segment."
    return piece.empty("No reading", why)
