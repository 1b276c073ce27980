"""The page Trust of a model: may its predictions be trusted now, where, and why not; how sure is it, and is it rightly?"""

from __future__ import annotations

from asyncio import gather
from typing import Any

from dash import html
from dash.development.base_component import Component

from core import moment
from core.reading import Verdict
from core.trust import Trust, TrustState
from core.window.tumbling import Tumbling
from dashboard import components as piece
from dashboard import texts as word
from dashboard.control import controls
from dashboard.pages.head import head, there
from dashboard.pages.scores import reliability
from dashboard.pages.whole import sure
from dashboard.panel import Page, ask, panel, panels
from dashboard.period import period
from dashboard.ports import Reader
from dashboard.state import PageState, address
from dashboard.view_model import ModelView, unknown, view

_SHOWN = {  # the verdict whose colour and icon a state has, and its words
    TrustState.TRUSTED: (Verdict.OK, "trusted"),
    TrustState.WATCH: (Verdict.WARN, "watch"),
    TrustState.DO_NOT_TRUST: (Verdict.CRITICAL, "do not trust"),
    TrustState.UNKNOWN: (Verdict.NODATA, "unknown"),
}
_ORDER = (TrustState.DO_NOT_TRUST, TrustState.WATCH, TrustState.UNKNOWN, TrustState.TRUSTED)
_MOST = 200  # rows
_REASONS = 3
_WHY = "A model has states once a monitor with thresholds watches how right it is (performance, calibration, coverage) or whether it is asked about what it does not know."


async def draw(reader: Reader, search: str, name: str) -> Page:
    """The state of each version and segment, the worst first, since when, and the readings that make it; below, coverage against the promise, calibration, and what else tells how sure the model is."""
    found, state = await view(reader, name), PageState.of(search)
    if found is None:
        return Page(name, [piece.crumbs(("Models", address("models")), (name, None)), unknown(name)])
    drawn, below = await gather(panel(_states(reader, name), "trust"), _below(reader, found, state))
    return Page(f"Trust in {name}", [*head(found.row, state, "trust"), drawn, *below])


async def _states(reader: Reader, name: str) -> Component:
    """The states, the worst first."""
    states = sorted(await ask(reader.trust, name), key=lambda one: _ORDER.index(one.state))
    if not states:
        return piece.empty("No state yet", _WHY)
    shown = states[:_MOST]
    table = piece.table(
        ("Segment", "State", "Since (UTC)", "Why"), [_row(one, versions=_versions(states)) for one in shown], caption=f"Trust in {name}"
    )
    note = "The newest judged readings of performance, calibration, coverage and support decide; the worst one counts. Late labels change them."
    foot = [] if len(shown) == len(states) else f"{len(shown)} of {word.count(len(states))} segments, the worst first."
    return piece.card(_sentence(states), table, note=note, foot=foot)


async def _below(reader: Reader, found: ModelView, state: PageState) -> list[Any]:
    """How sure the model is over time, and whether its scores are the chances that they claim to be."""
    if found.row.last_ts is None:
        return []

    def here(changed: PageState) -> str:
        return there(found.row.model, "trust", changed)

    drawn = await panels(sure=sure(reader, found, state, here), reliability=_reliability(reader, found, state))
    parts = [part for each in drawn.values() for part in piece.several(each) if part is not None]
    return [*controls(found, state, here, computed=True), *parts] if parts else []


async def _reliability(reader: Reader, found: ModelView, state: PageState) -> list[Any]:
    """Scores and labels of the whole period."""
    if not found.contract.scored:
        return []
    over, pane = period(found.row, state, Tumbling(moment.DAY)), found.contract.pane
    window = (over.start - over.start % pane, over.end - over.end % -pane)
    card = reliability(await ask(reader.score_bins, found.row.model, state.segment, *window), state, window)
    return [] if card is None else [card]


def _sentence(states: list[Trust]) -> str:
    """What the table means."""
    bad = sum(one.state is TrustState.DO_NOT_TRUST for one in states)
    if bad:
        return f"Do not trust it in {word.count(bad)} of {word.count(len(states))} segments"
    doubtful = sum(one.state is not TrustState.TRUSTED for one in states)
    return f"In doubt in {word.count(doubtful)} of {word.count(len(states))} segments" if doubtful else "It may be trusted everywhere"


def _versions(states: list[Trust]) -> bool:
    return any(one.version != "all" for one in states)


def _row(one: Trust, *, versions: bool) -> tuple[Any, ...]:
    verdict, words = _SHOWN[one.state]
    of = f" (version {one.version})" if versions and one.version != "all" else ""
    said = [reason.text for reason in one.reasons[:_REASONS]] or ["no judged reading tells how right it is"]
    why = html.Div([html.Div(text) for text in said], className="words")
    return piece.name(one.segment + of, 60), piece.mark(verdict, words), word.minute(one.since), why
