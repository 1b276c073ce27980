"""What the Model and the Column page have in common: the model's row, its monitors, and the controls that narrow."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from dash import html

from core import text
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
from dashboard.state import RANGES, State

LIMIT = 100_000  # readings asked for at most

Here = Callable[[State], str]


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
        """The dimensions and crosses that segments exist of."""
        return list(dict.fromkeys(grouping for segment in self.segments if (grouping := grouping_of(segment))))

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


def controls(scene: Scene, state: State, here: Here) -> list[Any]:
    """Segment and period, and above them what narrows the page now."""
    others = [*sorted({*scene.segments, state.segment} - {ALL}, key=lambda segment: (len(grouping_of(segment)), segment))]
    absolute = state.start is not None or state.end is not None
    ranges = [
        (label, here(state.but(range=key, start=None, end=None)), not absolute and state.range == key) for key, label in RANGES.items()
    ]
    return [
        piece.notice(state.notices),
        html.Div(
            [
                piece.select(
                    "segment", "Segment", state.segment, [(ALL, "All traffic"), *((segment, text.unquote(segment)) for segment in others)]
                ),
                piece.choice("Period", ranges),
            ],
            className="controls",
        ),
        piece.chips(*_filters(state, here)),
    ]


def _filters(state: State, here: Here) -> list[tuple[str, str, str]]:
    filters = []
    if state.segment != ALL:
        filters.append(("Segment", text.unquote(state.segment), here(state.but(segment=ALL))))
    if state.window is not None:
        filters.append(("Window from", word.instant(state.window), here(state.but(window=None))))
    if state.start is not None or state.end is not None:
        filters.append(("Period", f"{word.instant(state.start)} to {word.instant(state.end)}", here(state.but(start=None, end=None))))
    return filters


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
    """The slot that is looked at: the chosen window, else the newest with a value."""
    chosen = shown.slot(state.window)
    return chosen if chosen is not None else shown.last


def of(shown: Series, slot: int, monitor: Monitor) -> str:
    """What a number is of: n, window and baseline."""
    start = shown.time(slot)
    against = {None: "no baseline", "reference": "against the reference", "previous": "against the window before"}.get(
        monitor.baseline, f"against {monitor.baseline}"
    )
    n_baseline = shown.n_baseline[slot]
    rows = f" (n {word.count(n_baseline)})" if n_baseline is not None else ""
    return f"n {word.count(shown.n[slot])}, {word.period(start, start + shown.step)}, {against}{rows}"


def monitors_choice(monitors: Sequence[Monitor], chosen: Monitor, state: State, here: Here) -> Any:
    """Links to the other monitors of the same measure; None where there is one only."""
    same = [monitor for monitor in monitors if monitor.measure == chosen.measure]
    if len(same) < 2:
        return None
    return piece.choice(
        "Monitor", [(monitor.name, here(state.but(measure=monitor.measure, monitor=monitor.name)), monitor is chosen) for monitor in same]
    )
