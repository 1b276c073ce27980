"""The page of all models: which are unhealthy?"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from dash import html
from dash.development.base_component import Component

from core import moment
from core.episode import Level
from core.measure import Family, Measures
from core.monitor import Monitor
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import models as models_of
from dashboard.away import notice, or_else
from dashboard.panel import Page, ask
from dashboard.ports import ModelRow, Reader
from dashboard.state import address

FAMILIES = (Family.PERFORMANCE, Family.DRIFT, Family.QUALITY)
DAYS = 30
ROWS = 100  # models a page


async def draw(reader: Reader, search: str = "") -> Page:
    """A row a model, those with open episodes first: `ROWS` of them, beginning with number `first` of the address."""
    found = sorted(await models_of(reader), key=lambda row: (-row.open_episodes, row.model))
    heading = html.Div(
        [html.H1("Models"), html.P("Health is the worst open episode of each family.", className="faint")], className="title"
    )
    waits = await or_else(None, ask(reader.waiting))
    first, waiting = _first(search, len(found)), _waiting(waits or {})
    rows = found[first : first + ROWS]
    if not rows:
        return Page(
            "Models",
            [
                heading,
                *notice(known=waits is not None),
                piece.empty(
                    "No model yet",
                    "Make one from a reference file:",
                    html.Pre("watchkeeper reference MODEL reference.parquet --task binary"),
                ),
                *waiting,
            ],
        )
    spans = {row.model: ((end := _end(row)) - DAYS * moment.DAY, end) for row in rows if row.known and row.last_ts is not None}
    monitors, levels, traffic = await gather(
        ask(reader.monitors, None), ask(reader.open_levels), or_else(None, ask(reader.recent, spans, moment.DAY))
    )
    watching: dict[str, list[Monitor]] = {}
    for monitor in monitors:
        watching.setdefault(monitor.model, []).append(monitor)
    known = traffic is not None and waits is not None and all(row.known for row in rows)

    def came(model: str) -> Mapping[int, int] | None:
        return None if traffic is None else traffic.get(model, {})

    drawn = [_row(row, reader.measures, watching.get(row.model, []), levels.get(row.model, ()), came(row.model)) for row in rows]
    head = ("Model", "Performance", "Drift", "Quality", "Open", f"Predictions, {DAYS} days", "Labelled", "Last event (UTC)")
    listed = html.Div(piece.table(head, drawn, caption="Models", numbers=(4, 6)), className="card")
    return Page("Models", [heading, *notice(known=known), listed, *_ways(first, len(found)), *waiting])


def _first(search: str, many: int) -> int:
    """The number of the first model to show, from the address; that of the last page if it is too high."""
    given = parse_qs(search.removeprefix("?")).get("first", [""])[0]
    wanted = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    return min(wanted, max(many - 1, 0)) // ROWS * ROWS


def _ways(first: int, many: int) -> list[Component]:
    """Which models are shown, and links to those before and after; nothing if all are shown."""
    if many <= ROWS:
        return []
    ways: list[Any] = [f"{first + 1:,} to {min(first + ROWS, many):,} of {many:,} models"]
    for text, to in (("Previous models", first - ROWS), ("Next models", first + ROWS)):
        if 0 <= to < many:
            ways += [" · ", piece.link(text, f"{address('models')}?first={to}")]
    return [html.P(ways, className="faint")]


def _waiting(found: Mapping[str, int]) -> list[Component]:
    """The models that have no contract, with links to what is proposed for them."""
    if not found:
        return []
    rows = [(piece.link(piece.name(model), address("models", model)), word.count(n)) for model, n in found.items()]
    table = piece.table(("Model", "Events"), rows, caption="Models without a contract", numbers=(1,))
    return [piece.card("Without a contract", table, note="Their events wait until they have one.")]


def _end(row: ModelRow) -> int:
    """The end of the day of a model's last event."""
    return -(-((row.last_ts or 0) + 1) // moment.DAY) * moment.DAY


def _row(
    row: ModelRow, measures: Measures, monitors: Sequence[Monitor], levels: Collection[tuple[str, Level]], traffic: Mapping[int, int] | None
) -> tuple[Any, ...]:
    """The cells of a model; `traffic` is None where that is not known now."""
    name = html.Div(
        [
            piece.link(piece.name(row.model), address("models", row.model)),
            html.Span(f"{row.task} · contract {row.contract_version}", className="faint under"),
        ]
    )
    if not row.known:
        health = (_health(family, measures, monitors, levels, row) for family in FAMILIES)
        return (name, *health, str(row.open_episodes or word.NONE), word.NONE, word.NONE, word.NONE)
    labelled = word.share(row.labels / row.predictions) if row.predictions else word.NONE
    return (
        name,
        *(_health(family, measures, monitors, levels, row) for family in FAMILIES),
        str(row.open_episodes or word.NONE),
        word.NONE if traffic is None else _spark(traffic, _end(row)),
        labelled,
        word.minute(row.last_ts),
    )


def _spark(traffic: Mapping[int, int], end: int) -> Component:
    """The predictions of the last days, as a line and as a number."""
    counts: list[float | None] = [float(traffic.get(end + (index - DAYS) * moment.DAY, 0)) for index in range(DAYS)]
    total = sum(count or 0 for count in counts)
    line = piece.line(counts if total else [], f"{word.count(int(total))} predictions", zero=True)
    return html.Div([line, html.Span(word.short(total), className="faint")], className="beside")


def _health(family: Family, measures: Measures, monitors: Sequence[Monitor], levels: Collection[tuple[str, Level]], row: ModelRow) -> Any:
    """The worst open episode of a family; if none is open, whether any monitor of it could have fired."""
    watching = [monitor for monitor in monitors if monitor.measure in measures and measures[monitor.measure].family is family]
    reached = {level for measure, level in levels if measure in measures and measures[measure].family is family}
    if reached:
        return piece.badge("critical" if Level.CRITICAL in reached else "warn")
    if not watching:
        return html.Span("not watched", className="faint")
    if not row.known or row.last_ts is None:
        return piece.badge("nodata", None if row.known else "Not known now")
    if word.now() - row.last_ts > max(2 * min(monitor.window.longest for monitor in watching), moment.DAY):
        return piece.badge("nodata", f"No event for {word.span(word.now() - row.last_ts)}")
    return piece.badge("ok", limited=any(monitor.alarms for monitor in watching))
