"""Withdraws readings whose window or segment no longer exists, because none of its events counts any more."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.reading import DOCUMENTS, FIELDS, NUMBERS, WITHDRAWN, Reading, Verdict
from core.span import Spans
from monitors.evaluation.frame import codes


def held(stored: pa.Table, windows: Spans, contract: int) -> pa.Table:
    """The stored readings of these windows under this contract that are not withdrawn."""
    there = Spans(stored["window_start"].to_numpy(), stored["window_end"].to_numpy()).isin(windows)
    mask = there & (stored["contract"].to_numpy() == contract)
    return stored.filter(pa.array(mask)).filter(pc.field("verdict").cast(pa.string()) != WITHDRAWN)


def absent(stored: pa.Table, segments: tuple[str, ...]) -> pa.Table:
    """The stored readings of segments that no longer exist."""
    return stored.filter(pa.array(codes(stored["segment"], segments) < 0))


def withdrawn(stored: pa.Table, now: int, generation: int) -> pa.Table:
    """The revisions that withdraw these stored readings, as columns."""
    rows = stored.num_rows
    blank = {
        **dict.fromkeys(NUMBERS, pa.nulls(rows, pa.float64())),
        "n_target": pa.array(np.zeros(rows), pa.uint64()),
        "n_baseline": pa.nulls(rows, pa.uint64()),
        "reason": pa.nulls(rows, pa.string()),
        "verdict": pa.array([WITHDRAWN] * rows),
        "revision": pa.array(stored["revision"].to_numpy() + 1, pa.uint32()),
        "evaluated": pa.array(np.full(rows, now)),
        "generation": pa.array(np.full(rows, generation), pa.uint64()),
    }
    return pa.table({**{name: stored[name] for name in stored.column_names}, **blank})


def as_nodata(table: pa.Table) -> Iterator[Reading]:
    """The withdrawn readings as `nodata` readings for the alerts, one by one, windows in order."""
    plain = [name for name in FIELDS if name not in {*DOCUMENTS, "verdict"}]
    kept = [name for name in DOCUMENTS if name != "evidence"]
    for rows in table.sort_by("window_start").to_batches(max_chunksize=1_000):
        for row in rows.to_pylist():
            documents = {name: json.loads(row[name]) for name in kept}
            yield Reading(verdict=Verdict.NODATA, **documents, **{name: row[name] for name in plain})
