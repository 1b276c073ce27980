"""The page of baselines: what monitors compare with, and which monitors do."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable, Sequence
from typing import Any

from dash import html

from core import moment
from core.contract import Contract
from core.measure import Measures
from core.monitor import Monitor
from dashboard import components as piece
from dashboard import texts as word
from dashboard.panel import Page, ask
from dashboard.ports import Reader
from dashboard.state import address

_NONE = "no baseline"
_NAMED = 6  # monitors of a row, and spans that they leave out


async def draw(reader: Reader, _search: str = "") -> Page:
    """The baselines of all monitors, those of most monitors first, and the models with their contracts."""
    monitors, contracts = await gather(ask(reader.monitors, None), ask(reader.contracts))
    heading = html.Div([html.H1("Baselines"), html.P("What monitors compare with.", className="faint")], className="title")
    return Page("Baselines", [heading, in_use(monitors, reader.measures, named=_of_all), *([_models(contracts)] if contracts else [])])


def in_use(
    monitors: Sequence[Monitor], measures: Measures, *, named: Callable[[Monitor, Measures], str], note: str | None = None, foot: Any = None
) -> Any:
    """The baselines that some monitors compare with, and which do; `named` says a monitor in words."""
    used: dict[str, list[Monitor]] = {}
    for one in monitors:
        used.setdefault(_NONE if one.baseline is None else one.baseline.words, []).append(one)
    ranked = sorted(used.items(), key=lambda pair: (pair[0] == _NONE, -len(pair[1]), pair[0]))
    rows = [
        (html.Span(said, className="words"), _excluded(of), str(len(of)), _listed([named(one, measures) for one in of[:_NAMED]], len(of)))
        for said, of in ranked
    ]
    if not rows:
        return piece.empty("No monitor compares with anything", "There is no monitor.")
    table = piece.table(("Compared with", "Left out", "Monitors", "Which"), rows, caption="Baselines in use", numbers=(2,))
    return piece.card("Baselines in use", table, note=note, foot=foot)


def monitor_of_model(one: Monitor, measures: Measures) -> str:
    """A monitor in words, on a page of its model."""
    return f"{one.name} ({measures[one.measure].title})"


def _of_all(one: Monitor, measures: Measures) -> str:
    return f"{one.model}: {monitor_of_model(one, measures)}"


def _excluded(monitors: Sequence[Monitor]) -> Any:
    """Spans that baselines leave out."""
    spans = [*dict.fromkeys(span for one in monitors for span in one.exclude)]
    return _listed([moment.period(*span) for span in spans[:_NAMED]], len(spans)) if spans else word.NONE


def _listed(said: Sequence[str], count: int) -> Any:
    """The first of so many."""
    more = [f"and {word.count(count - len(said))} more"] if count > len(said) else []
    return html.Div([html.Div(piece.name(text, 60)) for text in (*said, *more)], className="words")


def _models(contracts: Sequence[Contract]) -> Any:
    """The models, each with the page of its contract's versions and their references."""
    rows = [
        (piece.name(one.model), str(one.version), piece.link("Versions and references", address("models", one.model, "contracts")))
        for one in contracts
    ]
    table = piece.table(("Model", "Contract version", "More"), rows, caption="Contracts of models", numbers=(1,))
    return piece.card("References", table, note="The reference of a model comes with a version of its contract.")
