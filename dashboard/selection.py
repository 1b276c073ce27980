"""What is selected in a heat map of segments, and how it compares with the rest of the map."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from core import moment
from dashboard.series import JUDGED, Series


@dataclass(frozen=True)
class Selection:
    """The cells of some segments whose windows begin in `[start, end)`."""

    start: int
    end: int
    segments: tuple[str, ...]

    @staticmethod
    def of(written: str) -> Selection | None:
        """The selection of an address; None if there is none, or it cannot be read.

        >>> Selection.of('["2013-07-01T00:00:00Z","2013-07-02T00:00:00Z","origin=JFK"]').segments
        ('origin=JFK',)
        >>> Selection.of("odd"), Selection.of('["2013-07-01T00:00:00Z"]')
        (None, None)
        >>> Selection.of("[" * 50_000)
        """
        try:
            start, end, *segments = json.loads(written)
            found = Selection(moment.parse_query(start), moment.parse_query(end), tuple(map(str, segments)))
        except (ValueError, TypeError, AttributeError, RecursionError):
            return None
        return found if found.start < found.end and found.segments else None

    def within(self, lines: Iterable[str]) -> Selection:
        """The selection without segments that are not in the map."""
        there = set(lines)
        return replace(self, segments=tuple(dict.fromkeys(name for name in self.segments if name in there)))

    @property
    def written(self) -> str:
        """The text that `of` reads."""
        return json.dumps([moment.text(self.start), moment.text(self.end), *self.segments], separators=(",", ":"), ensure_ascii=False)

    def holds(self, segment: str, time: int) -> bool:
        """Whether the cell of a segment and of the window that begins at a time is selected."""
        return segment in self.segments and self.start <= time < self.end


@dataclass(frozen=True)
class Part:
    """The cells of one side: how many have a value, their rows, the mean of their values weighted by rows, how many were judged, and how many of these reached a threshold."""

    cells: int
    rows: int
    mean: float | None
    judged: int
    reached: int


def compared(lines: Mapping[str, Series], chosen: Selection) -> tuple[Part, Part]:
    """The selected cells and the rest."""
    sides: dict[bool, list[tuple[float, int, str]]] = {True: [], False: []}
    for name, one in lines.items():
        for slot, value in enumerate(one.value):
            if value is not None:
                sides[chosen.holds(name, one.time(slot))].append((value, one.n[slot] or 0, one.verdict[slot]))
    return _part(sides[True]), _part(sides[False])


def _part(cells: list[tuple[float, int, str]]) -> Part:
    rows = sum(n for _, n, _ in cells)
    mean = sum(value * n for value, n, _ in cells) / rows if rows else None
    judged = [verdict for _, _, verdict in cells if verdict in JUDGED]
    return Part(len(cells), rows, mean, len(judged), sum(verdict in {"warn", "critical"} for verdict in judged))
