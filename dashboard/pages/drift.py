"""The page Drift of a model: which columns moved, how likely is that by chance, and do they matter?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc
from dash import html
from dash.development.base_component import Component

from core.error import ConfigError, Retryable
from core.measure import Family
from core.monitor import Compare
from dashboard import components as piece
from dashboard.control import Here, controls
from dashboard.figure.quadrant import quadrant
from dashboard.graph import graph
from dashboard.pages import board
from dashboard.pages.head import head, there
from dashboard.pages.whole import drift as whole_drift
from dashboard.panel import Page, ask, panels
from dashboard.ports import Reader
from dashboard.run import Row, Run, over_time, run
from dashboard.state import PageState, address
from dashboard.taken import Taken, exactly, measures_of, readings, taken
from dashboard.view_model import ModelView, bare, unknown, view

NULLS, WEIGHTED = "quality.null_rate", "drift.weighted"


async def draw(reader: Reader, search: str, name: str) -> Page:
    """The quadrant of importance and drift, the ranked table, the heat map, and the signals."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])

    def here(changed: PageState) -> str:
        return there(name, "drift", changed)

    top = head(found.row, state, "drift")
    if found.row.last_ts is None:
        return Page(f"Drift of {name}", [*top, piece.empty("No event yet", "There is nothing to compare with the reference.")])
    drawn = await panels(drift=_drift(reader, found, state, here), whole=whole_drift(reader, found, state, here))
    parts = [part for each in drawn.values() for part in piece.several(each)]
    return Page(f"Drift of {name}", [*top, *controls(found, state, here, computed=True), *parts, *_signals(found, state)])


async def _drift(reader: Reader, view: ModelView, state: PageState, here: Here) -> list[Any]:
    names = measures_of(view, Family.DRIFT)
    measure = state.measure if state.measure in names else board.usual_measure(view, names)
    of = taken(view, measure, state, segment=state.by or state.segment)
    about = view.measures[measure]
    chosen = board.choices(view, names, of, state, here)
    if (without := bare(view, of.monitor)) is not None:
        return [piece.card(about.title, [chosen, without]), *_links(view, state)]
    try:
        known = await _importance(reader, view, state, of)
        shown = await run(reader, view, of, state, sort=_sort(state, known))
        (missing, worst), series = await gather(_missing(reader, view, state, shown), over_time(reader, shown, state))
    except (ConfigError, Retryable) as error:
        return [board.unavailable(about.title, chosen, error)]
    extras = {**({"Importance": known} if known else {}), **({} if state.by else {"Missing": missing})}
    title = board.title_of(about, shown, state)
    found = board.table(shown, series, extras, view, state, here, title, worst=worst) if shown.rows else _nothing(state)
    parts = [chosen, _orders(state, shown, here, known=bool(known)), board.partial(shown), found]
    why = "" if known else " Importance is not known: the events of this model carry no attributions, and no monitor gives weights."
    note = f"{_order(state, shown)}{of.note}{why} A column opens in this window."
    ranked = piece.card(title, [part for part in parts if part is not None], note=note, foot=board.source(shown, state))
    matters = [_quadrant(shown, known, view, state)] if known and shown.rows and not state.by else []
    return [board.facts(shown, state), *matters, ranked, board.over_time(shown, series, view, state, here, "drift")]


def _orders(state: PageState, shown: Run, here: Here, *, known: bool) -> Component | None:
    """The choice of the order of rows."""
    evidence = [("evidence", "Evidence")] if shown.tested else []
    return board.order(state, [*evidence, ("effect", "Effect"), *([("importance", "Importance x effect")] if known else [])], here)


def _order(state: PageState, shown: Run) -> str:
    """How the rows are ordered."""
    if state.sort == "importance":
        return "The largest product of importance and effect first."
    if state.sort == "effect" or not shown.tested:
        return "The largest effect first."
    return f"The strongest evidence first: q is p adjusted for {shown.tests:,} tests (Benjamini-Hochberg)."


def _nothing(state: PageState) -> Component:
    """The text in place of an empty table."""
    if state.find:
        return piece.empty("No such column", f"No column has “{state.find}” in its name.")
    return piece.empty("No reading", "This window has not been evaluated: it is not over, it has no rows, or it is before the first event.")


def _sort(state: PageState, known: Mapping[str, float]) -> Any:
    """The number by which rows are ordered, the largest first; None for evidence."""

    def effect(row: Row) -> float:
        return float("-inf") if row["effect"] is None else float(row["effect"])

    def product(row: Row) -> float:
        return known.get(row["column"], 0.0) * max(effect(row), 0.0)

    return {"effect": effect, "importance": product}.get(state.sort)


async def _importance(reader: Reader, view: ModelView, state: PageState, of: Taken) -> dict[str, float]:
    """Each feature's share of the size of all attributions, in the selected window, else over the model's last 30 windows; without attributions its share of the weights of `drift.weighted`."""
    step, pane = of.monitor.window.step, view.contract.pane
    if state.window is None:
        end = ((view.row.last_ts or 0) // step + 1) * step
        span = (end - 30 * step, end)
    else:
        start = state.window // pane * pane
        span = of.monitor.window.at(start)
    weights = [dict(one.params["weights"]) for one in view.monitors if one.measure == WEIGHTED and one.params.get("weights")]
    found = await ask(reader.importance, view.row.model, state.segment, *span) or next(iter(weights), {})
    whole = sum(found.values())
    return {name: size / whole for name, size in found.items()} if whole else {}


async def _missing(reader: Reader, view: ModelView, state: PageState, shown: Run) -> tuple[dict[str, float], dict[str, float]]:
    """The null rate of the columns of the table over the window, and, if the null rate has shorter windows, the largest of theirs; nothing if segments are rows."""
    columns = [column for column, _ in shown.keys]
    if not columns or state.by:
        return {}, {}
    of = taken(view, NULLS, state)
    step = of.monitor.window.step
    begin, end = shown.window
    start = begin // step * step
    table = await readings(reader, exactly(of, state.segment, start, end, columns))
    if not table.num_rows:
        return {}, {}
    table = table.filter(pc.is_valid(table["value"]))
    weighted = table.append_column("nulls", pc.multiply(table["value"], table["n_target"]))
    sums = weighted.group_by("column").aggregate([("nulls", "sum"), ("n_target", "sum"), ("value", "max")])
    names, rates = sums["column"].to_pylist(), pc.divide(sums["nulls_sum"], sums["n_target_sum"])
    return dict(zip(names, rates.to_pylist(), strict=True)), dict(zip(names, sums["value_max"].to_pylist(), strict=True))


def _quadrant(shown: Run, known: Mapping[str, float], view: ModelView, state: PageState) -> Component:
    """The chart of importance and drift of the rows of the table."""
    about, monitor = view.measures[shown.of.monitor.measure], shown.of.monitor
    drift = {row["column"]: about.size(row["value"]) for row in shown.rows if row["value"] is not None}
    links = {row["column"]: board.column_address(row, shown, view, state) for row in shown.rows}
    limits = [
        (level, float(at)) for level, at in monitor.threshold.items() if isinstance(at, int | float) and monitor.compare is Compare.VALUE
    ]
    figure = quadrant(drift, known, links, measure=about, limits=limits)
    both = [name for name in drift if name in known]
    top = max(both, key=lambda name: drift[name] * known[name], default=None)
    sentence = f"Importance against {about.title} of {len(both)} columns" + (f"; {top} has moved and matters most." if top else ".")
    note = "Upper right: moved, and the model leans on it. Importance is the mean size of a feature's attributions, or its weight, as a share of all. The rows of the table; click a point to open the column."
    return piece.card("Do they matter? Importance and drift", graph("quadrant", figure, sentence), note=note)


def _links(view: ModelView, state: PageState) -> list[Any]:
    """Links to the columns of a model that cannot be compared."""
    rows = [
        (piece.link(piece.name(one.name), address("models", view.row.model, "columns", one.name, state=state.shared)), str(one.kind))
        for one in view.contract.summarised
    ]
    return [
        piece.card("Columns", piece.table(("Column", "Kind"), rows[:200], caption="Columns"), note="A column opens without a baseline.")
    ]


def _signals(view: ModelView, state: PageState) -> list[Any]:
    """Links to the signals, monitored or not; nothing if the contract has none."""
    links: list[Any] = []
    for column in view.contract.signals:
        links += [
            *([" · "] if links else []),
            piece.link(piece.name(column.name), address("models", view.row.model, "columns", column.name, state=state.shared)),
        ]
    note = "Derived from the fields of each event. Monitors watch those that they name under columns."
    return [piece.card("Signals", html.P(links), note=note)] if links else []
