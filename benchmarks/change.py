"""What detectors of change cost on 1,000,000 outcomes, beside river's own loop over the same errors: `python -m benchmarks.change`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from river import drift

from core.block import Floats
from detectors.change import river

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


def timed(what: Callable[[], int]) -> tuple[float, int]:
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


def _ours(name: str, params: river.RowParams, values: Floats) -> int:
    return len(river.detected(name, params, values))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
