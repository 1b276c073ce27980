"""Finds values of a segment's column that the reference does not have and that come often, so that they become segments of their own.

Only columns that a monitor names under `segments: {auto: [...]}` are looked at. What is found is a function of the events that count on closed days and of the definitions
(decision 53): it does not matter in which order, how often or in which batches the events came, and a killed owner starts again with the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from core import moment
from core.block import Ints
from core.contract import PREDICTION, Contract, Dimension
from core.monitor import Monitor
from core.segment import ALL
from core.text import OTHER
from monitors.evidence.history import History
from monitors.lease import Lease
from monitors.ports import NO_LIMIT, Panes, Takes

_PAUSE = moment.MINUTE  # between two looks while events keep coming


@dataclass(frozen=True)
class Wanted:
    """When a new value of a dimension is taken up, and how many are: the mildest of what monitors ask for."""

    share: float
    rows: int
    most: int


class NewValues:
    """The new values of one model, as its owner finds them."""

    def __init__(self, history: History, panes: Panes, takes: Takes) -> None:
        self._history, self._panes, self._takes = history, panes, takes
        self._of: tuple[object, ...] = ()  # of which contract and definitions the days were counted
        self._days: dict[int, dict[tuple[str, str], int]] = {}  # by day, dimension and value: how many events, where it is often enough
        self._due: set[int] = set()  # days that are counted when they have closed
        self._looked = moment.EARLIEST
        self.failed = False  # whether the last look ended with an error

    @property
    def closes(self) -> int:
        """The watermark at which there is something to count; after a failure time decides, not the watermark."""
        if self.failed:
            return moment.LATEST
        return min(self._due, default=moment.LATEST) + moment.DAY if self._due else moment.LATEST

    def touch(self, slots: Ints) -> None:
        """Events of these slots have come or gone."""
        if self._of:
            self._due.update(_days(slots))

    def waits(self, now: int) -> bool:
        """Whether the last look is so short ago that the next one waits: until nothing comes, or after a failure for a minute."""
        return now < self._looked + _PAUSE

    def look(self, contract: Contract, monitors: Sequence[Monitor], watermark: int, now: int, lease: Lease, *, frozen: bool) -> bool:
        """Count the days that are due, and have a new version of the contract made if its new values are others. Returns whether they are.

        Where raw events have been removed (`frozen`), the contract stays as it is: a new version would have no panes of the time before. What fails is due again.
        """
        self._looked, self.failed = now, True
        found = self._look(contract, monitors, watermark, lease, frozen=frozen)
        self.failed = False
        return found

    def _look(self, contract: Contract, monitors: Sequence[Monitor], watermark: int, lease: Lease, *, frozen: bool) -> bool:
        wanted = wanted_of(contract, monitors)
        of = (contract.based_on, contract.summary, wanted)
        if frozen or not wanted:
            self._of, self._days, self._due = (), {}, set()
            return False
        if self._of != of:
            self._of, self._days = of, {}
            self._due = set(_days(self._panes.slots(contract)[0]))
        closed = {day for day in self._due if day + moment.DAY <= watermark}
        days = {day: often for day, often in self._days.items() if day not in closed} | self._count(contract, wanted, sorted(closed))
        dimensions = _taken(contract, wanted, days)
        if any(set(before.new) - set(after.new) for before, after in zip(contract.dimensions, dimensions, strict=True)):
            dimensions = _taken(contract, wanted, self._with_open(contract, wanted, days, self._due - closed))
        if changed := dimensions != contract.dimensions:
            lease.check()
            self._takes.take_up(msgspec.structs.replace(contract, dimensions=dimensions), lease.fence)
        self._days, self._due = days, self._due - closed
        return changed

    def _with_open(
        self, contract: Contract, wanted: Mapping[str, Wanted], days: Mapping[int, dict[tuple[str, str], int]], unclosed: Collection[int]
    ) -> dict[int, dict[tuple[str, str], int]]:
        """The counted days, and of the days that have not closed the values that the contract has.

        A day that silence had closed is open again when events come, or after a restart: its values stay until it has closed again.
        """
        held = {(one.name, value) for one in contract.dimensions for value in one.new}
        found = dict(days)
        for day, often in self._count(contract, wanted, sorted(unclosed)).items():
            found[day] = {pair: n for pair, n in often.items() if pair in held} | found.get(day, {})
        return found

    def _count(self, contract: Contract, wanted: Mapping[str, Wanted], days: Sequence[int]) -> dict[int, dict[tuple[str, str], int]]:
        """By day, how many events each new value has that is often enough. Panes count those that the contract has; others are counted where `other` holds so many rows that there may be one."""
        found: dict[int, dict[tuple[str, str], int]] = {}
        if not days:
            return found
        span = (days[0], days[-1] + moment.DAY)
        table = self._panes.inputs(contract, (PREDICTION,), ("n",), ("", *wanted), moment.DAY, span)
        rows: dict[tuple[int, str], int] = defaultdict(int)
        for start, segment, n in zip(*(table[name].to_pylist() for name in ("start", "segment", "n")), strict=True):
            rows[int(start), str(segment)] += int(n)
        dimensions = [one for one in contract.dimensions if one.name in wanted]
        known = {one.name: {*one.kept} for one in dimensions}
        slots = self._panes.slots(contract)[0]
        for day in days:
            least = {name: max(one.rows, one.share * rows[day, ALL]) for name, one in wanted.items()}
            each = [(one.name, value, rows[day, f"{one.name}={value}"]) for one in dimensions for value in one.new]
            names = [name for name in wanted if rows[day, f"{name}={OTHER}"] >= least[name]]
            inside = slots[(slots >= day) & (slots < day + moment.DAY)]
            held = self._history.unseen(contract, names, inside, NO_LIMIT) if names else {}
            each += [(name, value, n) for name, values in held.items() for value, n in values if value not in known[name]]
            if often := {(name, value): n for name, value, n in each if n >= least[name]}:
                found[day] = often
        return found


def wanted_of(contract: Contract, monitors: Iterable[Monitor]) -> dict[str, Wanted]:
    """By dimension of the contract that monitors name under `auto`, when a value is taken up; paused monitors do not count."""
    found: dict[str, Wanted] = {}
    there = {one.name for one in contract.dimensions}
    for monitor in monitors:
        if monitor.auto is None or not monitor.enabled:
            continue
        for name in there.intersection(monitor.auto.columns):
            own = Wanted(monitor.auto.min_share, max(1, monitor.min_samples), monitor.auto.most)
            held = found.get(name, own)
            found[name] = Wanted(min(held.share, own.share), min(held.rows, own.rows), max(held.most, own.most))
    return dict(sorted(found.items()))


def taken(days: Mapping[int, Mapping[tuple[str, str], int]], name: str, most: int) -> tuple[str, ...]:
    """The values of a dimension that were often enough on any day: those of the earliest days at most, on one day the more frequent ones, then by name."""
    first: dict[str, tuple[int, int, str]] = {}
    for day in sorted(days):
        for (dimension, value), n in days[day].items():
            if dimension == name:
                first.setdefault(value, (day, -n, value))
    return tuple(sorted(first, key=first.__getitem__)[:most])


def _taken(contract: Contract, wanted: Mapping[str, Wanted], days: Mapping[int, Mapping[tuple[str, str], int]]) -> tuple[Dimension, ...]:
    """The contract's dimensions with the new values of these days; those that no monitor names under `auto` stay as they are."""
    found = {name: taken(days, name, one.most) for name, one in wanted.items()}
    return tuple(_with(one, found[one.name]) if one.name in found else one for one in contract.dimensions)


def _with(dimension: Dimension, values: Sequence[str]) -> Dimension:
    """The dimension with these new values; as it is, if they are the same in another order."""
    return dimension if set(values) == set(dimension.new) else msgspec.structs.replace(dimension, new=tuple(values))


def _days(slots: Ints) -> list[int]:
    days: list[int] = np.unique(slots - slots % moment.DAY).tolist()
    return days
