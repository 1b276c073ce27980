"""A block of readings: windows x columns x segments, as dense arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.baseline import kind as baselines
from core.block import Floats, Ints
from core.monitor import Monitor
from core.reading import DOCUMENTS, NUMBERS, Reading, Verdict
from core.span import Flags, Spans
from detectors.documents import joined, numbers, texts
from detectors.spec import Places

VERDICTS = tuple(Verdict)
NONE = -1  # where a count is not there

Evidence = Callable[[Places], Sequence[dict[str, Any]]]
"""Gives documents of places (window, segment) of a block."""


class Part(NamedTuple):
    """The first window of a block of evidence, the one after its last, the evidence, and the examples that a reading is written with."""

    start: int
    stop: int
    evidence: Evidence | None
    examples: Evidence | None = None


_BATCH = 4_000  # places of a column whose evidence is made at a time
_HELD = 50_000  # places whose evidence is in one array
_NOTHING = pa.array(["{}"])
_SAME = 1e-12  # relative: sums of the same numbers in another order may differ so much


@dataclass(frozen=True)
class Frame:
    """Readings of one monitor, shape (windows, columns, segments). NaN and `NONE` stand for no value; `reason` holds None or a text.
    Evidence is made of what is written or compared, and not of places without a value unless they are `few`. `there` (columns, segments): which readings there are.
    """

    monitor: Monitor
    contract: int
    windows: Spans
    threshold: dict[str, Any]
    columns: tuple[str, ...]
    segments: tuple[str, ...]
    value: Floats
    lower: Floats
    upper: Floats
    baseline_value: Floats
    n_target: Ints
    n_baseline: Ints
    n_effective: Floats
    verdict: npt.NDArray[np.int8]
    reason: npt.NDArray[np.object_]
    evidence: tuple[tuple[Part, ...], ...]  # by column, windows in order
    few: Flags
    there: Flags

    @property
    def every(self) -> Flags:
        """All readings that there are, as a mask."""
        return np.broadcast_to(self.there, self.value.shape).copy()

    def changed(self, stored: pa.Table) -> tuple[npt.NDArray[np.bool_], Ints]:
        """Which readings differ from the stored ones in a number, a sample size, the verdict, the reason, the contract or the evidence but its examples; and the revision of each."""
        revision = np.ones(self.value.shape, np.int64)
        changed = self.every
        if not stored.num_rows:
            return changed, revision
        at, rows = self._places(stored)
        same = np.ones(len(rows), np.bool_)
        for name in NUMBERS:
            same &= _close(getattr(self, name)[at], _floats(stored[name])[rows])
        same &= self.n_target[at] == stored["n_target"].to_numpy().astype(np.int64)[rows]
        same &= self.n_baseline[at] == stored["n_baseline"].cast(pa.float64()).fill_null(NONE).to_numpy().astype(np.int64)[rows]
        same &= np.array(VERDICTS, object)[self.verdict[at]] == _texts(stored["verdict"])[rows]
        same &= self.reason[at] == _texts(stored["reason"])[rows]
        same &= stored["contract"].to_numpy()[rows] == self.contract
        kept = np.flatnonzero(same)
        same[kept] = self._same_evidence(_at(at, kept), stored["evidence"].take(rows[kept]))
        changed[at] &= ~same
        revision[at] = stored["revision"].to_numpy().astype(np.int64)[rows] + 1
        return changed, revision

    def table(self, mask: npt.NDArray[np.bool_], revision: Ints, now: int, generation: int) -> pa.Table:
        """The readings that `mask` selects, as columns, in the order in which the store keeps them: by column, segment and window."""
        places = w, c, s = self._in_order(mask)
        rows, n_baseline = len(w), self.n_baseline[places]
        same = {name: _repeat(json.dumps(value) if name in DOCUMENTS else value, rows) for name, value in self._same().items()}
        return pa.table(
            {
                **same,
                "evidence": pa.chunked_array(
                    [self._evidence(_at(places, slice(first, first + _HELD)), examples=True) for first in range(0, rows, _HELD)],
                    pa.string(),
                ),
                "column": _take(self.columns, c),
                "segment": _take(self.segments, s),
                "window_start": self.windows.start[w],
                "window_end": self.windows.end[w],
                **{name: _nullable(getattr(self, name)[places]) for name in NUMBERS},
                "n_target": pa.array(self.n_target[places], pa.uint64()),
                "n_baseline": pa.array(np.maximum(n_baseline, 0), pa.uint64(), mask=n_baseline == NONE),
                "verdict": _take(VERDICTS, self.verdict[places]),
                "reason": pa.array(self.reason[places], pa.string()),
                "revision": pa.array(revision[places], pa.uint32()),
                "evaluated": np.full(rows, now),
                "generation": pa.array(np.full(rows, generation), pa.uint64()),
            }
        )

    def readings(self, mask: npt.NDArray[np.bool_], revision: Ints) -> Iterator[Reading]:
        """The readings that `mask` selects, one by one, windows in order."""
        bare = self.bare(mask, revision)
        while some := list(islice(bare, _HELD)):
            yield from self.with_evidence(some)

    def bare(self, mask: npt.NDArray[np.bool_], revision: Ints) -> Iterator[Reading]:
        """The readings that `mask` selects, one by one, windows in order, without their evidence."""
        w, c, s = np.nonzero(mask)
        alike = Reading(**self._same(), window_start=0, window_end=0, verdict=Verdict.OK)  # in all but what follows
        own = {
            **{name: numbers(getattr(self, name)[mask]) for name in NUMBERS},
            "column": np.array(self.columns, object)[c].tolist(),
            "segment": np.array(self.segments, object)[s].tolist(),
            "window_start": self.windows.start[w].tolist(),
            "window_end": self.windows.end[w].tolist(),
            "n_target": self.n_target[mask].tolist(),
            "n_baseline": [None if n == NONE else n for n in self.n_baseline[mask].tolist()],
            "verdict": [VERDICTS[code] for code in self.verdict[mask].tolist()],
            "reason": self.reason[mask].tolist(),
            "revision": revision[mask].tolist(),
        }
        return (msgspec.structs.replace(alike, **dict(zip(own, row, strict=True))) for row in zip(*own.values(), strict=True))

    def with_evidence(self, readings: Sequence[Reading]) -> list[Reading]:
        """Readings of this block with their evidence."""
        w = self.windows.find(Spans.of([(one.window_start, one.window_end) for one in readings]))
        columns, segments = ({text: place for place, text in enumerate(names)} for names in (self.columns, self.segments))
        c, s = np.array([columns[one.column] for one in readings], np.intp), np.array([segments[one.segment] for one in readings], np.intp)
        found = self._evidence((w, c, s), examples=True)
        return [
            msgspec.structs.replace(reading, evidence=msgspec.json.decode(text))
            for reading, text in zip(readings, found.to_pylist(), strict=True)
        ]

    def _same_evidence(self, places: Places, stored: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Which of some places, one row each, have the evidence that is stored for them. Examples are not compared."""
        ours, theirs = self._evidence(places), stored.cast(pa.string()).combine_chunks()
        same = np.array(pc.equal(ours, theirs), np.bool_)
        other = np.flatnonzero(~same)
        same[other] = [*map(_alike, ours.take(other).to_pylist(), theirs.take(other).to_pylist())]
        return same

    def _evidence(self, places: Places, *, examples: bool = False) -> pa.Array:
        """The evidence of some places as JSON, with the examples if they are asked for: an empty document if there is no value."""
        w, c, s = places
        found, made, at = [_NOTHING], 1, np.zeros(len(w), np.int64)
        valued = ~np.isnan(self.value[places]) | (self.few[places] & (self.n_target[places] > 0))
        for column in np.unique(c).tolist():
            of_column = np.flatnonzero(valued & (c == column))
            for part in self.evidence[column]:
                asked = [one for one in (part.evidence, part.examples if examples else None) if one is not None]
                rows = of_column[(part.start <= w[of_column]) & (w[of_column] < part.stop)]
                for some in np.split(rows, range(_BATCH, len(rows), _BATCH)) if asked and len(rows) else ():
                    found.append(texts(joined(*(one((w[some] - part.start, s[some])) for one in asked))))
                    at[some] = np.arange(made, made := made + len(some))
        return pa.concat_arrays(found).take(at)

    def _same(self) -> dict[str, Any]:
        """The fields that all of these readings share."""
        monitor = self.monitor
        return {
            "monitor": monitor.name,
            "model": monitor.model,
            "version": monitor.version or "all",
            "measure": monitor.measure,
            "params": monitor.params,
            "baseline": baselines.text(monitor.baseline) if monitor.baseline else None,
            "threshold": self.threshold,
            "monitor_version": monitor.evaluated_revision,
            "contract": self.contract,
        }

    def _in_order(self, mask: Flags) -> tuple[Ints, Ints, Ints]:
        """The places that a mask selects, in the order of the store."""
        columns, segments = (np.array(sorted(range(len(names)), key=names.__getitem__), np.intp) for names in (self.columns, self.segments))
        c, s, w = np.nonzero(mask.transpose(1, 2, 0)[np.ix_(columns, segments)])
        return w, columns[c], segments[s]

    def _places(self, stored: pa.Table) -> tuple[tuple[Ints, Ints, Ints], Ints]:
        """The index in the block of each stored reading that is in it, and the stored rows."""
        w = self.windows.find(Spans(stored["window_start"].to_numpy(), stored["window_end"].to_numpy()))
        c, s = codes(stored["column"], self.columns), codes(stored["segment"], self.segments)
        rows = np.flatnonzero((w >= 0) & (c >= 0) & (s >= 0))
        return (w[rows], c[rows], s[rows]), rows


def _at(places: Places, rows: Ints | slice) -> Places:
    return tuple(axis[rows] for axis in places)


def _alike(written: str, stored: str) -> bool:
    """Whether a document is what is stored; examples of raw rows, which stand in place of contributions, are not compared."""
    if written == stored:
        return True
    document, other = msgspec.json.decode(written), msgspec.json.decode(stored)
    if "contributions" not in document:
        other.pop("contributions", None)
    return _same(document, other)


def _same(one: Any, other: Any) -> bool:
    """Whether two documents of JSON are the same but for rounding."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
        case list(), list():
            return len(one) == len(other) and all(map(_same, one, other))
        case float(), float():
            return math.isclose(one, other, rel_tol=_SAME, abs_tol=1e-15)
    return bool(one == other)


def _close(ours: Floats, theirs: Floats) -> npt.NDArray[np.bool_]:
    return np.isclose(ours, theirs, rtol=_SAME, atol=1e-15, equal_nan=True)


def _floats(column: pa.ChunkedArray) -> Floats:
    return np.asarray(column.to_numpy(), np.float64)  # null becomes NaN


def _texts(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    return np.asarray(column.cast(pa.string()).to_pylist(), dtype=object)


def codes(column: pa.ChunkedArray, names: tuple[str, ...]) -> Ints:
    """The place of each text among `names`, -1 where it is not there."""
    indices = {name: index for index, name in enumerate(names)}
    return np.array([indices.get(text, -1) for text in column.cast(pa.string()).to_pylist()], np.int64)


def _repeat(value: str | int | None, rows: int) -> pa.Array:
    if not isinstance(value, str):
        return pa.nulls(rows, pa.string()) if value is None else pa.array(np.full(rows, value), pa.uint32())
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def _take(names: tuple[str, ...], codes: npt.NDArray[np.integer[Any]]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array([str(name) for name in names], pa.string()))


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))
