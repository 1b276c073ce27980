"""What the pages of a model and of a column share: the model's row, its monitors, and their queries."""

from __future__ import annotations

import shlex
from asyncio import gather
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from dash import html
from dash.development.base_component import Component

from core import bin_text, moment, number
from core.baseline.source import Source
from core.baseline.words import words
from core.contract import Contract
from core.contract_version import ContractVersion
from core.episode import Episode
from core.measure import Measures
from core.monitor import Monitor
from core.reading import Query
from core.retrain import Retrain
from core.segment import ALL, grouping_of
from dashboard import components as piece
from dashboard import texts as word
from dashboard.away import or_else, uncounted
from dashboard.figure.timeline import Mark
from dashboard.panel import ask
from dashboard.period import Period
from dashboard.ports import ModelRow, Reader
from dashboard.series import JUDGED, Series, has, since, watches
from dashboard.state import PageState

LIMIT = 100_000  # readings asked for at most
RETRAINS = 100  # requests for retraining, the newest


@dataclass(frozen=True)
class ModelView:
    """A model, with everything that its pages need before they ask for readings."""

    row: ModelRow
    contract: Contract
    monitors: list[Monitor]
    episodes: list[Episode]
    referenced: bool  # whether the contract has a reference
    measures: Measures
    versions: Sequence[ContractVersion] = ()  # of the contract, the newest first, without their references
    retrains: Sequence[Retrain] = ()  # whose target was asked, the newest first

    @property
    def segments(self) -> Sequence[str]:
        """The texts of all segments."""
        return self.row.segments

    @property
    def served(self) -> Sequence[tuple[str, str]]:
        """Versions and roles that have predictions."""
        return self.row.served

    @property
    def groupings(self) -> list[tuple[str, ...]]:
        """The dimensions and crosses of the contract, which have segments."""
        there = {grouping for segment in self.segments if (grouping := grouping_of(segment))}
        declared = [*((dimension.name,) for dimension in self.contract.dimensions), *self.contract.crosses]
        return [grouping for grouping in declared if grouping in there]

    @property
    def model_versions(self) -> list[str]:
        """The versions of the model that have predictions."""
        return sorted({version for version, _ in self.served})

    def marks(self, monitor: str, column: str, segment: str) -> list[Mark]:
        """Marks where episodes of this monitor, column and segment fired, and where the contract got another version. Another monitor of the measure has other thresholds and windows."""
        fired = [
            Mark(one.fired_at, f"{one.level} episode fired", one.level)
            for one in self.episodes
            if (one.monitor, one.column, one.segment) == (monitor, column, segment)
        ]
        return fired + [Mark(one.saved_at, one.sentence, "") for one in self.versions if one.version > 1]


async def view(reader: Reader, model: str) -> ModelView | None:
    """The view of a model; None if there is no such model."""
    contract = await ask(reader.contract, model)
    if contract is None:
        return None
    row, (monitors, referenced), (episodes, versions, retrains) = await gather(
        or_else(uncounted(contract), ask(reader.model, model)),
        gather(ask(reader.monitors, model), ask(reader.referenced, model)),
        gather(ask(reader.episodes, None, model, 500), _earlier(reader, contract), ask(reader.ran, model, RETRAINS)),
    )
    if row is None:
        return None
    if not row.known:
        row = replace(row, open_episodes=sum(one.model == model for one in await ask(reader.open_ones)))
    return ModelView(row, contract, monitors, episodes, referenced, reader.measures, versions, retrains)


async def _earlier(reader: Reader, contract: Contract) -> Sequence[ContractVersion]:
    """The versions of a contract that has had others; most models have had none."""
    return await ask(reader.contract_versions, contract.model, False) if contract.version > 1 else ()


def unknown(model: str) -> Component:
    """The page in place of that of a model that does not exist."""
    return piece.empty(f"There is no model {word.cut(model)}", "It may have another name; the list of models knows them all.")


def question(monitor: Monitor, state: PageState, period: Period, *, column: str | None) -> Query:
    """The readings of a monitor over a period, in the state's segment."""
    return Query(
        model=monitor.model,
        monitor=monitor.name,
        measure=monitor.measure,
        column=column,
        segment=state.segment,
        start=since(monitor.window, period.start),
        end=period.end,
        as_of=state.as_of,
        limit=LIMIT,
    )


async def series(reader: Reader, query: Query, period: Period) -> Series:
    """The readings of a query for one column and segment, on the grid of the period."""
    table: pa.Table = await ask(reader.readings, query)
    return Series.of(table, period.start, period.end, period.step, period.window)


async def traffic(reader: Reader, model: str, segment: str, period: Period) -> list[int | None]:
    """The predictions of each window of the period; 0 if none came."""
    table = await ask(reader.traffic, model, segment, period.start, period.end, period.step)
    counts: list[int | None] = [0] * period.slots()
    for start, n in zip(table["start"].to_pylist(), table["n"].to_pylist(), strict=True):
        if 0 <= (index := (start - period.start) // period.step) < len(counts):
            counts[index] = n
    return counts


def window_of(state: PageState, shown: Series) -> int | None:
    """The selected slot: the chosen window, else the newest whole one, if possible one that was judged."""
    chosen = shown.slot(state.window)
    return chosen if chosen is not None else shown.newest


def newest(found: Iterable[Series], over: Period) -> int:
    """The start of the newest window that one of several series would show first; that of the last window if there is none."""
    first = [(one.verdict[slot] in JUDGED, one.time(slot)) for one in found if (slot := one.newest) is not None]
    return max(first)[1] if first else over.end - over.step


def looked(state: PageState, shown: Series, slot: int) -> str:
    """The selected window as a text, and why it is selected."""
    window = moment.period(*shown.window(slot))
    if shown.slot(state.window) is not None:
        return f"Window of {window}, as chosen"
    passed = "" if slot == (shown.newest if shown.last is None else shown.last) else " with enough samples"
    if passed and shown.last == shown.fragment:
        passed = " that is whole"
    return f"Window of {window}, the newest{passed}"


def bare(view: ModelView, monitor: Monitor) -> Component | None:
    """The text in place of a comparison with a reference that the model does not have; None if it has one, or none is needed."""
    if view.referenced or monitor.baseline is None or monitor.baseline.source is not Source.REFERENCE:
        return None
    command = f"watchkeeper reference {shlex.quote(view.row.model)} reference.parquet --task {view.row.task}"
    why = f"This model has no reference, and {monitor.name} compares with one. Give it the rows that it is to be compared with:"
    return piece.empty("No reference", why, html.Pre(command))


def reach(state: PageState) -> str:
    """The selected segment as a text."""
    return "All traffic" if state.segment == ALL else bin_text.of_slice(state.segment)


def nothing(view: ModelView, monitor: Monitor, state: PageState, here: Callable[[PageState], str], column: str = "") -> Component:
    """The text in place of a chart without a reading: why there is none, and where there is one."""
    whole = piece.link("Show all traffic", here(state.but(segment=ALL))) if state.segment != ALL else None
    if state.segment != ALL and view.row.known and state.segment not in view.segments:
        return piece.empty("No such segment", f"Nothing was seen of {reach(state)}, and the reference has no such value.", whole)
    if watches(monitor, state.segment):
        return piece.empty("No reading", "No window of this period has been evaluated yet.", whole)
    others = watching(view, state.segment, monitor.measure, column)
    return piece.empty("No reading", f"The monitor {monitor.name} does not watch this segment.", whole, who(others, state, here))


def watching(view: ModelView, segment: str, name: str, column: str = "") -> list[Monitor]:
    """The monitors of a segment, or of a grouping such as `carrier`, with a measure of the family of `name`; with `column` only those that watch it."""
    family = view.measures[name].family
    return [
        one
        for one in view.monitors
        if one.measure in view.measures and view.measures[one.measure].family is family and watches(one, segment) and has(one, column)
    ]


def who(monitors: Sequence[Monitor], state: PageState, here: Callable[[PageState], str]) -> Component:
    """Links to the monitors that watch a segment; if none does, what to do."""
    if not monitors:
        return html.P(["No monitor of this kind watches it: name it under ", html.Code("segments"), " of a monitor, and apply that."])
    links = [html.Li(piece.link(one.name, here(state.but(measure=one.measure, monitor=one.name)))) for one in monitors]
    return html.Div([html.P("Monitors that watch it:"), html.Ul(links, className="ways")])


def against(monitor: Monitor, window: tuple[int, int] | None = None) -> str:
    """The baseline of a monitor as a text; of one of its windows, if that is given."""
    if monitor.baseline is None:
        return "no baseline"
    left = " without what is excluded" if monitor.exclude else ""
    return f"against {words(monitor.baseline, monitor.window, window)}{left}"


def of(shown: Series, slot: int, monitor: Monitor) -> str:
    """A text that says what a number is of: n and what it is worth, window, baseline, and the p-value."""
    n_baseline = shown.n_baseline[slot]
    rows = f", {word.count(n_baseline)} rows" if n_baseline is not None else ""
    effective, p = (values[slot] if values else None for values in (shown.effective, shown.p))
    worth = f", worth {word.count(round(effective))} independent rows" if effective is not None else ""
    chance = f"; p {number.chance(p)}" if p is not None else ""
    return (
        f"n {word.count(shown.n[slot])}{worth}, {moment.period(*shown.window(slot))}, {against(monitor, shown.window(slot))}{rows}{chance}"
    )
