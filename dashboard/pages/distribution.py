"""The distribution card of a column's page: target against baseline in one window, and what makes the value of the measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import bin_text, moment, text
from core.contract import Column
from core.error import ConfigError, Retryable
from core.measure import Measure
from dashboard import components as piece
from dashboard import texts as word
from dashboard.event_filter import EventFilter
from dashboard.figure import histogram
from dashboard.figure.ecdf import ecdf, widest
from dashboard.graph import graph
from dashboard.panel import ask
from dashboard.ports import Reader
from dashboard.state import PageState
from dashboard.view_model import ModelView

MOVED = 8  # parts listed
MERGED = "merged"  # a part of the evidence that pools several bins


@dataclass(frozen=True)
class Looked:
    """The `window` that is looked at, which is selected by `start`: `where` says which it is, `value` what its reading is; the reading's `contributions`."""

    start: int
    window: tuple[int, int]
    where: str
    value: str
    contributions: Sequence[Mapping[str, Any]] = ()


async def distribution(reader: Reader, view: ModelView, column: Column, state: PageState, looked: Looked, about: Measure) -> Component:
    """The histogram, and beside it the distribution function of numbers or the categories that moved; below, what makes the value of `about`."""
    start, end = looked.window
    target, baseline = await ask(reader.histogram, view.row.model, column.name, state.segment, start, end)
    alone = not sum(baseline)
    title = f"Distribution, {moment.period(start, end)}"
    side = (
        f"drawn against the reference, n {word.count(sum(baseline))}. {looked.value}."
        if not alone
        else "drawn alone: the reference has no row of this segment."
        if view.referenced
        else "drawn alone: the model has no reference."
    )
    which = " of all versions" if state.version else ""
    note = f"{looked.where}: n {word.count(sum(target))}{which}, {side}"
    if not sum(target):
        empty = piece.empty("No row in this window", "Choose another window in the chart below, or another segment.")
        return piece.card(title, empty, note=note)
    parts = sorted(histogram.parts(column, target, baseline), key=lambda part: -abs(part.moved))[:MOVED]
    most = parts[0]
    sentence = (
        f"{column.name}: {most.name} holds most, {word.number(most.target)} of rows."
        if alone
        else f"{column.name}: {most.name} moved most, from {word.number(most.baseline)} of rows in the baseline to {word.number(most.target)} in the target."
    )
    inside, order = state.but(start=start, end=end, window=None), await _order(reader, view, state, looked.window, sum(target))

    def link(name: str) -> str:
        return EventFilter(column=column.name, value=name, order=order).address(view.row.model, inside)

    figure = (histogram.numeric if column.numeric else histogram.categorical)(column, target, baseline, link)
    shown = [graph("distribution", figure, sentence)]
    rows = {part.bin: part.n for part in histogram.parts(column, target, baseline)}
    moved = _contributions(looked.contributions, about, rows, link) if looked.contributions else _moved(parts, link, alone=alone)
    below = ecdf(column, target, baseline) if column.numeric else None
    if below is not None:
        shown = [html.Div([*shown, graph("ecdf", below, _apart(column, target, baseline))], className="split")]
    return piece.card(title, [*shown, moved], note=note)


async def _order(reader: Reader, view: ModelView, state: PageState, window: tuple[int, int], n: int) -> str:
    """The order of the events of a bin: the largest error first where most rows have a label, because a list in that order has no others; else the usual one."""
    try:
        labelled = await ask(reader.labelled, view.row.model, state.segment, state.version or None, *window)
    except (ConfigError, Retryable):  # the distribution is there all the same
        return ""
    return "worst" if labelled.n > n / 2 else ""


def _apart(column: Column, target: Sequence[int], baseline: Sequence[int]) -> str:
    """A sentence about the distribution functions."""
    if (gap := widest(column, target, baseline)) is None:
        return f"The share of the values of {column.name} below x; one side has no value."
    edge, apart = gap
    return f"The share of the values of {column.name} below x. It is furthest from the baseline's below {word.number(edge)}: {'+' if apart > 0 else ''}{word.number(apart)}."


def _moved(parts: Sequence[histogram.BinShare], link: histogram.Link, *, alone: bool) -> Component:
    """The parts that moved most, or, without a baseline, that hold most. Each leads to its events."""
    if alone:
        rows: list[tuple[Any, ...]] = [
            (piece.link(piece.name(part.name, 24), link(part.bin)), word.number(part.target), word.count(part.n)) for part in parts
        ]
        return piece.table(("Most rows", "Target", "Rows"), rows, caption="The parts with most rows", numbers=(1, 2))
    rows = [
        (
            piece.link(piece.name(part.name, 24), link(part.bin)),
            word.number(part.baseline),
            word.number(part.target),
            f"{'+' if part.moved > 0 else ''}{word.number(part.moved)}",
            word.count(part.n),
        )
        for part in parts
    ]
    return piece.table(
        ("Moved most", "Baseline", "Target", "Moved", "Rows"), rows, caption="The parts that moved most", numbers=(1, 2, 3, 4)
    )


def _contributions(found: Sequence[Mapping[str, Any]], about: Measure, n: Mapping[str, int], link: histogram.Link) -> Component:
    """The bins that make the value, with their shares of it; each leads to its events. `n` holds the rows of bins by name."""
    caption = f"What makes the {about.short}"
    rows = []
    for one in found:
        moved = one["target"] - one["baseline"]
        place = one.get("bin") or one.get("category", "")
        name = bin_text.words(place) if "bin" in one else text.unquote(place)
        bar = html.Span(style={"width": f"{100 * min(one['share'], 1):.1f}%"}, className="part")
        rows.append(
            (
                piece.link(piece.name(name, 30), link(place)) if place != MERGED else piece.name(name, 30),
                word.number(one["baseline"]),
                word.number(one["target"]),
                f"{'+' if moved > 0 else ''}{word.number(moved)}",
                word.count(n.get(place)),
                html.Div([html.Span(word.share(one["share"])), html.Span(bar, className="bar-ground")], className="beside"),
            )
        )
    head = (caption, "Baseline", "Target", "Moved", "Rows", f"Share of {about.short}")
    return piece.table(head, rows, caption=caption, numbers=(1, 2, 3, 4))
