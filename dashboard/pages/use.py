"""Parts of the page Service: who uses the model, by version, role and caller, and what is left of the error budget."""

from __future__ import annotations

from typing import Any

import msgspec
import pyarrow as pa
from dash import html

from core import moment
from core.error import ConfigError, Retryable
from core.measure import Measure
from core.reading import Query
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.figure.timeline import timeline
from dashboard.graph import graph
from dashboard.pages import board
from dashboard.panel import ask
from dashboard.period import period
from dashboard.ports import Reader
from dashboard.series import Limit, Series, choose, watches
from dashboard.state import PageState
from dashboard.taken import Taken, question, readings, taken
from dashboard.view_model import ModelView, window_of

_THROUGHPUT, _AVAILABILITY = "service.throughput", "service.availability"
_LEFT = Measure(
    name="service.budget_left", title="Error budget left", formula="1 - errors / errors that the objective allows", unit="share"
)


async def use(reader: Reader, view: ModelView, state: PageState) -> list[Any]:
    """How many of the selected window's predictions each version, role and caller has; nothing where no window has closed."""
    how = taken(view, _THROUGHPUT, state, segment=ALL)
    over = period(view.row, state, how.monitor.window)
    try:
        table = await readings(reader, question(how, ALL, over.start, over.end))
    except (ConfigError, Retryable) as error:
        return [board.unavailable("Use", None, error)]
    if not table.num_columns:
        return []
    shown = Series.of(table, over.start, over.end, over.step, over.window)
    if (slot := window_of(state, shown)) is None:
        return []
    start, end = shown.window(slot)
    served = await ask(reader.use, view.row.model, start, end)
    total = sum(n for _, _, n in served)
    if not total:
        return [piece.card("Use", piece.empty("No predictions", f"None over {moment.period(start, end)}."))]
    each: dict[str, int] = {}
    for version, role, n in served:
        for name in (f"version {version}", f"role {role}"):
            each[name] = each.get(name, 0) + n
    callers = _callers(table, start, end)
    rows = sorted(each.items(), key=lambda one: (one[0].partition(" ")[0] == "role", -one[1], one[0])) + callers
    cells = [(name, word.count(n), word.share(n / total), word.number(n / ((end - start) / moment.SECOND))) for name, n in rows]
    first = max((one for one in each.items() if one[0].startswith("version")), key=lambda one: one[1])
    said = f"{word.count(total)} predictions over {moment.period(start, end)}; {first[0]} made {word.share(first[1] / total)} of them."
    unknown = "" if callers else " Callers are not known: the contract has no signal @caller, or no event has one."
    drawn = piece.table(("Who", "Predictions", "Share", "A second"), cells, caption="Use by version, role and caller", numbers=(1, 2, 3))
    return [
        piece.card("Use", [html.P(said + unknown, className="next"), drawn], note="All traffic, whatever segment is chosen." + how.note)
    ]


def _callers(table: pa.Table, start: int, end: int) -> list[tuple[str, int]]:
    """The callers with most predictions in a window, by the evidence of throughput."""
    for row in table.select(["window_start", "window_end", "segment", "evidence"]).to_pylist():
        if (row["window_start"], row["window_end"], row["segment"]) == (start, end, ALL) and row["evidence"]:
            return [(f"caller {one['caller']}", int(one["n"])) for one in msgspec.json.decode(row["evidence"]).get("callers", ())]
    return []


async def budget(reader: Reader, view: ModelView, state: PageState) -> list[Any]:
    """What is left of the error budget over time, of a monitor of availability with an objective; without one, how to get it."""
    kept = [one for one in view.monitors if one.measure != _AVAILABILITY or one.params.get("objective") is not None]
    found = choose(kept, _AVAILABILITY, state.monitor, segment=state.segment)
    if found is None or not watches(found, state.segment):
        how_to = "Give a monitor of service.availability an objective: params: {objective: 0.999, period: 30d}."
        return [piece.card(_LEFT.title, piece.empty("No objective", how_to))]
    over = period(view.row, state, found.window)
    asked = question(Taken(found, stored=True), state.segment, over.start, over.end)
    try:
        table = await readings(reader, asked)
    except (ConfigError, Retryable) as error:
        return [board.unavailable(_LEFT.title, None, error)]
    left = [msgspec.json.decode(one).get("budget_left") if one else None for one in table["evidence"].to_pylist()]
    place = table.schema.get_field_index("value")
    table = table.set_column(place, "value", pa.array(left, pa.float64()))
    for name in ("lower", "upper", "baseline_value"):
        table = table.set_column(table.schema.get_field_index(name), name, pa.nulls(len(table), pa.float64()))
    shown = Series.of(table, over.start, over.end, over.step, over.window)
    slot = window_of(state, shown)
    objective, span = f"{100 * found.params['objective']:.6g} %", found.params.get("period")
    now = None if slot is None else shown.value[slot]
    said = (
        f"{_LEFT.title}: no value in this window."
        if now is None
        else f"{word.share(now)} of the errors that the objective {objective} allows in {span} are left."
        if now >= 0
        else f"The objective {objective} over {span} is missed: {word.share(1 - now)} of the allowed errors were used."
    )
    none = Limit("critical", "used up", [0.0] * len(shown))
    figure = timeline(shown, measure=_LEFT, limits=[none], chosen=None if slot is None else shown.time(slot))
    drawn = (
        graph("budget", figure, said, view.retrains)
        if any(one is not None for one in shown.value)
        else piece.empty("No value", "No window with a status has closed.")
    )
    foot = piece.source(asked) if isinstance(asked, Query) else None
    return [piece.card(f"{_LEFT.title}, {word.stretch(over.start, over.end)}", [html.P(said, className="next"), drawn], foot=foot)]
