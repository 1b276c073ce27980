"""The columns of a model in one window, ranked, and over time: what the pages Drift and Quality share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from dash import html
from dash.development.base_component import Component

from core import moment, text
from core.measure import Measure
from core.monitor import Compare
from core.reading import Verdict
from core.segment import ALL
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import again
from dashboard.control import Here, windows
from dashboard.figure.heat import heat
from dashboard.graph import graph
from dashboard.period import shift
from dashboard.picked import pickers
from dashboard.run import LEVEL, SIZE, Key, Row, Run
from dashboard.series import Series, has
from dashboard.state import PageState, address
from dashboard.taken import Taken, of_window
from dashboard.view_model import ModelView, against, reach

MOSTLY = 0.5  # the null rate from which on a column is not called OK
Extras = Mapping[str, Mapping[str, float]]
"""More numbers of columns: by head, by column."""


def choices(view: ModelView, names: Sequence[str], of: Taken, state: PageState, here: Here) -> Component:
    """The measure and its monitor, a search, and whether segments are rows."""
    rows = [("Columns", "", not state.by), *((f"by {name}", name, state.by == name) for name in ("*".join(one) for one in view.groupings))]
    found = [
        piece.search("find", "Find columns", state.find),
        piece.choice("Rows", [(said, here(state.but(by=by, page=1)), now) for said, by, now in rows]) if len(rows) > 1 else None,
    ]
    return measures(view, names, of, state, here, more=found)


def measures(
    view: ModelView, names: Sequence[str], of: Taken, state: PageState, here: Here, column: str = "", more: Sequence[Any] = ()
) -> Component:
    """The choice of the measure, with those that no monitor takes, and of the monitor if several take it; `more` comes between them."""
    watched = {one.measure for one in view.monitors if has(one, column)}
    options = [(name, view.measures[name].title + ("" if name in watched else " (not watched)")) for name in names]
    same = [one for one in view.monitors if one.measure == of.monitor.measure and has(one, column)] if of.stored else []
    links = [(one.name, here(state.but(measure=one.measure, monitor=one.name, page=1)), one is of.monitor) for one in same]
    return html.Div(
        [
            piece.select("measure", "Measure", of.monitor.measure, options, usual_measure(view, names, column), 320),
            *more,
            *pickers(view, of.monitor, state),
            piece.choice("Monitor", links) if len(links) > 1 else None,
        ],
        className="controls",
    )


def usual_measure(view: ModelView, names: Sequence[str], column: str = "") -> str:
    """The measure that is shown if none is chosen: the first that is watched."""
    watched = {one.measure for one in view.monitors if one.enabled and has(one, column)}
    return next((name for name in names if name in watched), names[0])


def facts(shown: Run, state: PageState) -> Component:
    """How many columns moved, how many reached a threshold, and how many rows there are."""
    what = "columns" if not state.by else "columns and segments"
    reached = {level: shown.reached.get(level, 0) for level in ("critical", "warn")}
    first = shown.rows[0] if shown.rows else None
    of = f"of {word.count(shown.found)} {what}" + (f" with “{state.find}”" if state.find else "")
    of = f"of the {len(shown.rows)} columns of this page" if shown.part else of
    moved = (
        ("Moved", word.count(shown.moved), f"{of}, q up to {LEVEL} of {word.count(shown.tests)} tests")
        if shown.tests
        else (what.capitalize(), word.count(shown.found), "no p-value: this measure has none, or too few samples")
    )
    over = "no threshold set" if not shown.of.monitor.alarms else f"{reached['critical']} critical, {reached['warn']} warn"
    rows = (
        []
        if first is None or state.by
        else [("Rows", word.count(first["n_target"]), f"in the window; baseline {word.count(first['n_baseline'])}")]
    )
    window = ("Window", moment.period(*shown.window), against(shown.of.monitor, shown.window))
    return piece.figures(moved, ("Over a threshold", word.count(sum(reached.values())), over), *rows, window)


def table(
    shown: Run,
    series: Mapping[Key, Series],
    extras: Extras,
    view: ModelView,
    state: PageState,
    here: Here,
    title: str,
    worst: Mapping[str, float] | None = None,
) -> Component:
    """One row a column, or a column and segment: value, evidence, rows and what they are worth, state, and the line over the period.

    `worst` is the largest null rate of a column within the window.
    """
    about, monitor = view.measures[shown.of.monitor.measure], shown.of.monitor
    excess = monitor.compare is Compare.EXCESS
    valued = any(row["baseline_value"] is not None for row in shown.rows)
    middle = [*(["Baseline"] if valued else []), *(["Excess"] if excess else []), *(["p", "q"] if shown.tested else []), *extras]
    head = ("Column", *(["Segment"] if state.by else []), about.short, *middle, "n", "State", "Over the period")

    def cells(row: Row) -> tuple[Any, ...]:
        link = piece.link(piece.name(row["column"]), column_address(row, shown, view, state))
        one = series.get((row["column"], row["segment"]))
        effective = row["n_effective"]
        n = (
            [word.count(row["n_target"]), html.Span(word.worth(effective), className="under faint")]
            if effective is not None
            else word.count(row["n_target"])
        )
        return (
            link,
            *([piece.name(piece.value(row["segment"]))] if state.by else []),
            word.value(row["value"], about),
            *([word.value(row["baseline_value"], about)] if valued else []),
            *([word.number(row["effect"])] if excess else []),
            *([*(word.chance(row[name]) for name in ("p", "q"))] if shown.tested else []),
            *(word.number(found.get(row["column"])) for found in extras.values()),
            n,
            _state(row, (worst or {}).get(row["column"]), extras.get("Missing", {}).get(row["column"]), limited=monitor.alarms),
            piece.line(one.value if one else [], f"{about.title} over the period", zero=about.from_zero),
        )

    numbers = range(2 if state.by else 1, len(head) - 2)
    return html.Div(
        [
            piece.table(head, [cells(row) for row in shown.rows], caption=title, numbers=numbers),
            piece.pages(state, shown.found, SIZE, here),
        ],
        className="paged",
    )


def column_address(row: Row, shown: Run, view: ModelView, state: PageState) -> str:
    """The page of a row's column: this measure, in this window and segment."""
    kept = state.shared.but(segment=row["segment"], measure=shown.of.monitor.measure, monitor=shown.of.monitor.name, window=shown.start)
    return address("models", view.row.model, "columns", row["column"], state=kept)


def _state(row: Row, worst: float | None, missing: float | None, *, limited: bool) -> Component:
    """The state of a reading. If most values of the window were null, the drift of the others says little, so it is not called OK."""
    if row["verdict"] == Verdict.OK and worst is not None and worst >= MOSTLY:
        return piece.badge("nodata", "All null" if missing == 1 else f"Null rate up to {word.number(worst)}")
    return piece.badge(row["verdict"], row["reason"], limited=limited)


def over_time(shown: Run, series: Mapping[Key, Series], view: ModelView, state: PageState, here: Here, name: str) -> Component:
    """The heat map of the rows of the table. `name` is that of the chart."""
    monitor, over = shown.of.monitor, shown.over
    about = view.measures[monitor.measure]
    title = f"{about.title} over time, {word.stretch(over.start, over.end)}"
    if not series:
        return piece.card(title, piece.empty("No reading", "No window of this period has been evaluated yet."))
    lines = {_label(key, state): one for key, one in series.items()}
    top = monitor.critical if isinstance(monitor.critical, int | float) and monitor.compare is Compare.VALUE else None
    first = next(iter(series.values()))
    sentence = f"{about.title} of {len(lines)} columns over {shift(over)}, in the order of the table; {next(iter(lines))} is first."
    note = f"{reach(state)}, {shift(over)}; the rows of the table. Blank is no value: point at it for the reason. Click a window to look at it."
    figure = heat(lines, measure=about, top=top, chosen=shown.start)
    return piece.card(
        title, [windows(first, first.slot(shown.start), state, here), graph(name, figure, sentence, view.retrains)], note=note
    )


def _label(key: Key, state: PageState) -> str:
    column, segment = key
    return column if not state.by else f"{column} · {text.unquote(piece.value(segment))}"


def order(state: PageState, options: Sequence[tuple[str, str]], here: Here) -> Component | None:
    """The choice of the order of rows: (key, text), the first is the usual one."""
    usual = options[0][0]
    if len(options) < 2:
        return None
    chosen = state.sort or usual
    return piece.choice(
        "Order", [(said, here(state.but(sort="" if key == usual else key, page=1)), key == chosen) for key, said in options]
    )


def unavailable(title: str, head: Any, error: Exception) -> Component:
    """The card in place of readings that cannot be computed."""
    return piece.card(title, [head, piece.empty("Cannot be computed", str(error), *again(error))])


def partial(shown: Run) -> Component | None:
    """What is to be said if not all columns were computed."""
    if not shown.part:
        return None
    said = f"No monitor watches this, and {word.count(shown.found)} columns are too many to compute at once: these are ranked among themselves. A monitor ranks all."
    return html.P(said, className="notice")


def source(shown: Run, state: PageState) -> list[Any] | None:
    """Where the numbers come from; nothing if they are not stored."""
    if not shown.of.stored:
        return None
    asked: Any = of_window(shown.of, state.by or (state.segment if state.segment != ALL else ALL), shown.window)
    monitor = shown.of.monitor
    named = {"model": monitor.model, "monitor": monitor.name, "window": moment.text(shown.start)}
    if state.as_of is not None:  # the API ranks what is known now
        return piece.source(asked)
    ranking = f"/v1/ranking?{urlencode(named, quote_via=quote, safe=':@')}"
    return [*piece.source(asked), html.A("Ranking", href=ranking, target="_blank", rel="noopener")]


def title_of(about: Measure, shown: Run, state: PageState) -> str:
    """The title of the table."""
    rows = f"column and {state.by}" if state.by else "column"
    return f"{about.title} by {rows}, {moment.period(*shown.window)}"
