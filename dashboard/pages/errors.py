"""The errors of a regression in a window, by segment and by prediction: where are they large, and where are they on one side?"""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from core import moment, text
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import Here
from dashboard.figure.bars import bars
from dashboard.graph import graph
from dashboard.panel import ask
from dashboard.ports import Reader, SegmentErrors
from dashboard.state import PageState
from dashboard.view_model import ModelView, reach

_DRAWN = 15  # segments of the picture


async def errors(reader: Reader, view: ModelView, state: PageState, here: Here, version: str | None, window: tuple[int, int]) -> Component:
    """The card: the picture, and the table of the segments."""
    groupings = ["*".join(one) for one in view.groupings]
    by = state.by if state.by in groupings else groupings[0] if groupings else ""
    title = f"Errors{f' by {by}' if by else ''}, {moment.period(*window)}"
    tabs = piece.choice("By", [(name, here(state.but(by=name)), name == by) for name in groupings]) if len(groupings) > 1 else None
    found: Sequence[SegmentErrors] = await ask(reader.errors, view.row.model, by, version, *window)
    if not found:
        why = "No prediction of this window has a label yet. Errors are drawn as labels come; choose an earlier window to see some."
        return piece.card(title, [tabs, piece.empty("No label", why)])
    drawn = sorted(found[:_DRAWN], key=lambda one: -one.absolute)
    note = "All traffic of the window. The error is prediction - label: a mean above zero says that predictions are too high."
    return _card("errors", title, tabs, drawn, found, "Segment" if by else "Traffic", note)


async def residuals(reader: Reader, view: ModelView, state: PageState, version: str | None, window: tuple[int, int]) -> Component:
    """The errors against the prediction: are small ones too high and large ones too low, and are large ones less sure?"""
    title = f"Errors by prediction, {moment.period(*window)}"
    found = await ask(reader.residuals, view.row.model, state.segment, version, *window)
    if found is None:
        why = "The window has more than 200,000 labelled rows, which are not read for a picture: choose a shorter one, or a segment."
        return piece.card(title, piece.empty("Too many rows", why))
    if not found:
        return piece.card(title, piece.empty("No label", "No prediction of this window has a label yet."))
    note = f"{reach(state)}. Each row is a tenth of the predictions, the lowest first. The error is prediction - label: a mean above zero says that predictions are too high."
    return _card("residuals", title, None, found, found, "Prediction", note)


def _card(
    name: str, title: str, tabs: Component | None, drawn: Sequence[SegmentErrors], found: Sequence[SegmentErrors], of: str, note: str
) -> Component:
    """The picture of the `drawn` ones, and the table of all that were found."""
    said = [f"{word.count(one.n)} rows<br>mean error {word.number(one.mean)}<br>mean size {word.number(one.absolute)}" for one in drawn]
    sentence = _sentence(drawn)
    sizes, means = [one.absolute for one in drawn], [one.mean for one in drawn]
    figure = bars([_named(one) for one in drawn], ("mean absolute error", sizes), ("mean error: prediction - label", means), said)
    table = piece.table(
        (of, "Mean absolute error", "RMSE", "Mean error", "n"),
        [
            (piece.name(_named(one)), *(word.number(value) for value in (one.absolute, one.root, one.mean)), word.count(one.n))
            for one in found
        ],
        caption=title,
        numbers=range(1, 5),
    )
    return piece.card(title, [tabs, html.P(sentence, className="next"), graph(name, figure, sentence), table], note=note)


def _named(one: SegmentErrors) -> str:
    return "all traffic" if one.segment == "all" else text.unquote(piece.value(one.segment))


def _sentence(drawn: Sequence[SegmentErrors]) -> str:
    """What the picture means."""
    worst, side = max(drawn, key=lambda one: one.absolute), max(drawn, key=lambda one: abs(one.mean))
    way = "too high" if side.mean > 0 else "too low"
    lean = f"{_named(side)} is predicted {way} by {word.number(abs(side.mean))} on average"
    if len(drawn) == 1:
        return f"Predictions are off by {word.number(worst.absolute)} on average; {lean}."
    return f"Errors are largest for {_named(worst)}, {word.number(worst.absolute)} on average; {lean}, the furthest to one side."
