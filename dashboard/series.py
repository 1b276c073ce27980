"""One measure over time on a regular grid of windows, in which missing readings stay missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from statistics import median
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import number
from core.calendar import Unit
from core.measure import Judged, Measure
from core.monitor import Compare, Monitor
from core.segment import ALL, grouping_of
from core.window.kind import Window
from core.window.period import Period as Days
from core.window.to_date import ToDate

Calendric = Days | ToDate
LONGEST = 1_500  # windows drawn at most
JUDGED = frozenset({"ok", "warn", "critical", "ready", "keep_waiting", "worse"})


@dataclass(frozen=True)
class Series:
    """Readings of one monitor, column and segment: slot i is the window that starts at `start + i * step` microseconds.

    A slot without a reading has verdict "" and None elsewhere. `limited`: some reading was compared with a threshold.
    """

    start: int
    step: int
    value: list[float | None]
    lower: list[float | None]
    upper: list[float | None]
    baseline: list[float | None]
    n: list[int | None]
    n_baseline: list[int | None]
    verdict: list[str]
    reason: list[str | None]
    limited: bool = True
    effective: list[float | None] = field(default_factory=list)  # independent rows that a window is worth; empty if none is known
    excess: list[float | None] = field(default_factory=list)  # of monitors that compare it; else empty
    p: list[float | None] = field(default_factory=list)  # empty if there is none
    length: int | None = None  # of a window that is not as long as its slot
    kind: Days | ToDate | None = None  # of windows of the calendar: where slots are not windows

    @staticmethod
    def of(table: pa.Table, start: int, end: int, step: int, window: Window | None = None) -> Series:
        """Put readings on the grid of the windows of `[start, end)`. Readings outside are left out. A window of the calendar has the slot in which it ends."""
        size, kind = max(0, -(-(end - start) // step)), window if isinstance(window, Calendric) else None
        times = table["window_start"].to_numpy() if kind is None else table["window_end"].to_numpy() - 1
        indices = (times - start) // step
        inside = np.flatnonzero((indices >= 0) & (indices < size))

        def lay(name: str, empty: Any = None) -> list[Any]:
            slots = [empty] * size
            values = table[name].to_pylist()
            for row in inside.tolist():
                slots[int(indices[row])] = values[row]
            return slots

        return Series(
            start=start,
            step=step,
            value=lay("value"),
            lower=lay("lower"),
            upper=lay("upper"),
            baseline=lay("baseline_value"),
            n=lay("n_target"),
            n_baseline=lay("n_baseline"),
            verdict=lay("verdict", ""),
            reason=lay("reason"),
            limited=_limited(table),
            effective=_known(lay("n_effective")) if "n_effective" in table.column_names else [],
            **(_told(lay("evidence"), "excess", "p") if "evidence" in table.column_names else {}),
            length=pc.max(pc.subtract(table["window_end"], table["window_start"])).as_py(),
            kind=kind,
        )

    @staticmethod
    def none(start: int, end: int, step: int, window: Window | None = None) -> Series:
        """A grid without a reading."""
        size = max(0, -(-(end - start) // step))
        nothing: list[float | None] = [None] * size
        n: list[int | None] = [None] * size
        return Series(
            start,
            step,
            nothing,
            nothing,
            nothing,
            nothing,
            n,
            n,
            [""] * size,
            [None] * size,
            limited=False,
            kind=window if isinstance(window, Calendric) else None,
        )

    def __len__(self) -> int:
        return len(self.value)

    def time(self, slot: int) -> int:
        """The start of a slot's window; of a window to date, the start of its last day."""
        return self.start + slot * self.step if self.kind is None else self._times[slot]

    @cached_property
    def _times(self) -> list[int]:
        """The times of all slots of windows of the calendar, and of the one behind them: a chart asks for each of them several times."""
        if self.kind is None:
            return []
        grid = np.array([self._grid(slot) for slot in range(len(self) + 1)], np.int64)
        starts = (Days(Unit.DAY, self.kind.calendar) if self.kind.overlaps else self.kind).between(int(grid[0]), int(grid[-1])).start
        found: list[int] = starts[np.searchsorted(starts, grid, "right") - 1].tolist()
        return found

    def window(self, slot: int) -> tuple[int, int]:
        """The window of a slot: its start and its end."""
        if self.kind is not None:
            return self.kind.at(self._grid(slot))
        return self.time(slot), self.time(slot) + (self.length or self.step)

    def _grid(self, slot: int) -> int:
        """A time in the last step of a slot's window."""
        return self.start + slot * self.step

    def slot(self, time: int | None) -> int | None:
        """The slot of the window that `time` falls into; None outside."""
        if time is None:
            return None
        at = time if self.kind is None else self.kind.at(time)[1] - 1
        return slot if 0 <= (slot := (at - self.start) // self.step) < len(self) else None

    @property
    def last(self) -> int | None:
        """The newest slot with a value."""
        return next((slot for slot in range(len(self) - 1, -1, -1) if self.value[slot] is not None), None)

    @property
    def fragment(self) -> int | None:
        """The newest slot with rows, if it has less than half as many rows as usual: its window is not over, or the data end within it."""
        slots = [slot for slot in range(len(self)) if self.n[slot]]
        before = [n for slot in slots[:-1] if (n := self.n[slot])]
        return slots[-1] if before and 2 * (self.n[slots[-1]] or 0) < median(before) else None

    @property
    def newest(self) -> int | None:
        """The slot to show first: the newest whose value was compared with the thresholds, else the newest with a value, or with rows.

        A `fragment` is skipped if there is another slot.
        """
        valued = [slot for slot in range(len(self) - 1, -1, -1) if self.value[slot] is not None]
        valued = valued or [slot for slot in range(len(self) - 1, -1, -1) if self.n[slot]]
        whole = [slot for slot in valued if slot != self.fragment] or valued
        return next((slot for slot in whole if self.verdict[slot] in JUDGED), next(iter(whole), None))

    def largest(self, size: Callable[[float], float]) -> float | None:
        """The value of the largest size that was judged; if none was, of all values."""
        values = [(value, verdict in JUDGED) for value, verdict in zip(self.value, self.verdict, strict=True) if value is not None]
        judged = [value for value, was in values if was] or [value for value, _ in values]
        return max(judged, key=size, default=None)


def anchor(window: Window, start: int, end: int) -> int:
    """The time that selects a window: its start, or, of the calendar, a time on its last day."""
    return end - 1 if isinstance(window, Calendric) else start


def since(window: Window, start: int) -> int:
    """From when windows may begin that have a slot after `start`: those of the calendar have the slot in which they end."""
    return start - window.longest if isinstance(window, Calendric) else start


def _limited(table: pa.Table) -> bool:
    """Whether a threshold is set in any reading."""
    texts = pc.unique(table["threshold"]).to_pylist()
    return any(threshold is not None for text in texts for threshold in msgspec.json.decode(text).values())


def _told(evidence: list[str | None], *names: str) -> dict[str, list[float | None]]:
    """By name a number in each text of evidence; empty if none holds it."""
    documents = [msgspec.json.decode(text) if text else {} for text in evidence]
    return {name: _known([document.get(name) for document in documents]) for name in names}


def _known(values: list[float | None]) -> list[float | None]:
    return values if any(value is not None for value in values) else []


@dataclass(frozen=True)
class Limit:
    """A threshold as it is drawn: one y a slot, None if it has no place there. `label` is its text."""

    level: str
    label: str
    y: list[float | None]


def limits(monitor: Monitor, about: Measure, series: Series) -> list[Limit]:
    """The thresholds of a monitor on the scale of its measure: `0.1 worse than the baseline` becomes a line."""
    about = about.directed(monitor.params)
    against, words = monitor.baseline is not None, {Compare.EXCESS: "excess from ", Compare.RISE: "rise from "}
    drawn = []
    for level, limit in monitor.threshold.items():
        if limit is None:
            continue
        amount, said = limit if isinstance(limit, int | float) else next(iter(limit.values())), number.reached(limit, about.unit)
        if word := words.get(monitor.compare):
            moved = series.excess if monitor.compare is Compare.EXCESS else _less(series.value, series.baseline)
            drawn.append(Limit(level, f"{level} {word}{number.exact(amount)}", _plus(_less(series.value, moved), float(amount))))
            continue
        relative = isinstance(limit, int | float) and about.judged is Judged.WORSE and against
        promise = None if isinstance(limit, dict) else monitor.params.get("promise")
        y = [about.limit(float(amount), at, against=relative, promise=promise) for at in series.baseline]
        label = f"{level} {f'worse by {number.exact(amount)}' if relative else said}"
        drawn.append(Limit(level, label, y))
        if about.signed:
            drawn.append(Limit(level, label, [None if one is None else -one for one in y]))
    return drawn


def _less(values: list[float | None], others: list[float | None]) -> list[float | None]:
    """The differences of two rows of numbers, None where either is missing."""
    pairs = zip_longest(values, others)
    return [None if value is None or other is None else value - other for value, other in pairs]


def _plus(values: list[float | None], amount: float) -> list[float | None]:
    return [None if value is None else value + amount for value in values]


def by_key(table: pa.Table, key: str) -> dict[str, pa.Table]:
    """The parts of a table by the value of a text column, in order of first appearance."""
    return {value: table.filter(pc.equal(table[key], value)) for value in pc.unique(table[key]).to_pylist()}


def watches(monitor: Monitor, segment: str) -> bool:
    """Whether a monitor has readings of a segment (`carrier=UA`), or of every value of a grouping (`carrier`). One that finds its segments may have none of any."""
    named = () if monitor.auto else monitor.segments
    return (segment if "=" not in segment else "*".join(grouping_of(segment))) in {ALL, *named}


def has(monitor: Monitor, column: str) -> bool:
    """Whether a monitor watches a column; "" is no column. A monitor without columns watches all features, whose names do not begin with @."""
    return not column or column in monitor.columns or not (monitor.columns or column.startswith("@"))


def choose(monitors: Sequence[Monitor], name: str, wanted: str = "", column: str = "", segment: str = ALL) -> Monitor | None:
    """The monitor that shows the measure `name`: the wanted one, else one that watches the segment, if possible with thresholds.

    With `column` only monitors that watch it are considered. None if no monitor has the measure.
    """
    fit = [monitor for monitor in monitors if monitor.measure == name and has(monitor, column)]
    return min(
        fit,
        key=lambda monitor: (
            monitor.name != wanted,
            not watches(monitor, segment),
            not monitor.alarms,
        ),
        default=None,
    )
