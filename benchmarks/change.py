"""What detectors of change cost on 1,000,000 outcomes, beside river's own loop over the same errors, and what a comparison costs on as many: `python -m benchmarks.change`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np
from river import drift

from core import moment
from core.block import Floats
from core.contract import PREDICTION, Column, Contract, Kind, Task
from core.segment import ALL
from core.span import Spans
from detectors.change import river
from detectors.compare.difference import DifferenceParams, bounds, verdicts
from detectors.compare.loss import row_loss
from detectors.compare.sums import Standing, paired, unpaired
from monitors.evidence.pairs import Place, SideRows

T = TypeVar("T")
ROWS = 1_000_000
SLOW = (100_000, 10_000)  # of which the costs of KSWIN are taken, ours and river's
DETECTORS: dict[str, tuple[type[river.RowParams], Any]] = {
    "ADWIN": (river.AdwinParams, drift.ADWIN),
    "KSWIN": (river.KswinParams, lambda: drift.KSWIN(seed=1)),
    "PageHinkley": (river.PageHinkleyParams, drift.PageHinkley),
    "DDM": (river.DdmParams, drift.binary.DDM),
    "EDDM": (river.EddmParams, drift.binary.EDDM),
    "HDDMA": (river.HddmAParams, drift.binary.HDDMA),
    "HDDMW": (river.HddmWParams, drift.binary.HDDMW),
}


def plainly(detector: Any, values: Floats) -> int:
    """How many changes river's own loop finds."""
    found = 0
    for value in values.tolist():
        detector.update(value)
        found += detector.drift_detected
    return found


def timed(what: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and the result."""
    started = time.perf_counter()
    found = what()
    return time.perf_counter() - started, found


def main(rows: int = ROWS) -> None:
    """Print the table."""
    rng = np.random.default_rng(1)
    errors = (rng.random(rows) < np.where(np.arange(rows) < rows // 2, 0.1, 0.12)).astype(np.float64)
    print(f"{rows:,} errors, of which 10 % and then 12 % are 1; microseconds an outcome")
    print(f"{'detector':<14}{'ours':>8}{'river':>8}{'found':>8}{'by river':>10}")
    for name, (params, made) in DETECTORS.items():
        own, most = (min(rows, one) for one in SLOW) if name == "KSWIN" else (rows, rows)
        seconds, found = timed(partial(_ours, name, params(), errors[:own]))
        alone, theirs = timed(partial(plainly, made(), errors[:most]))
        said = f"{theirs:,}" if most == rows else "-"
        print(f"{name:<14}{seconds / own * 1e6:>8.2f}{alone / most * 1e6:>8.2f}{found:>8,}{said:>10}")

    print()
    print("a comparison of two sides over 100 windows, rows in memory")
    for name, seconds in compared(rows):
        print(f"{name:<14}{seconds / rows * 1e6:>8.2f}")


def compared(rows: int) -> list[tuple[str, float]]:
    """Seconds to sum the rows of both sides by window, unpaired and paired, and to bound the difference at each window."""
    rng, half, days = np.random.default_rng(2), rows // 2, np.arange(100) * moment.DAY
    windows = Spans(days, days + moment.DAY)
    of_model = Contract(model="m", version=1, task=Task.BINARY, features=(), outputs=(Column(name=PREDICTION, kind=Kind.CATEGORICAL),))
    place = Place(of_model, windows, (ALL,))
    form = next(one.form for one in [row_loss("performance.accuracy", {})] if one is not None)
    ts = np.sort(rng.integers(0, 100 * moment.DAY, half))
    keys, *ids = (np.array([f"{side}{one}" for one in range(half)], object) for side in "rab")
    a, b = (
        SideRows(ts, (rng.random(half) < share).astype(float), rng.integers(0, 2, half).astype(object), own, keys, {}, ts)
        for own, share in zip(ids, (0.1, 0.09), strict=True)
    )
    params = DifferenceParams("performance.accuracy", margin=0.01)
    amounts, (first, second) = timed(lambda: (place.amounts(a), place.amounts(b)))
    pairing, pairs = timed(lambda: place.pairs(a, b))
    found = []
    for name, seconds, standing in (
        ("unpaired", amounts, lambda: unpaired(first, second, form)),
        ("paired", pairing, lambda: paired(pairs, form)),
    ):
        told, known = timed(standing)
        bounding, _ = timed(partial(_verdicts, known, params))
        found.append((name, seconds + told + bounding))
    return found


def _verdicts(standing: Standing, params: DifferenceParams) -> object:
    return verdicts(bounds(standing, params, "share", 1), params.margin, standing.n_b >= 200)


def _ours(name: str, params: river.RowParams, values: Floats) -> int:
    return len(river.detected(name, params, values))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
