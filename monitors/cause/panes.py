"""Slices whose rows panes hold: segments, with exact numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from core.measure import Judged, Measure
from core.segment import ALL
from detectors.cause.rows import Axis, parsed
from detectors.cause.slices import FEWEST, SHARE, Kept, Parts, Slice, named, ranked
from detectors.cause.way import Way
from monitors.cause.values import Value


class Segments:
    """The segments in panes, as slices of the rows of one of them, which is given by its parts; () is all rows."""

    def __init__(self, about: Measure, every: Sequence[Axis], held: Mapping[str, Value], within: Parts) -> None:
        self._about, self._every, self._within = about, every, within
        places = {segment: () if segment == ALL else parsed(segment, every) for segment in held}
        self._by_parts = {parts: (segment, held[segment]) for segment, parts in places.items() if parts is not None}

    @property
    def whole(self) -> Value | None:
        """The measure of all rows that slices are of; None where panes do not hold them."""
        found = self._by_parts.get(self._within)
        return None if found is None else found[1]

    def of(self, one: Slice, way: Way) -> Slice | None:
        """A slice of rows with the numbers of panes, where they hold it, and with its whole name. None for one without, of a measure that is not made of rows' harm."""
        parts = tuple(sorted((*self._within, *one.parts)))
        segment, found = self._by_parts.get(parts, ("", None))
        if found is None or found.value is None or self.whole is None or not self.whole.n:
            return replace(one, name=named(parts, self._every)) if way.exact or way.of_slice is not None or way.shared else None
        told = replace(one, name=segment, value=found.value, baseline=found.baseline)
        return told if way.shared else replace(told, **self._numbers(found))  # type: ignore[arg-type]

    def ranked(self) -> list[Slice]:
        """All segments within the rows, where no raw rows are known: without a test of which is beyond chance."""
        if self.whole is None or not self.whole.n or self._about.of_stream:
            return []
        inside = [parts for parts in self._by_parts if set(parts) > set(self._within)]
        found = []
        for parts in inside:
            segment, value = self._by_parts[parts]
            if value.value is not None and value.n >= max(FEWEST, SHARE * self.whole.n):
                rest = tuple(part for part in parts if part not in self._within)
                found.append(Slice(rest, segment, p=None, value=value.value, baseline=value.baseline, **self._numbers(value)))  # type: ignore[arg-type]
        kept = Kept([one.parts for one in found], np.array([one.share for one in found]), np.array([one.contribution for one in found]))
        return ranked([one for place, one in enumerate(found) if one.contribution > 0 and kept.stands(place)])

    def _numbers(self, found: Value) -> dict[str, float | int]:
        """The share, the rows and the contribution of a segment: its share of rows times how much worse it is, or its part of the measure."""
        share = found.n / (self.whole.n if self.whole else 1)
        return {"share": share, "n": found.n, "contribution": share * self._worse(found)}

    def _worse(self, found: Value) -> float:
        value, usual = found.value or 0.0, self._usual if found.baseline is None else found.baseline
        if self._about.judged is Judged.WORSE and not self._about.compares:
            return 0.0 if usual is None else float(self._about.worse(value, usual, against=True))
        whole = self.whole.value if self.whole else None
        grown = value - (found.baseline or 0.0)
        return grown / (whole - (self._usual or 0.0)) if whole is not None and whole != (self._usual or 0.0) else 0.0

    @cached_property
    def _usual(self) -> float | None:
        """The baseline's value of all rows."""
        return None if self.whole is None else self.whole.baseline
