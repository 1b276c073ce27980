"""What the Model and the Column page have in common: the model's row, its monitors, and the questions that they ask."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from dash.development.base_component import Component

from core import moment, text
from core.contract import Contract
from core.episode import Episode
from core.monitor import Monitor
from core.reading import Query
from core.segment import ALL, grouping_of
from dashboard import piece, word
from dashboard.figure.timeline import Mark
from dashboard.panel import ask
from dashboard.period import Period
from dashboard.seam import ModelRow, Reader
from dashboard.series import Series
from dashboard.state import State

LIMIT = 100_000  # readings asked for at most


@dataclass(frozen=True)
class Scene:
    """A model with all that its pages need to know before they ask for readings."""

    row: ModelRow
    contract: Contract
    monitors: list[Monitor]
    segments: list[str]
    episodes: list[Episode]

    @property
    def groupings(self) -> list[tuple[str, ...]]:
        """The dimensions and crosses that segments exist of, as the contract declares them."""
        there = {grouping for segment in self.segments if (grouping := grouping_of(segment))}
        declared = [*((dimension.name,) for dimension in self.contract.dimensions), *self.contract.crosses]
        return [grouping for grouping in declared if grouping in there]

    def marks(self, measure: str, column: str, segment: str) -> list[Mark]:
        """Where episodes of this measure, column and segment fired."""
        return [
            Mark(one.fired_at, f"{one.level} episode fired", one.level)
            for one in self.episodes
            if (one.measure, one.column, one.segment) == (measure, column, segment)
        ]


async def scene(reader: Reader, model: str) -> Scene | None:
    """The scene of a model; None if there is no such model."""
    contract = await ask(reader.contract, model)
    if contract is None:
        return None
    rows, monitors, segments, episodes = await gather(
        ask(reader.models), ask(reader.monitors, model), ask(reader.segments, model), ask(reader.episodes, None, model, 500)
    )
    row = next((row for row in rows if row.model == model), None)
    return None if row is None else Scene(row, contract, monitors, segments, episodes)


def question(monitor: Monitor, state: State, period: Period, *, column: str | None) -> Query:
    """The readings of a monitor over a period, in the state's segment."""
    return Query(
        model=monitor.model,
        monitor=monitor.name,
        measure=monitor.measure,
        column=column,
        segment=state.segment,
        start=period.start,
        end=period.end,
        limit=LIMIT,
    )


async def series(reader: Reader, query: Query, period: Period) -> Series:
    """The answer to a question of one column and segment, laid out over the period."""
    table: pa.Table = await ask(reader.readings, query)
    return Series.of(table, period.start, period.end, period.step)


async def traffic(reader: Reader, model: str, segment: str, period: Period) -> list[int | None]:
    """Predictions a window of the period; 0 where none came."""
    table = await ask(reader.traffic, model, segment, period.start, period.end, period.step)
    counts: list[int | None] = [0] * period.slots()
    for start, n in zip(table["start"].to_pylist(), table["n"].to_pylist(), strict=True):
        if 0 <= (place := (start - period.start) // period.step) < len(counts):
            counts[place] = n
    return counts


def window_of(state: State, shown: Series) -> int | None:
    """The slot that is looked at: the chosen window, else the newest that was judged, else the newest with a value."""
    chosen = shown.slot(state.window)
    return chosen if chosen is not None else shown.judged if shown.judged is not None else shown.last


def looked(state: State, shown: Series, slot: int) -> str:
    """The window that is looked at, and why this one."""
    start = shown.time(slot)
    window = moment.period(start, start + shown.step)
    if shown.slot(state.window) is not None:
        return f"Window of {window}, as chosen"
    return f"Window of {window}, the newest" + (" with enough samples" if slot == shown.judged and slot != shown.last else "")


def reach(state: State) -> str:
    """The segment that is looked at, in words."""
    return "All traffic" if state.segment == ALL else text.unquote(state.segment)


def nothing(monitor: Monitor, state: State, segments: Sequence[str]) -> Component:
    """What stands in the place of a chart without a reading: why there is none."""
    if state.segment not in segments:
        return piece.empty("No such segment", f"Nothing was seen of {reach(state)}, and the reference has no such value.")
    watched = state.segment == ALL or "*".join(grouping_of(state.segment)) in monitor.segments
    why = "No window of this period has been evaluated yet." if watched else f"The monitor {monitor.name} does not watch this segment."
    return piece.empty("No reading", why)


def against(monitor: Monitor) -> str:
    """What a monitor compares with, in words."""
    words = {None: "no baseline", "reference": "against the reference", "previous": "against the window before"}
    return words.get(monitor.baseline, f"against {monitor.baseline}")


def of(shown: Series, slot: int, monitor: Monitor) -> str:
    """What a number is of: n, window and baseline."""
    start = shown.time(slot)
    n_baseline = shown.n_baseline[slot]
    rows = f" (n {word.count(n_baseline)})" if n_baseline is not None else ""
    return f"n {word.count(shown.n[slot])}, {moment.period(start, start + shown.step)}, {against(monitor)}{rows}"
